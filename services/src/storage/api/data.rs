//! Files (`platform-api.md` §1.5).

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::origin::Origin;
use crate::kit::query::Query;
use crate::kit::token::{Bearer, Claims};
use crate::storage::Storage;
use crate::storage::access::{At, author, data_type, owns, present_element};
use crate::storage::blobs::Upload;
use crate::storage::metadata::{Work, guid_of};
use crate::storage::model::element::DeleteStatus;
use crate::storage::model::{
    DataElement, DataType, FileScanResult, Instance, InstanceEvent, ReadStatus, Reference,
};
use crate::storage::upload::{self, Told};

/// What stands for itself in `filename*` (RFC 8187).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) async fn post(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
    query: Query,
    request: Request,
) -> Result<Response, Fault> {
    let kind = query.get("dataType").map(str::to_owned).ok_or_else(|| {
        let text = "Missing parameter values: dataType cannot be empty";
        Fault::words(StatusCode::BAD_REQUEST, text)
    })?;
    let instance = storage.allowed(&claims, &["write"], &at).await?.instance;
    let app = storage.application(&instance).await?;
    let kind = data_type(&app, &kind)?;
    storage.demand_type(&claims, kind.action_required_to_write.as_ref(), &instance).await?;
    let id = Uuid::new_v4();
    let path = path(&instance, id)?;
    let org = instance.org.clone().unwrap_or_default();
    let upload = storage.0.blobs.write(&org, &path).await?;
    let text = "Empty stream provided. Cannot persist data.";
    let empty = Fault::words(StatusCode::BAD_REQUEST, text);
    let (told, upload) = upload::receive(request, upload, empty).await?;
    let element = DataElement {
        id: id.to_string(),
        blob_storage_path: Some(path),
        refs: refs(&query),
        references: query.get("generatedFromTask").map(|task| vec![Reference::task(task)]),
        ..DataElement::default()
    };
    let element = add(&storage, &claims, &instance, kind, element, (told, upload)).await?;
    let element = present_element(element, &name(&instance), &origin);
    let link = element.self_links.as_ref().and_then(|links| links.platform.clone());
    Ok((StatusCode::CREATED, [(LOCATION, link.unwrap_or_default())], Json(element)).into_response())
}

/// Adds an element that has an id and a place to an instance; who asks was looked at.
pub(in crate::storage) async fn add(
    storage: &Storage,
    claims: &Claims,
    instance: &Instance,
    kind: &DataType,
    element: DataElement,
    (told, upload): (Told, Upload),
) -> Result<DataElement, Fault> {
    let (size, _) = upload.finish().await?;
    let (now, author) = (Date::now(), author(claims)?);
    let guid = guid_of(instance)?;
    let mut element = DataElement {
        instance_guid: guid.to_string(),
        data_type: kind.id.clone(),
        is_read: !owns(claims, instance),
        created: Some(now),
        created_by: Some(author.clone()),
        ..element
    };
    written(&mut element, told, size, kind.enable_file_scan, now, &author);
    let at = At { party: instance.party(), guid, element: Uuid::nil() };
    let kept = storage
        .change(&at, |work| {
            work.whole.elements.push(element.clone());
            seen(work, now, &author);
            happened(work, "Created", &element, claims);
            Ok(())
        })
        .await;
    if let Err(fault) = kept {
        // Nobody knows the bytes; when they stay behind after all, they only take up room.
        let org = instance.org.clone().unwrap_or_default();
        let _ = storage.0.blobs.remove(&org, &blob(&element)?).await;
        return Err(fault);
    }
    Ok(element)
}

