//! The management surface: what is kept is told, forgotten, given away, taken back, made up.
//!
//! Applications and their texts come from deploys, so a reset leaves them: the app that runs goes on.

mod export;
mod import;
mod reset;
mod seed;

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Storage;
use super::metadata::Tally;
use super::model::lock::Lock;
use super::model::{DataElement, Instance, InstanceEvent};
use crate::kit::api::{Api, Endpoint};
use crate::kit::body::Json;
use crate::kit::fault::Fault;
use crate::kit::management::Manager;
use crate::kit::management::archive;
use crate::kit::management::scope::{QUERY, Scope};
use crate::kit::name::AppId;
use crate::kit::origin::Origin;
use crate::kit::query::Query;

/// The service's name in archives.
const NAME: &str = "storage";
/// Data may come and go slowly.
const LONG: Duration = Duration::from_hours(4);
/// What is taken as files to seed with, in bytes.
const SEEDS: usize = 64 * 1024 * 1024;

/// A line of an archive.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Line {
    /// An application's metadata.
    Application { id: AppId, document: Value },
    /// Texts of an application.
    Texts { id: AppId, language: String, document: Value },
    /// An instance; the bytes of its elements follow the batch.
    Instance {
        instance: Box<Instance>,
        #[serde(default)]
        elements: Vec<DataElement>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lock: Option<Lock>,
        #[serde(default)]
        events: Vec<InstanceEvent>,
    },
}

pub(super) fn endpoints(api: Api<Storage>) -> Api<Storage> {
    const DATA: &str = "/storage/local/data";
    api.add(
        Endpoint::get(DATA, "How much there is")
            .query(QUERY)
            .gives::<Tally>(200)
            .answers(&[400, 404]),
        tally,
    )
    .add(
        Endpoint::delete(DATA, "Removes instances with their files and history")
            .query(QUERY)
            .gives::<Tally>(200)
            .answers(&[400, 404])
            .time(LONG),
        forget,
    )
    .add(
        Endpoint::get("/storage/local/data/export", "All of it as an archive")
            .query(QUERY)
            .answers(&[200, 400, 404])
            .time(LONG),
        give,
    )
    .add(
        Endpoint::post("/storage/local/data/import", "Takes an archive in, all or nothing")
            .takes_kind(archive::KIND)
            .answers(&[200, 400, 404, 409])
            .time(LONG),
        take,
    )
    .add(
        Endpoint::post("/storage/local/data/seed", "Makes instances; tells of each hundred")
            .takes::<seed::Wanted>()
            .answers(&[200, 400, 404])
            .body(SEEDS)
            .time(LONG),
        make,
    )
}

async fn tally(
    State(storage): State<Storage>,
    _: Manager,
    query: Query,
) -> Result<Json<Tally>, Fault> {
    storage.0.metadata.tally(&Scope::read(&query)?).await.map(Json)
}

async fn forget(
    State(storage): State<Storage>,
    _: Manager,
    query: Query,
) -> Result<Json<Tally>, Fault> {
    storage.forget(&Scope::read(&query)?).await.map(Json)
}

async fn give(State(storage): State<Storage>, _: Manager, query: Query) -> Result<Response, Fault> {
    let scope = Scope::read(&query)?;
    // A store that is away is told before the answer begins.
    storage.0.metadata.tally(&scope).await?;
    let body = archive::body(NAME, &scope.clone(), |writer| storage.give(scope, writer));
    Ok(([(CONTENT_TYPE, archive::KIND)], body).into_response())
}

async fn take(
    State(storage): State<Storage>,
    _: Manager,
    request: Request,
) -> Result<Json<Value>, Fault> {
    let mut bytes = request.into_body().into_data_stream();
    let taken = storage.take(&mut bytes).await;
    if taken.is_err() {
        archive::drain(&mut bytes).await;
    }
    taken.map(Json)
}

async fn make(
    State(storage): State<Storage>,
    _: Manager,
    origin: Origin,
    Json(wanted): Json<seed::Wanted>,
) -> Result<Response, Fault> {
    let plan = storage.plan(wanted, origin).await?;
    let body: Body = storage.make(plan);
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}
