//! What is known of files (`platform-api.md` §1.5).

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};

use super::data::seen;
use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::origin::Origin;
use crate::kit::token::access::App;
use crate::kit::token::{Bearer, Claims};
use crate::storage::Storage;
use crate::storage::access::{At, author, owns, present, present_element, syncs, task_actions};
use crate::storage::model::element::{DataElement, DataElementList, FileScanStatus};

pub(super) async fn list(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
) -> Result<Json<DataElementList>, Fault> {
    let whole = storage.allowed(&claims, &["read"], &at).await?;
    let all = owns(&claims, &whole.instance) || syncs(&claims);
    let data_elements = present(whole, &origin, all).data.unwrap_or_default();
    Ok(Json(DataElementList { data_elements }))
}

pub(super) async fn put(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
    Json(given): Json<DataElement>,
) -> Result<Json<DataElement>, Fault> {
    let same = |text: &str, id: uuid::Uuid| text.parse() == Ok(id);
    if !same(&given.id, at.element) || !same(&given.instance_guid, at.guid) {
        let text = "Mismatch between path and dataElement content";
        return Err(Fault::words(StatusCode::BAD_REQUEST, text));
    }
    let whole = storage.allowed(&claims, &["write"], &at).await?;
    let author = author(&claims)?;
    let _turn = storage.0.turns.wait(at.element).await;
    let (element, _) = storage
        .change(&at, |work| {
            let now = Date::now();
            let element = work.element(at.element).ok_or_else(|| at.no_element())?;
            element.locked = given.locked;
            element.refs.clone_from(&given.refs);
            element.references.clone_from(&given.references);
            element.tags.clone_from(&given.tags);
            element.user_defined_metadata.clone_from(&given.user_defined_metadata);
            element.metadata.clone_from(&given.metadata);
            element.delete_status.clone_from(&given.delete_status);
            element.last_changed = Some(now);
            element.last_changed_by = Some(author.clone());
            let element = element.clone();
            seen(work, now, &author);
            Ok(element)
        })
        .await?;
    let id = whole.instance.id.unwrap_or_default();
    Ok(Json(present_element(element, &id, &origin)))
}

pub(super) async fn lock(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
) -> Result<Response, Fault> {
    let whole = storage.found(&at).await.map_err(hidden)?;
    let actions = task_actions(whole.instance.process.as_ref());
    storage.demand(&claims, &actions, &whole.instance).await?;
    let (was, element) = set_lock(&storage, &claims, &at, true).await?;
    let element = present_element(element, &whole.instance.id.unwrap_or_default(), &origin);
    if was {
        return Ok(Json(element).into_response());
    }
    Ok((StatusCode::CREATED, [(LOCATION, element.id.clone())], Json(element)).into_response())
}

pub(super) async fn unlock(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
) -> Result<Json<DataElement>, Fault> {
    let whole = storage.found(&at).await.map_err(hidden)?;
    storage.demand(&claims, &["write", "unlock", "reject"], &whole.instance).await?;
    let (_, element) = set_lock(&storage, &claims, &at, false).await?;
    Ok(Json(present_element(element, &whole.instance.id.unwrap_or_default(), &origin)))
}

/// These two do not tell whether an instance is there.
fn hidden(fault: Fault) -> Fault {
    if fault.status() == StatusCode::NOT_FOUND { Fault::forbidden() } else { fault }
}

async fn set_lock(
    storage: &Storage,
    claims: &Claims,
    at: &At,
    locked: bool,
) -> Result<(bool, DataElement), Fault> {
    let author = author(claims)?;
    let _turn = storage.0.turns.wait(at.element).await;
    let change = storage.change(at, |work| {
        let element = work.element(at.element).ok_or_else(|| at.no_element())?;
        let was = std::mem::replace(&mut element.locked, locked);
        if was != locked {
            element.last_changed = Some(Date::now());
            element.last_changed_by = Some(author.clone());
        }
        Ok((was, element.clone()))
    });
    change.await.map(|(answer, _)| answer)
}

pub(super) async fn scanned(
    State(storage): State<Storage>,
    App(_): App,
    at: At,
    Json(told): Json<FileScanStatus>,
) -> Result<StatusCode, Fault> {
    storage.found(&at).await?;
    storage
        .change(&at, |work| {
            let element = work.element(at.element).ok_or_else(|| at.no_element())?;
            element.file_scan_result = told.file_scan_result;
            if told.content_hash.is_some() {
                element.content_hash.clone_from(&told.content_hash);
            }
            Ok(())
        })
        .await?;
    Ok(StatusCode::OK)
}

pub(super) async fn exists(
    State(storage): State<Storage>,
    App(_): App,
    at: At,
) -> Result<Json<bool>, Fault> {
    storage.0.metadata.has_element(at.element).await.map(Json)
}