pub(super) async fn put(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
    query: Query,
    request: Request,
) -> Result<Json<DataElement>, Fault> {
    let whole = storage.allowed(&claims, &["write"], &at).await?;
    let (instance, id) = (whole.instance, at.element.to_string());
    let element = whole.elements.into_iter().find(|element| element.id == id);
    let element = element.ok_or_else(|| at.no_element())?;
    let app = storage.application(&instance).await?;
    let kind = data_type(&app, &element.data_type)?;
    storage.demand_type(&claims, kind.action_required_to_write.as_ref(), &instance).await?;
    free(&element)?;
    let org = instance.org.clone().unwrap_or_default();
    let upload = storage.0.blobs.write(&org, &blob(&element)?).await?;
    let text = "Could not process attached file: no bytes";
    let empty = Fault::words(StatusCode::UNPROCESSABLE_ENTITY, text);
    let (told, upload) = upload::receive(request, upload, empty).await?;
    // From here to the document's change no other writer of this element, and nobody who locks it.
    let _turn = storage.0.turns.wait(at.element).await;
    let now_there = storage.found(&at).await?.elements.into_iter().find(|other| other.id == id);
    let still_free = now_there.ok_or_else(|| at.no_element()).and_then(|element| free(&element));
    if let Err(fault) = still_free {
        upload.abandon().await;
        return Err(fault);
    }
    let (size, _) = upload.finish().await?;
    let author = author(&claims)?;
    let owner = owns(&claims, &instance);
    let (element, _) = storage
        .change(&at, |work| {
            let now = Date::now();
            let element = work.element(at.element).ok_or_else(|| at.no_element())?;
            element.refs = refs(&query).or(element.refs.take());
            if let Some(task) = query.get("generatedFromTask") {
                element.references = Some(vec![Reference::task(task)]);
            }
            element.is_read = if owner { false } else { element.is_read };
            written(element, told.clone(), size, kind.enable_file_scan, now, &author);
            let element = element.clone();
            seen(work, now, &author);
            happened(work, "Saved", &element, &claims);
            Ok(element)
        })
        .await?;
    Ok(Json(present_element(element, &name(&instance), &origin)))
}

/// Puts down what was written.
fn written(element: &mut DataElement, told: Told, size: u64, scan: bool, now: Date, author: &str) {
    element.content_type = told.content_type.or(element.content_type.take());
    element.filename = told.filename.or(element.filename.take());
    element.size = size;
    element.last_changed = Some(now);
    element.last_changed_by = Some(author.to_owned());
    element.file_scan_result = match (scan, told.infected) {
        (false, _) => FileScanResult::NotApplicable,
        (true, true) => FileScanResult::Infected,
        (true, false) => FileScanResult::Pending,
    };
}

/// The instance changed with its element; when nothing of it is read any more, it is not either.
pub(super) fn seen(work: &mut Work, now: Date, author: &str) {
    let read = work.whole.elements.iter().any(|element| element.is_read);
    let status = work.whole.instance.status();
    if status.read_status == ReadStatus::Read && !read {
        status.read_status = ReadStatus::Unread;
    }
    work.whole.instance.touch(now, author);
}

pub(super) fn happened(work: &mut Work, kind: &str, element: &DataElement, claims: &Claims) {
    work.events.push(InstanceEvent::new(kind, &work.whole.instance, Some(element), claims));
}

fn refs(query: &Query) -> Option<Vec<String>> {
    let all: Vec<String> = query.all("refs").map(str::to_owned).collect();
    (!all.is_empty()).then_some(all)
}

fn free(element: &DataElement) -> Result<(), Fault> {
    if element.locked {
        let text = format!("Data element {} is locked and cannot be updated", element.id);
        return Err(Fault::words(StatusCode::CONFLICT, text));
    }
    Ok(())
}

fn name(instance: &Instance) -> String {
    instance.id.clone().unwrap_or_default()
}

/// Name of an element's blob (`platform-api.md` §1.2).
pub(in crate::storage) fn path(instance: &Instance, element: Uuid) -> Result<String, Fault> {
    let app = crate::storage::access::app(instance)?;
    Ok(format!("{app}/{}/data/{element}", instance.guid().unwrap_or_default()))
}

/// The name that was kept.
pub(super) fn blob(element: &DataElement) -> Result<String, Fault> {
    element.blob_storage_path.clone().ok_or_else(|| Fault::internal("an element without a blob"))
}

