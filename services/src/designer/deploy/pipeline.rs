//! The build API of Azure DevOps, as far as Designer calls it (`altinn-contracts.md` §2, `azure-devops-wire.md`).
//!
//! The real Designer makes the first two calls only; the log and the timeline are those of the official clients.

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::model::{Build, Outcome, Status};
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::peer::{Peer, Reply};

/// Definition that builds an app.
pub(super) const BUILD: i32 = 683;
/// Definition that deploys and undeploys.
pub(super) const GITOPS: i32 = 618;

/// The pipeline.
pub(in crate::designer) struct Pipeline {
    peer: Peer,
    authorization: HeaderValue,
}

/// A build on the wire. Names in any case: the mock of Altinn's repository writes some in Pascal case.
#[derive(Deserialize)]
struct Told {
    #[serde(alias = "Id")]
    id: i64,
    #[serde(alias = "Status", default)]
    status: Status,
    #[serde(alias = "Result", default)]
    result: Option<Outcome>,
    #[serde(alias = "StartTime", alias = "startTime", default)]
    start: Option<String>,
    #[serde(alias = "FinishTime", alias = "finishTime", default)]
    finish: Option<String>,
}

impl From<Told> for Build {
    fn from(told: Told) -> Self {
        let date = |text: Option<String>| text.and_then(|text| text.parse::<Date>().ok());
        Self {
            id: told.id.to_string(),
            status: told.status,
            result: told.result.unwrap_or_default(),
            started: date(told.start),
            finished: date(told.finish),
        }
    }
}

#[derive(Deserialize)]
struct List<T> {
    value: Vec<T>,
}

#[derive(Deserialize)]
struct Log {
    id: i64,
}

#[derive(Deserialize)]
struct Timeline {
    #[serde(default)]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    result: Option<String>,
    #[serde(default)]
    start_time: Option<Date>,
    #[serde(default)]
    finish_time: Option<Date>,
    #[serde(default)]
    order: Option<i64>,
}

/// A step of a build.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Step {
    name: String,
    /// `pending`, `inProgress` or `completed`.
    state: String,
    result: Option<String>,
    started: Option<Date>,
    finished: Option<Date>,
}

impl Pipeline {
    /// `base` ends with `/_apis`, with or without a project before it; `token` may be empty.
    pub(in crate::designer) fn new(base: &str, token: &str) -> Result<Self, String> {
        let value = format!("Basic {}", STANDARD.encode(format!(":{token}")));
        let mut authorization = HeaderValue::from_str(&value).map_err(|error| error.to_string())?;
        authorization.set_sensitive(true);
        Ok(Self { peer: Peer::remote(base)?, authorization })
    }

    async fn ask(&self, method: Method, path: &str, body: String) -> Result<Reply, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let reply = self.peer.ask(method, path, headers, Bytes::from(body)).await?;
        if reply.status.is_success() {
            return Ok(reply);
        }
        let told: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let words =
            told["message"].as_str().or(told["detail"].as_str()).unwrap_or("no reason given");
        if reply.status.is_client_error() {
            let detail = format!("The pipeline refused: {words}");
            let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Fault::problem(status, detail).with("code", "pipeline-refused"));
        }
        Err(Fault::unavailable("The pipeline", format!("{}: {words}", reply.status)))
    }

    /// Queues a build. Parameters without a value are left out.
    pub(super) async fn queue(
        &self,
        definition: i32,
        parameters: &[(&str, Option<&str>)],
    ) -> Result<Build, Fault> {
        let parameters: Map<String, Value> = parameters
            .iter()
            .filter_map(|(name, value)| Some(((*name).to_owned(), Value::from((*value)?))))
            .collect();
        let body = json!({
            "definition": { "id": definition },
            // A string that holds JSON, as the API has it.
            "parameters": Value::Object(parameters).to_string(),
        });
        let path = "/build/builds?api-version=5.1";
        let reply = self.ask(Method::POST, path, body.to_string()).await?;
        reply.json::<Told>().map(Build::from)
    }

    /// How a build stands; `None` when the pipeline does not know it.
    pub(super) async fn build(&self, id: &str) -> Result<Option<Build>, Fault> {
        let path = format!("/build/builds/{id}?api-version=5.1");
        match self.ask(Method::GET, &path, String::new()).await {
            Ok(reply) => reply.json::<Told>().map(Build::from).map(Some),
            Err(fault) if fault.status().is_client_error() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    pub(super) async fn cancel(&self, id: &str) -> Result<Build, Fault> {
        let path = format!("/build/builds/{id}?api-version=5.1");
        let body = json!({ "status": "cancelling" }).to_string();
        self.ask(Method::PATCH, &path, body).await?.json::<Told>().map(Build::from)
    }

    /// The lines of a build's logs, one after the other, from line `from` on (the first is 0).
    pub(super) async fn log(&self, id: &str, from: usize) -> Result<Vec<String>, Fault> {
        let path = format!("/build/builds/{id}/logs?api-version=5.1");
        let logs: List<Log> = self.ask(Method::GET, &path, String::new()).await?.json()?;
        let mut lines = Vec::new();
        for log in logs.value {
            let path = format!("/build/builds/{id}/logs/{}?api-version=5.1", log.id);
            let told: List<String> = self.ask(Method::GET, &path, String::new()).await?.json()?;
            lines.extend(told.value);
        }
        Ok(lines.into_iter().skip(from).collect())
    }

    /// What a build does, in order.
    pub(super) async fn steps(&self, id: &str) -> Result<Vec<Step>, Fault> {
        let path = format!("/build/builds/{id}/timeline?api-version=5.1");
        let reply = self.ask(Method::GET, &path, String::new()).await?;
        let mut records = reply.json::<Timeline>()?.records;
        records.retain(|record| record.kind == "Task");
        records.sort_by_key(|record| record.order);
        let step = |record: Record| Step {
            name: record.name,
            state: record.state.unwrap_or_else(|| "pending".to_owned()),
            result: record.result,
            started: record.start_time,
            finished: record.finish_time,
        };
        Ok(records.into_iter().map(step).collect())
    }
}
