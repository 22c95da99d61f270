//! Events of instances (`platform-api.md` §1.6).

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::origin::Origin;
use crate::kit::query::Query;
use crate::kit::token::Bearer;
use crate::storage::Storage;
use crate::storage::access::At;
use crate::storage::model::InstanceEvent;
use crate::storage::model::event::InstanceEventList;

pub(super) async fn post(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
    Json(mut event): Json<InstanceEvent>,
) -> Result<Response, Fault> {
    let named = event.instance_id.as_deref().unwrap_or_default();
    if named.rsplit('/').next().and_then(|guid| guid.parse().ok()) != Some(at.guid) {
        let text = "Missing parameter values: instance event must exist and instanceId must be set";
        return Err(Fault::words(StatusCode::BAD_REQUEST, text));
    }
    storage.allowed(&claims, &["read"], &at).await?;
    let id = Uuid::new_v4().to_string();
    event.id = Some(id.clone());
    event.created = Some(event.created.unwrap_or_else(Date::now));
    storage
        .change(&at, |work| {
            work.events.push(event.clone());
            Ok(())
        })
        .await?;
    let link = origin.url(&format!(
        "/storage/api/v1/instances/{}/events/{id}",
        event.instance_id.as_deref().unwrap_or_default()
    ));
    let link = link.parse().unwrap_or(axum::http::HeaderValue::from_static(""));
    let mut response = (StatusCode::CREATED, Json(json!(event))).into_response();
    response.headers_mut().insert(LOCATION, link);
    Ok(response)
}

pub(super) async fn list(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    at: At,
    query: Query,
) -> Result<Json<InstanceEventList>, Fault> {
    let kinds: Vec<String> = query
        .all("eventTypes")
        .flat_map(|kinds| kinds.split(','))
        .map(|kind| kind.trim().to_owned())
        .collect();
    let between = query.parsed::<Date>("from")?.zip(query.parsed::<Date>("to")?);
    storage.allowed(&claims, &["read"], &at).await?;
    let instance_events = storage.0.metadata.events(at.guid, &kinds, between).await?;
    Ok(Json(InstanceEventList { instance_events }))
}

pub(super) async fn get(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    at: At,
) -> Result<Json<InstanceEvent>, Fault> {
    storage.allowed(&claims, &["read"], &at).await?;
    let id = at.element.to_string();
    let events = storage.0.metadata.events(at.guid, &[], None).await?;
    let found = events.into_iter().find(|event| event.id.as_deref() == Some(&id));
    found.map(Json).ok_or_else(|| {
        Fault::words(StatusCode::NOT_FOUND, format!("Unable to find instance event with id {id}"))
    })
}