pub(super) async fn get(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    at: At,
) -> Result<Response, Fault> {
    let mut whole = storage.allowed(&claims, &["read"], &at).await?;
    let instance = std::mem::take(&mut whole.instance);
    let (id, owner) = (at.element.to_string(), owns(&claims, &instance));
    let element = whole.elements.into_iter().find(|element| element.id == id);
    let element = element.ok_or_else(|| at.no_element())?;
    let app = storage.application(&instance).await?;
    let action = data_type(&app, &element.data_type)?.action_required_to_read.as_ref();
    storage.demand_type(&claims, action, &instance).await?;
    if element.is_deleted() && !owner {
        return Err(Fault::not_found());
    }
    let org = instance.org.clone().unwrap_or_default();
    let found = storage.0.blobs.read(&org, &blob(&element)?).await?.ok_or_else(|| {
        let text = format!("Unable to read data element from blob storage for {id}");
        Fault::words(StatusCode::NOT_FOUND, text)
    })?;
    if !element.is_read && !owner {
        let mark = |work: &mut Work| {
            if let Some(element) = work.element(at.element) {
                element.is_read = true;
            }
            Ok(())
        };
        storage.change(&at, mark).await?;
    }
    let mut response = Response::new(Body::from_stream(found.bytes));
    let headers = response.headers_mut();
    let kind = element.content_type.as_deref().and_then(|kind| HeaderValue::from_str(kind).ok());
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(found.size));
    if let Some(name) = element.filename.as_deref().and_then(disposition) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// `Content-Disposition` as ASP.NET writes it.
fn disposition(name: &str) -> Option<HeaderValue> {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii() && !c.is_control() && !matches!(c, '"' | '\\') { c } else { '_' })
        .collect();
    let token = plain.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&+-.^_`|~".contains(c));
    let plain = if token { plain } else { format!("\"{plain}\"") };
    let encoded = utf8_percent_encode(name, PLAIN);
    format!("attachment; filename={plain}; filename*=UTF-8''{encoded}").parse().ok()
}

pub(super) async fn delete(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
    query: Query,
) -> Result<Json<DataElement>, Fault> {
    let delay = query.flag("delay")?.unwrap_or(false);
    let whole = storage.allowed(&claims, &["write"], &at).await?;
    let (instance, id) = (whole.instance, at.element.to_string());
    let element = whole.elements.into_iter().find(|element| element.id == id);
    let element = element.ok_or_else(|| at.no_element())?;
    let owner = owns(&claims, &instance);
    if element.is_deleted() && !owner {
        return Err(Fault::not_found());
    }
    if element.is_deleted() && delay {
        return Ok(Json(present_element(element, &name(&instance), &origin)));
    }
    let app = storage.application(&instance).await?;
    let kind = data_type(&app, &element.data_type)?;
    storage.demand_type(&claims, kind.action_required_to_write.as_ref(), &instance).await?;
    let delayed = kind.app_logic.as_ref().is_some_and(|logic| logic.auto_delete_on_process_end);
    if delay && !delayed {
        let text = format!("DataType {} does not support delayed deletion", element.data_type);
        return Err(Fault::words(StatusCode::BAD_REQUEST, text));
    }
    let author = author(&claims)?;
    let _turn = storage.0.turns.wait(at.element).await;
    let (element, _) = storage
        .change(&at, |work| {
            let now = Date::now();
            let element = work.element(at.element).ok_or_else(|| at.no_element())?;
            element.last_changed = Some(now);
            element.last_changed_by = Some(author.clone());
            if delay {
                element.delete_status =
                    Some(DeleteStatus { is_hard_deleted: true, hard_deleted: Some(now) });
            }
            let element = element.clone();
            if !delay {
                work.whole.elements.retain(|other| other.id != element.id);
            }
            work.whole.instance.touch(now, &author);
            happened(work, "Deleted", &element, &claims);
            Ok(element)
        })
        .await?;
    if !delay {
        let org = instance.org.clone().unwrap_or_default();
        // The element is gone already; bytes that stay behind only take up room.
        let _ = storage.0.blobs.remove(&org, &blob(&element)?).await;
    }
    Ok(Json(present_element(element, &name(&instance), &origin)))
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn names_of_downloads() {
        for (name, header) in [
            ("a.pdf", "attachment; filename=a.pdf; filename*=UTF-8''a.pdf"),
            ("a b.pdf", "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf"),
            ("æ\".pdf", "attachment; filename=__.pdf; filename*=UTF-8''%C3%A6%22.pdf"),
            ("x\r\ny", "attachment; filename=x__y; filename*=UTF-8''x%0D%0Ay"),
        ] {
            assert_eq!(disposition(name).unwrap(), header);
        }
    }
}
