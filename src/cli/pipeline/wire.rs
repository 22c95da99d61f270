//! The build API of Azure DevOps as the agent serves it on its socket (`azure-devops-wire.md`). The agent has no other
//! API for runs.

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::cli::client::Client;
use crate::cli::progress::between;
use crate::events::clean;
use crate::model::{Code, Definition, Report};

/// The parameter that keeps what is new in a release. The pipeline hands it on and does nothing with it.
pub(in crate::cli) const NOTES: &str = "RELEASE_NOTES";

/// A run. What was not told is none.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Build {
    /// As it came.
    pub(in crate::cli) wire: Value,
    pub(in crate::cli) id: i64,
    parameters: Map<String, Value>,
}

impl Build {
    fn read(wire: Value) -> Option<Self> {
        let id = wire["id"].as_i64()?;
        let parameters = wire["parameters"].as_str().unwrap_or_default();
        let parameters = serde_json::from_str(parameters).unwrap_or_default();
        Some(Self { wire, id, parameters })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.wire[name].as_str().filter(|text| !text.is_empty())
    }

    /// A parameter, when it has a value.
    pub(in crate::cli) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    pub(in crate::cli) fn definition(&self) -> Option<Definition> {
        let id = self.wire["definition"]["id"].as_u64()?;
        Definition::try_from(u32::try_from(id).ok()?).ok()
    }

    pub(in crate::cli) fn is_completed(&self) -> bool {
        self.text("status") == Some("completed")
    }

    pub(in crate::cli) fn result(&self) -> Option<&str> {
        self.text("result").filter(|_| self.is_completed())
    }

    /// The state in the words of `--status`.
    pub(in crate::cli) fn state(&self) -> String {
        match self.text("status") {
            Some("notStarted") => "queued".to_owned(),
            Some("inProgress") => "running".to_owned(),
            Some("completed") => clean(self.result().unwrap_or("completed")),
            other => clean(other.unwrap_or("unknown")),
        }
    }

    /// `build`, `deploy to local`.
    pub(in crate::cli) fn what(&self) -> String {
        let environment = self.parameter("APP_ENVIRONMENT").map(clean);
        match self.definition() {
            Some(Definition::Build) => "build".to_owned(),
            Some(Definition::Quality) => "quality".to_owned(),
            Some(Definition::GitOps) if self.parameter("TAGNAME").is_some() => {
                environment.map_or_else(|| "deploy".to_owned(), |name| format!("deploy to {name}"))
            }
            Some(Definition::GitOps | Definition::Decommission) => environment
                .map_or_else(|| "undeploy".to_owned(), |name| format!("undeploy from {name}")),
            _ => clean(self.wire["definition"]["name"].as_str().unwrap_or("run")),
        }
    }

    /// `ttd/my-app`.
    pub(in crate::cli) fn app(&self) -> Option<String> {
        let (org, app) = (self.parameter("APP_OWNER")?, self.parameter("APP_REPO"));
        Some(clean(&app.map_or_else(|| org.to_owned(), |app| format!("{org}/{app}"))))
    }

    /// The version: as it was asked for, or as the run decided it. A run that keeps nothing has its commit there.
    pub(in crate::cli) fn tag(&self) -> Option<String> {
        let decided =
            self.text("sourceBranch").and_then(|branch| branch.strip_prefix("refs/tags/"));
        let decided = decided.filter(|tag| self.text("sourceVersion") != Some(tag));
        self.parameter("TAGNAME").or(decided).map(clean)
    }

    /// What is new in a release, as it was told when it was queued.
    pub(in crate::cli) fn notes(&self) -> Option<String> {
        self.parameter(NOTES).map(clean)
    }

    /// Why it ended as it did, beside the faults of its steps.
    pub(in crate::cli) fn reasons(&self) -> Vec<String> {
        let told = self.wire["validationResults"].as_array();
        let told = told.into_iter().flatten().filter_map(|told| told["message"].as_str());
        told.map(clean).collect()
    }

