//! Signatures (`platform-api.md` §1.3 "sign").

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use ring::digest::{Context, SHA256};
use uuid::Uuid;

use super::data::{blob, happened, path, seen};
use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::token::{Bearer, Claims};
use crate::kit::words::Words;
use crate::storage::Storage;
use crate::storage::access::{At, author, owns};
use crate::storage::metadata::Whole;
use crate::storage::model::sign::{ElementSignature, SignDocument, SignRequest, Signee};
use crate::storage::model::{DataElement, InstanceEvent, ProcessState, Reference};

pub(super) async fn sign(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    at: At,
    Json(request): Json<SignRequest>,
) -> Result<Response, Fault> {
    let blank = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
    let signee = request
        .signee
        .clone()
        .filter(|signee| !blank(&signee.user_id) || !blank(&signee.system_user_id));
    let signee = signee.ok_or_else(|| {
        Fault::problem(
            StatusCode::BAD_REQUEST,
            "The 'UserId' or 'SystemUserId' parameter must be defined for signee.",
        )
    })?;
    let found = storage.found(&at).await;
    let whole = found.map_err(|fault| missing(&fault, "Instance not found."))?;
    storage.demand(&claims, &["sign"], &whole.instance).await?;
    let kind = &request.signature_document_data_type;
    let app = storage.application(&whole.instance).await;
    let app = app.map_err(|fault| missing(&fault, "Cannot find application"))?;
    let task = whole.instance.process.as_ref().and_then(ProcessState::task);
    let declared = app
        .data_type(kind)
        .is_some_and(|kind| kind.task_id.is_none() || kind.task_id.as_deref() == task);
    if !declared {
        let text = format!("Cannot find data type {kind} for the current task.");
        return Err(Fault::problem(StatusCode::METHOD_NOT_ALLOWED, text));
    }
    let id = Uuid::new_v4();
    let document = SignDocument {
        id: id.to_string(),
        instance_guid: at.guid.to_string(),
        signed_time: Date::now(),
        signee_info: signee,
        data_element_signatures: signatures(&storage, &whole, &request).await?,
    };
    keep(&storage, &claims, &at, &whole, &request, &document).await?;
    Ok((StatusCode::CREATED, Words("SignDocument is created".to_owned())).into_response())
}

fn missing(fault: &Fault, text: &str) -> Fault {
    match fault.status() {
        StatusCode::NOT_FOUND => Fault::problem(StatusCode::NOT_FOUND, text),
        _ => fault.clone(),
    }
}

/// Hashes the elements to be signed, as they are now.
async fn signatures(
    storage: &Storage,
    whole: &Whole,
    request: &SignRequest,
) -> Result<Vec<ElementSignature>, Fault> {
    let org = whole.instance.org.as_deref().unwrap_or_default();
    let mut signatures = Vec::new();
    for asked in &request.data_element_signatures {
        let no = || {
            let text = format!("Failed to find dataElement, id: {}", asked.data_element_id);
            Fault::problem(StatusCode::NOT_FOUND, text)
        };
        let id = asked.data_element_id.parse::<Uuid>().map_err(|_| no())?.to_string();
        let element = whole.elements.iter().find(|element| element.id == id).ok_or_else(no)?;
        let mut found = storage.0.blobs.read(org, &blob(element)?).await?.ok_or_else(no)?.bytes;
        let mut digest = Context::new(&SHA256);
        while let Some(piece) = found.next().await {
            digest.update(&piece.map_err(|error| Fault::unavailable("The blob store", error))?);
        }
        let sha256_hash = digest.finish().as_ref().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        signatures.push(ElementSignature {
            data_element_id: id,
            sha256_hash,
            signed: asked.signed,
        });
    }
    Ok(signatures)
}

/// Keeps the document as an element.
async fn keep(
    storage: &Storage,
    claims: &Claims,
    at: &At,
    whole: &Whole,
    request: &SignRequest,
    document: &SignDocument,
) -> Result<(), Fault> {
    let id: Uuid = document.id.parse().map_err(Fault::internal)?;
    let path = path(&whole.instance, id)?;
    let org = whole.instance.org.clone().unwrap_or_default();
    let bytes = Bytes::from(serde_json::to_vec_pretty(document).map_err(Fault::internal)?);
    let mut upload = storage.0.blobs.write(&org, &path).await?;
    upload.push(&bytes).await?;
    let (size, _) = upload.finish().await?;
    let now = Date::now();
    let author = author(claims)?;
    let element = DataElement {
        id: document.id.clone(),
        instance_guid: at.guid.to_string(),
        data_type: request.signature_document_data_type.clone(),
        content_type: Some("application/json".to_owned()),
        filename: Some(format!("{}.json", request.signature_document_data_type)),
        blob_storage_path: Some(path.clone()),
        size,
        is_read: !owns(claims, &whole.instance),
        references: request.generated_from_task.as_deref().map(|task| vec![Reference::task(task)]),
        created: Some(now),
        created_by: Some(author.clone()),
        last_changed: Some(now),
        last_changed_by: Some(author.clone()),
        ..DataElement::default()
    };
    let kept = storage
        .change(at, |work| {
            work.whole.elements.push(element.clone());
            seen(work, now, &author);
            happened(work, "Created", &element, claims);
            let mut event = InstanceEvent::new("Signed", &work.whole.instance, None, claims);
            event.additional_info = info(&document.signee_info);
            work.events.push(event);
            Ok(())
        })
        .await;
    if let Err(fault) = kept {
        let _ = storage.0.blobs.remove(&org, &path).await;
        return Err(fault);
    }
    Ok(())
}

fn info(signee: &Signee) -> Option<String> {
    serde_json::to_string(signee).ok()
}
