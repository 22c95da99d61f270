//! Texts of apps (`platform-api.md` §1.6).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::applications::{demand_designer, named};
use crate::kit::body::Json;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::token::Bearer;
use crate::storage::Storage;
use crate::storage::access::no_app;

pub(super) async fn get(
    State(storage): State<Storage>,
    Bearer(_): Bearer,
    Path((org, app, language)): Path<(String, String, String)>,
) -> Result<Json<Value>, Fault> {
    demand_language(&language)?;
    let id = named((&org, &app))?;
    storage.0.metadata.texts(&id, &language).await?.map(Json).ok_or_else(Fault::not_found)
}

pub(super) async fn post(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    Path((org, app)): Path<(String, String)>,
    Json(given): Json<Map<String, Value>>,
) -> Result<Json<Value>, Fault> {
    demand_designer(&claims)?;
    let id = named((&org, &app))?;
    let language = given.get("language").and_then(Value::as_str).unwrap_or_default().to_owned();
    keep(&storage, &id, &language, given).await
}

pub(super) async fn put(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    Path((org, app, language)): Path<(String, String, String)>,
    Json(given): Json<Map<String, Value>>,
) -> Result<Json<Value>, Fault> {
    demand_designer(&claims)?;
    let id = named((&org, &app))?;
    demand_language(&language)?;
    if given.get("language").and_then(Value::as_str) != Some(&language) {
        let text = "Language in request path does not match that of the texts";
        return Err(Fault::words(StatusCode::BAD_REQUEST, text));
    }
    if storage.0.metadata.texts(&id, &language).await?.is_none() {
        return Err(Fault::not_found());
    }
    keep(&storage, &id, &language, given).await
}

pub(super) async fn delete(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    Path((org, app, language)): Path<(String, String, String)>,
) -> Result<StatusCode, Fault> {
    demand_designer(&claims)?;
    let id = named((&org, &app))?;
    demand_language(&language)?;
    let there = storage.0.metadata.drop_texts(&id, &language).await?;
    if there { Ok(StatusCode::OK) } else { Err(Fault::not_found()) }
}

async fn keep(
    storage: &Storage,
    id: &AppId,
    language: &str,
    mut texts: Map<String, Value>,
) -> Result<Json<Value>, Fault> {
    demand_language(language)?;
    if storage.0.metadata.application(id).await?.is_none() {
        return Err(no_app(id));
    }
    texts.insert("id".to_owned(), json!(format!("{}-{}-{language}", id.org(), id.app())));
    texts.insert("org".to_owned(), json!(id.org()));
    let texts = Value::Object(texts);
    storage.0.metadata.put_texts(id, language, &texts).await?;
    Ok(Json(texts))
}

fn demand_language(language: &str) -> Result<(), Fault> {
    if language.len() == 2 && language.chars().all(|c| c.is_ascii_alphabetic()) {
        return Ok(());
    }
    let text = "Language must be a two letter ISO name.";
    Err(Fault::words(StatusCode::BAD_REQUEST, text))
}