    pub(in crate::cli) fn commit(&self) -> Option<&str> {
        self.text("sourceVersion").or_else(|| self.parameter("APP_COMMIT_ID"))
    }

    /// `build ttd/my-app 1.2.0`.
    pub(in crate::cli) fn headline(&self) -> String {
        let parts = [Some(self.what()), self.app(), self.tag()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn moment(&self, name: &str) -> Option<jiff::Timestamp> {
        self.text(name)?.parse().ok()
    }

    pub(in crate::cli) fn queued(&self) -> Option<jiff::Timestamp> {
        self.moment("queueTime").or_else(|| self.moment("startTime"))
    }

    /// From start to end, in milliseconds; none before the end.
    pub(in crate::cli) fn took(&self) -> Option<u64> {
        Some(between(self.moment("startTime")?, self.moment("finishTime")?))
    }
}

/// What a run does, step by step.
#[derive(Debug, Default, Deserialize)]
pub(in crate::cli) struct Timeline {
    #[serde(default)]
    records: Vec<Record>,
}

impl Timeline {
    /// The steps, in order.
    pub(in crate::cli) fn tasks(&self) -> Vec<&Record> {
        let is_task = |record: &&Record| record.kind.as_deref() == Some("Task");
        let mut tasks: Vec<&Record> = self.records.iter().filter(is_task).collect();
        tasks.sort_by_key(|record| record.order.unwrap_or(i64::MAX));
        tasks
    }

    pub(in crate::cli) fn issues(&self) -> impl Iterator<Item = &Issue> {
        self.records.iter().flat_map(|record| record.issues.iter().flatten())
    }
}

/// A step of a run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Record {
    #[serde(rename = "type")]
    kind: Option<String>,
    pub(in crate::cli) name: Option<String>,
    /// `pending`, `inProgress` or `completed`.
    pub(in crate::cli) state: Option<String>,
    pub(in crate::cli) result: Option<String>,
    start_time: Option<jiff::Timestamp>,
    finish_time: Option<jiff::Timestamp>,
    order: Option<i64>,
    pub(in crate::cli) log: Option<Log>,
    issues: Option<Vec<Issue>>,
}

impl Record {
    pub(in crate::cli) fn took(&self) -> Option<u64> {
        Some(between(self.start_time?, self.finish_time?))
    }
}

/// A log, by its number within the run.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Log {
    pub(in crate::cli) id: i64,
}

/// A fault or a warning of a step.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Issue {
    #[serde(rename = "type", default)]
    pub(in crate::cli) kind: String,
    #[serde(default)]
    pub(in crate::cli) message: String,
    /// `sourcepath`, `linenumber`, `columnnumber`, `code`: numbers come as text, too.
    #[serde(default)]
    pub(in crate::cli) data: Value,
}

#[derive(Deserialize)]
struct List<T> {
    value: Vec<T>,
}

/// The pipeline of one stack.
pub(in crate::cli) struct Wire {
    client: Client,
}

const BUILDS: &str = "/_apis/build/builds";

impl Wire {
    /// That of a stack which runs.
    pub(in crate::cli) async fn of(client: Client) -> Result<Self, Report> {
        client.running().await?;
        Ok(Self { client })
    }

    /// Runs, newest first, as they came and as read. `query` is written out.
    pub(in crate::cli) async fn builds(&self, query: &str) -> Result<(Value, Vec<Build>), Report> {
        let wire: Value = self.get(&format!("{BUILDS}?{query}")).await?;
        let all = wire["value"].as_array().cloned().unwrap_or_default();
        Ok((wire, all.into_iter().filter_map(Build::read).collect()))
    }

    /// One run.
    pub(in crate::cli) async fn build(&self, id: i64) -> Result<Build, Report> {
        self.read(self.get(&format!("{BUILDS}/{id}")).await?)
    }

