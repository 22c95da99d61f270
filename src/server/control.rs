//! Handlers that answer once.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Shared;
use super::problem::Problem;
use crate::engine::{DownRequest, UpRequest};
use crate::events::EventKind;
use crate::model::{AppId, Report};

/// The answer to an accepted action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The run's number; none for `stop`.
    pub run: Option<u64>,
    /// Follow events after this number to hear the whole run.
    pub since: u64,
}

/// Which program answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Always `altinn-local`.
    pub product: String,
    /// As `0.1.0`.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// The stack it serves.
    pub stack: String,
    /// [`Environment::fingerprint`](crate::config::env::Environment::fingerprint) of the one it was started with.
    #[serde(default)]
    pub environment: String,
}

/// A single-use code, or the wish to swap one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Lives for 60 seconds.
    pub code: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Session<'a> {
    token: &'a str,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DeployRequest {
    app: Option<AppId>,
}

const PAGE: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>altinn-local</title>\
<h1>altinn-local</h1><p>The agent runs. The dashboard comes later; until then, \
<code>altinn-local status</code> and <code>altinn-local logs -f</code> tell what it does.</p></html>";

pub(super) async fn page() -> Response {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    ([(header::CONTENT_TYPE, html)], PAGE).into_response()
}

pub(super) async fn health() -> &'static str {
    "ok\n"
}

pub(super) async fn version(State(shared): State<Shared>) -> Json<Version> {
    Json(Version {
        product: "altinn-local".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        stack: shared.stack.to_string(),
        environment: shared.environment.to_string(),
    })
}

pub(super) async fn state(State(shared): State<Shared>) -> Response {
    Json(&*shared.engine.snapshot()).into_response()
}

pub(super) async fn up(State(shared): State<Shared>, body: Bytes) -> Result<Response, Problem> {
    let request: UpRequest = read(&body)?;
    let before = shared.engine.journal().newest();
    accepted(&shared, before, shared.engine.up(request).await)
}

pub(super) async fn down(State(shared): State<Shared>, body: Bytes) -> Result<Response, Problem> {
    let request: DownRequest = read(&body)?;
    let before = shared.engine.journal().newest();
    accepted(&shared, before, shared.engine.down(request).await)
}

pub(super) async fn deploy(State(shared): State<Shared>, body: Bytes) -> Result<Response, Problem> {
    let request: DeployRequest = read(&body)?;
    let before = shared.engine.journal().newest();
    accepted(&shared, before, shared.engine.deploy(request.app).await)
}

pub(super) async fn stop(State(shared): State<Shared>) -> Response {
    let since = shared.engine.journal().newest();
    shared.engine.stop().await;
    (StatusCode::ACCEPTED, Json(Accepted { run: None, since })).into_response()
}

pub(super) async fn code(State(shared): State<Shared>) -> Result<Json<Code>, Problem> {
    let code = shared.codes.issue()?;
    Ok(Json(Code { code }))
}

pub(super) async fn session(
    State(shared): State<Shared>,
    body: Bytes,
) -> Result<Response, Problem> {
    let Code { code } = read(&body)?;
    if shared.codes.redeem(&code) {
        let token = shared.token.reveal();
        return Ok(Json(Session { token }).into_response());
    }
    Err(Problem::new(StatusCode::UNAUTHORIZED, "the code was used or is too old"))
}

/// An `up` may be answered with a run that began before it was asked for; then its reader starts there.
fn accepted(shared: &Shared, before: u64, run: Result<u64, Report>) -> Result<Response, Problem> {
    let run = run?;
    let began = shared.engine.journal().since(0).into_iter().find_map(|event| {
        let ours =
            matches!(event.kind, EventKind::RunStarted { run: started, .. } if started == run);
        ours.then(|| event.seq.saturating_sub(1))
    });
    let answer = Accepted { run: Some(run), since: began.unwrap_or(before) };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "the body does not fit").detail(error.to_string())
    })
}
