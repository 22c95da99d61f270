//! Applications (`platform-api.md` §1.6). They are kept as posted: apps put members of their own into them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::origin::Origin;
use crate::kit::query::Query;
use crate::kit::token::{Bearer, Claims};
use crate::storage::Storage;
use crate::storage::access::no_app;
use crate::storage::model::Application;
use crate::storage::model::application::ApplicationList;

/// Who may register applications.
const DESIGNER: &str = "studio.designer";

/// Passes for Designer.
pub(super) fn demand_designer(claims: &Claims) -> Result<(), Fault> {
    if claims.app().as_deref() == Some(DESIGNER) { Ok(()) } else { Err(Fault::forbidden()) }
}

/// The app that a path names; what cannot be one is not there.
pub(super) fn named((org, app): (&str, &str)) -> Result<AppId, Fault> {
    AppId::new(org, app).map_err(|_| {
        Fault::words(
            StatusCode::NOT_FOUND,
            format!("Did not find application with appId={org}/{app}"),
        )
    })
}

pub(super) async fn all(State(storage): State<Storage>) -> Result<Json<ApplicationList>, Fault> {
    let applications = storage.0.metadata.applications(None).await?;
    Ok(Json(ApplicationList { applications }))
}

pub(super) async fn of_org(
    State(storage): State<Storage>,
    Path(org): Path<String>,
) -> Result<Json<ApplicationList>, Fault> {
    if org.trim().is_empty() || org.contains('-') {
        let text = format!("Application owner id '{org}' is not valid");
        return Err(Fault::words(StatusCode::BAD_REQUEST, text));
    }
    let applications = storage.0.metadata.applications(Some(&org)).await?;
    Ok(Json(ApplicationList { applications }))
}

pub(super) async fn get(
    State(storage): State<Storage>,
    Path((org, app)): Path<(String, String)>,
) -> Result<Json<Value>, Fault> {
    let id = named((&org, &app))?;
    storage.0.metadata.application(&id).await?.map(Json).ok_or_else(|| no_app(&id))
}

pub(super) async fn post(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    query: Query,
    Json(given): Json<Map<String, Value>>,
) -> Result<Response, Fault> {
    demand_designer(&claims)?;
    let text = query.get("appId").or_else(|| given.get("id").and_then(Value::as_str));
    let id: AppId = text
        .unwrap_or_default()
        .parse()
        .map_err(|_| Fault::words(StatusCode::BAD_REQUEST, "AppId is not valid."))?;
    let old = storage.0.metadata.application(&id).await?;
    let document = made(&id, given, old.as_ref(), &claims)?;
    storage.0.metadata.put_application(&id, &document).await?;
    let link = origin.url(&format!("/storage/api/v1/applications/{id}"));
    let mut response = (StatusCode::CREATED, Json(document)).into_response();
    if let Ok(link) = link.parse() {
        response.headers_mut().insert(LOCATION, link);
    }
    Ok(response)
}

/// What is kept of a posted application.
fn made(
    id: &AppId,
    mut given: Map<String, Value>,
    old: Option<&Value>,
    claims: &Claims,
) -> Result<Value, Fault> {
    let now = json!(Date::now());
    let author = json!(claims.author().or_else(|| claims.app()).unwrap_or_default());
    let was = |name: &str, or: &Value| {
        old.and_then(|old| old.get(name)).cloned().unwrap_or_else(|| or.clone())
    };
    given.insert("id".to_owned(), json!(id.to_string()));
    given.insert("org".to_owned(), json!(id.org()));
    given.insert("created".to_owned(), was("created", &now));
    given.insert("createdBy".to_owned(), was("createdBy", &author));
    given.insert("lastChanged".to_owned(), now.clone());
    given.insert("lastChangedBy".to_owned(), author);
    if given.get("validFrom").is_none_or(Value::is_null) {
        given.insert("validFrom".to_owned(), now);
    }
    given.retain(|_, value| !value.is_null());
    let document = Value::Object(given);
    // What Storage reads later must be readable.
    serde_json::from_value::<Application>(document.clone())
        .map_err(|error| Fault::invalid("$", error.to_string()))?;
    Ok(document)
}

pub(super) async fn put(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    Path((org, app)): Path<(String, String)>,
    Json(given): Json<Map<String, Value>>,
) -> Result<Json<Value>, Fault> {
    demand_designer(&claims)?;
    let id = named((&org, &app))?;
    let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("id") != id.to_string() || text("org") != id.org() {
        let text = "AppId in request path does not match that of the application";
        return Err(Fault::words(StatusCode::BAD_REQUEST, text));
    }
    let old = storage.0.metadata.application(&id).await?.ok_or_else(|| no_app(&id))?;
    let document = made(&id, given, Some(&old), &claims)?;
    storage.0.metadata.put_application(&id, &document).await?;
    Ok(Json(document))
}

pub(super) async fn delete(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    Path((org, app)): Path<(String, String)>,
    query: Query,
) -> Result<Response, Fault> {
    demand_designer(&claims)?;
    let id = named((&org, &app))?;
    let old = storage.0.metadata.application(&id).await?.ok_or_else(|| no_app(&id))?;
    if query.flag("hard")?.unwrap_or(false) {
        storage.0.metadata.drop_application(&id).await?;
        return Ok((StatusCode::ACCEPTED, Json(old)).into_response());
    }
    let mut given = old.as_object().cloned().unwrap_or_default();
    given.insert("validTo".to_owned(), json!(Date::now()));
    let document = made(&id, given, Some(&old), &claims)?;
    storage.0.metadata.put_application(&id, &document).await?;
    Ok((StatusCode::ACCEPTED, Json(document)).into_response())
}