    /// Queues a run.
    pub(in crate::cli) async fn queue(
        &self,
        definition: Definition,
        parameters: &Map<String, Value>,
    ) -> Result<Build, Report> {
        // The parameters are text that holds JSON, in both directions.
        let parameters = Value::Object(parameters.clone()).to_string();
        let body = json!({"definition": {"id": definition.number()}, "parameters": parameters});
        self.read(self.ask(Method::POST, BUILDS, Some(&body)).await?)
    }

    /// Ends a run; it may take a moment.
    pub(in crate::cli) async fn cancel(&self, id: i64) -> Result<Build, Report> {
        let body = json!({"status": "cancelling"});
        self.read(self.ask(Method::PATCH, &format!("{BUILDS}/{id}"), Some(&body)).await?)
    }

    /// Queues a new run with a run's parameters.
    pub(in crate::cli) async fn rerun(&self, id: i64) -> Result<Build, Report> {
        let path = format!("{BUILDS}/{id}?retry=true");
        self.read(self.ask(Method::PATCH, &path, Some(&json!({}))).await?)
    }

    /// Deletes a run that has ended.
    pub(in crate::cli) async fn delete(&self, id: i64) -> Result<(), Report> {
        self.send(Method::DELETE, &format!("{BUILDS}/{id}"), None).await.map(drop)
    }

    /// What a run does, as it came and as read. A run that waits may have none yet.
    pub(in crate::cli) async fn timeline(&self, id: i64) -> Result<(Value, Timeline), Report> {
        let wire: Value = self.get(&format!("{BUILDS}/{id}/timeline")).await?;
        let timeline = Option::<Timeline>::deserialize(&wire).map_err(|error| unread(&error))?;
        Ok((wire, timeline.unwrap_or_default()))
    }

    /// The logs of a run.
    pub(in crate::cli) async fn logs(&self, id: i64) -> Result<Vec<Log>, Report> {
        let list: List<Log> = self.get(&format!("{BUILDS}/{id}/logs")).await?;
        Ok(list.value)
    }

    /// The lines of a log from the given one on; the first is 1.
    pub(in crate::cli) async fn lines(
        &self,
        id: i64,
        log: i64,
        first: u64,
    ) -> Result<Vec<String>, Report> {
        let list: List<String> =
            self.get(&format!("{BUILDS}/{id}/logs/{log}?startLine={first}")).await?;
        Ok(list.value)
    }

    fn read(&self, wire: Value) -> Result<Build, Report> {
        Build::read(wire).ok_or_else(|| self.client.silent("the pipeline told no run"))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Report> {
        self.ask(Method::GET, path, None).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Report> {
        let answer = self.send(method, path, body).await?;
        serde_json::from_slice(&answer).map_err(|error| unread(&error))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Bytes, Report> {
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let (status, answer) = self.client.exchange(method, path, body).await?;
        if status.is_success() {
            return Ok(answer);
        }
        Err(refusal(status, &answer))
    }
}

fn unread(error: &serde_json::Error) -> Report {
    Report::new(Code::AgentVersion, "the pipeline's answer was not understood")
        .caused_by(error)
        .fix("altinn-local down", "with the program that started it")
}

/// The wire's own way to tell a fault.
fn refusal(status: StatusCode, answer: &[u8]) -> Report {
    let told: Value = serde_json::from_slice(answer).unwrap_or_default();
    let why = told["message"].as_str().map_or_else(|| status.to_string(), clean);
    let see = ("altinn-local pipeline list --all", "see the runs there are");
    match (status, told["typeKey"].as_str()) {
        (StatusCode::NOT_FOUND, Some("BuildNotFoundException")) => {
            Report::new(Code::RunUnknown, "there is no such run").why(why).fix(see.0, see.1)
        }
        // Without the wire's shape it was no pipeline that answered.
        (StatusCode::NOT_FOUND, None) => {
            Report::new(Code::AgentVersion, "the agent has no pipeline")
                .why(why)
                .fix("altinn-local down", "with the program that started it; data stays")
        }
        (status, _) if status.is_client_error() => {
            Report::new(Code::RunRefused, "the pipeline refused").why(why).fix(
                "altinn-local pipeline run --help",
                "tells what a run is given; `--set NAME=VALUE` gives any parameter",
            )
        }
        _ => own(&why)
            .unwrap_or_else(|| Report::new(Code::AgentSilent, "the pipeline broke off").why(why)),
    }
}

/// A fault of the agent's own, as `AL5001: the stack is not up: why`.
fn own(message: &str) -> Option<Report> {
    let (code, words) = message.split_once(": ")?;
    let code = Code::parse(code)?;
    let (title, why) = words.split_once(": ").unwrap_or((words, ""));
    let report = Report::new(code, title.chars().take(80).collect::<String>());
    let report = if why.is_empty() { report } else { report.why(why) };
    Some(report.fix("altinn-local status", "see how the stack is"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_told_in_words() {
        let build = |definition: i64, parameters: &Value, status: &str, result: &str| {
            Build::read(json!({
                "id": 7, "definition": {"id": definition, "name": "other"}, "status": status,
                "result": result, "parameters": parameters.to_string(),
            }))
            .unwrap()
        };
        let own = json!({"APP_OWNER": "ttd", "APP_REPO": "a"});
        let tagged = json!({"APP_OWNER": "ttd", "APP_REPO": "a", "TAGNAME": "1.2.0",
            "APP_ENVIRONMENT": "local"});
        let away = json!({"APP_OWNER": "ttd", "APP_REPO": "a", "APP_ENVIRONMENT": "local"});
        for (definition, parameters, told) in [
            (683, &tagged, "build ttd/a 1.2.0"),
            (683, &own, "build ttd/a"),
            (618, &tagged, "deploy to local ttd/a 1.2.0"),
            (618, &away, "undeploy from local ttd/a"),
            (297, &away, "undeploy from local ttd/a"),
            (700, &own, "quality ttd/a"),
            (5, &own, "other ttd/a"),
        ] {
            assert_eq!(build(definition, parameters, "notStarted", "").headline(), told);
        }
        for (status, result, state) in [
            ("notStarted", "", "queued"),
            ("inProgress", "", "running"),
            ("cancelling", "", "cancelling"),
            ("completed", "partiallySucceeded", "partiallySucceeded"),
            ("inProgress", "succeeded", "running"),
        ] {
            assert_eq!(build(683, &own, status, result).state(), state);
        }
        let decided = |tag: &str| {
            let branch = format!("refs/tags/{tag}");
            Build::read(json!({"id": 1, "sourceBranch": branch, "sourceVersion": "abc"}))
                .unwrap()
                .tag()
        };
        assert_eq!(decided("1.4.0").as_deref(), Some("1.4.0"));
        assert_eq!(decided("abc"), None, "of a commit alone");
        let bare = Build::read(json!({"id": 1})).unwrap();
        assert_eq!((bare.headline().as_str(), bare.state().as_str()), ("run", "unknown"));
    }

    #[test]
    fn refusals_keep_the_words_of_the_wire() {
        let told = |status: u16, key: Option<&str>| {
            let answer = json!({"message": "no \u{1b}[2Jtag", "typeKey": key}).to_string();
            refusal(StatusCode::from_u16(status).unwrap(), answer.as_bytes())
        };
        for (status, key, code) in [
            (400, Some("InvalidRequestException"), Code::RunRefused),
            (404, Some("BuildNotFoundException"), Code::RunUnknown),
            (404, Some("DefinitionNotFoundException"), Code::RunRefused),
            (404, None, Code::AgentVersion),
            (500, Some("X"), Code::AgentSilent),
        ] {
            let report = told(status, key);
            assert_eq!(report.code, code);
            assert_eq!(report.labels[0].1, "no tag");
        }
        let answer = br#"{"message": "AL5001: the stack is not up: it rests", "typeKey": "X"}"#;
        let report = refusal(StatusCode::SERVICE_UNAVAILABLE, answer);
        assert_eq!((report.code, report.title.as_str()), (Code::NotRunning, "the stack is not up"));
        assert_eq!(report.labels[0].1, "it rests");
    }
}
