//! The commands against a wire that is acted on a real socket.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::cli::args::{Global, Release};
use crate::cli::client::Client;
use crate::cli::printer::Printer;
use crate::cli::release;
use crate::config::dirs::Dirs;
use crate::config::env::Environment;
use crate::engine::Snapshot;
use crate::model::{Exit, StackName};
use crate::server::serve;
use crate::sys::ipc;
use follow::Written;

/// What was asked, and the runs there are.
#[derive(Debug, Default)]
struct Act {
    asked: Vec<(String, Value)>,
    runs: Vec<Value>,
    /// How often run 1 was looked at: it works two times, then it is done.
    looks: usize,
}

type Shared = Arc<Mutex<Act>>;

fn a_run(id: usize, definition: u32, parameters: &Value, result: Option<&str>) -> Value {
    let status = if result.is_some() { "completed" } else { "notStarted" };
    json!({
        "id": id, "buildNumber": id.to_string(), "status": status, "result": result,
        "queueTime": "2026-01-01T12:00:00Z", "startTime": "2026-01-01T12:00:01.5Z",
        "finishTime": result.map(|_| "2026-01-01T12:00:43.5Z"),
        "definition": {"id": definition, "name": "x"}, "parameters": parameters.to_string(),
        "sourceVersion": "0123456789abcdef0123456789abcdef01234567",
    })
}

fn unknown(id: usize) -> Response {
    let told = json!({"$id": "1", "message": format!("The requested build {id} could not be found."),
        "typeKey": "BuildNotFoundException", "errorCode": 0, "eventId": 3000});
    (StatusCode::NOT_FOUND, Json(told)).into_response()
}

async fn builds(
    State(act): State<Shared>,
    Query(query): Query<Vec<(String, String)>>,
    method: Method,
    request: Request,
) -> Response {
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut act = act.lock().unwrap();
    act.asked.push((format!("{method} {query:?}"), body.clone()));
    if method == Method::GET {
        let runs: Vec<_> = act.runs.iter().rev().cloned().collect();
        return Json(json!({"count": runs.len(), "value": runs})).into_response();
    }
    let mut parameters: Value = serde_json::from_str(body["parameters"].as_str().unwrap()).unwrap();
    if parameters["APP_COMMIT_ID"] == "nowhere" {
        let told = json!({"message": "APP_COMMIT_ID: there is no `nowhere`", "typeKey": "X"});
        return (StatusCode::BAD_REQUEST, Json(told)).into_response();
    }
    if parameters.get("TAGNAME").is_none() && body["definition"]["id"] == 683 {
        parameters["TAGNAME"] = json!("1.3.0");
    }
    let definition = u32::try_from(body["definition"]["id"].as_u64().unwrap()).unwrap();
    let run = a_run(act.runs.len() + 1, definition, &parameters, Some("succeeded"));
    act.runs.push(run.clone());
    Json(run).into_response()
}

async fn build(
    State(act): State<Shared>,
    Path(id): Path<usize>,
    method: Method,
    request: Request,
) -> Response {
    let uri = request.uri().clone();
    let mut act = act.lock().unwrap();
    act.asked.push((format!("{method} {uri}"), Value::Null));
    act.looks += 1;
    let looks = act.looks;
    let place = id.wrapping_sub(1);
    let Some(run) = act.runs.get_mut(place) else { return unknown(id) };
    match method {
        Method::DELETE => return StatusCode::NO_CONTENT.into_response(),
        Method::PATCH if uri.query() == Some("retry=true") => {
            let mut again = run.clone();
            again["id"] = json!(act.runs.len() + 1);
            act.runs.push(again.clone());
            return Json(again).into_response();
        }
        Method::PATCH => run["status"] = json!("cancelling"),
        _ if looks >= 3 && run["status"] == "cancelling" => {
            run["status"] = json!("completed");
            run["result"] = json!("canceled");
        }
        _ if looks >= 3 && run["status"] == "notStarted" => {
            run["status"] = json!("completed");
            run["result"] = json!("failed");
        }
        _ => {}
    }
    Json(run.clone()).into_response()
}

async fn timeline(State(act): State<Shared>, Path(id): Path<usize>) -> Response {
    let act = act.lock().unwrap();
    let Some(run) = act.runs.get(id - 1) else { return unknown(id) };
    let is_done = run["status"] == "completed";
    let state = if is_done { "completed" } else { "inProgress" };
    let issues = json!([{"type": "error", "message": "; expected",
        "data": {"sourcepath": "App/A.cs", "linenumber": "3", "columnnumber": "7", "code": "CS1002"}}]);
    let result = run["result"].clone();
    let issues = if result == "failed" { issues } else { json!([]) };
    Json(json!({"id": "t", "records": [
        {"type": "Job", "name": "Job", "log": {"id": 9}},
        {"type": "Task", "name": "Build image", "order": 2, "state": state, "result": result,
            "startTime": "2026-01-01T12:00:03Z", "log": {"id": 2}, "issues": issues},
        {"type": "Task", "name": "Clone", "order": 1, "state": "completed", "result": "succeeded",
            "startTime": "2026-01-01T12:00:01Z", "finishTime": "2026-01-01T12:00:03Z",
            "log": {"id": 1}},
    ]}))
    .into_response()
}

async fn log(
    State(act): State<Shared>,
    Path((_, log)): Path<(usize, usize)>,
    Query(query): Query<Vec<(String, String)>>,
) -> Json<Value> {
    let start: usize =
        query.iter().find(|(name, _)| name == "startLine").unwrap().1.parse().unwrap();
    // The build writes one line more with each look.
    let written = if log == 1 { 2 } else { act.lock().unwrap().looks };
    let lines: Vec<String> =
        (start..=written).map(|line| format!("log {log} line {line}")).collect();
    Json(json!({"count": lines.len(), "value": lines}))
}

struct Stage {
    act: Shared,
    dirs: Dirs,
    stack: StackName,
    printer: Printer,
    closing: CancellationToken,
    folder: tempfile::TempDir,
}

fn stage(runs: Vec<Value>) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let below = |name: &str| folder.path().join(name);
    let dirs = Dirs {
        state: below("state"),
        cache: below("cache"),
        runtime: below("run"),
        tools: below("tools"),
        data: below("data"),
    };
    let stack: StackName = "default".parse().unwrap();
    let act = Shared::default();
    act.lock().unwrap().runs = runs;
    let state = Snapshot::stopped(stack.clone());
    let app = Router::new()
        .route("/api/v1/state", get(|| async move { Json(state) }))
        .route("/_apis/build/builds", any(builds))
        .route("/_apis/build/builds/{id}", any(build))
        .route("/_apis/build/builds/{id}/timeline", get(timeline))
        .route("/_apis/build/builds/{id}/logs/{log}", get(log))
        .with_state(Arc::clone(&act));
    let listener = ipc::Listener::bind(&ipc::Endpoint::new(&dirs.runtime, &stack)).unwrap();
    let closing = CancellationToken::new();
    tokio::spawn(serve(listener, app, closing.clone()));
    let global = Global { quiet: true, ..Global::default() };
    let printer = Printer::new(&global, &Environment::default(), false);
    Stage { act, dirs, stack, printer, closing, folder }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

impl Stage {
    fn context(&self) -> Context<'_> {
        Context {
            dirs: self.dirs.clone(),
            stack: self.stack.clone(),
            directory: PathBuf::from(self.folder.path()),
            environment: Environment::default(),
            global: Global::default(),
            printer: &self.printer,
        }
    }

    async fn wire(&self) -> Wire {
        Wire::of(Client::new(&self.dirs, &self.stack, String::new())).await.unwrap()
    }

    async fn run(&self, line: &str) -> Result<(), Report> {
        use clap::Parser as _;
        let words = std::iter::once("altinn-local").chain(line.split(' '));
        let args = crate::cli::args::Args::try_parse_from(words).unwrap();
        match args.command {
            Some(crate::cli::args::Command::Pipeline(wanted)) => {
                super::run(&self.context(), wanted).await.map(drop)
            }
            Some(crate::cli::args::Command::Release(wanted)) => {
                release::run(&self.context(), wanted).await.map(drop)
            }
            other => panic!("{other:?}"),
        }
    }

    /// What was queued: definition and parameters.
    fn queued(&self) -> Vec<(u64, Value)> {
        let act = self.act.lock().unwrap();
        let bodies = act.asked.iter().filter(|(what, _)| what.starts_with("POST"));
        bodies
            .map(|(_, body)| {
                let parameters = serde_json::from_str(body["parameters"].as_str().unwrap());
                (body["definition"]["id"].as_u64().unwrap(), parameters.unwrap())
            })
            .collect()
    }

    fn asked(&self) -> Vec<String> {
        self.act.lock().unwrap().asked.iter().map(|(what, _)| what.clone()).collect()
    }
}

fn own(tag: &str) -> Value {
    json!({"APP_OWNER": "ttd", "APP_REPO": "a", "TAGNAME": tag})
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_queued_with_what_was_said() {
    let stage = stage(vec![
        a_run(1, 683, &own("1.0.0"), Some("succeeded")),
        a_run(2, 683, &own("1.1.0"), Some("succeeded")),
        a_run(
            3,
            683,
            &json!({"APP_OWNER": "ttd", "APP_REPO": "b", "TAGNAME": "9.0.0"}),
            Some("succeeded"),
        ),
    ]);
    for line in [
        "pipeline run build ttd/a --commit main --tag 1.2.0 --set should_deploy=true",
        "pipeline run deploy ttd/a",
        "pipeline run deploy ttd/a --tag 1.0.0 --env at22",
        "pipeline run undeploy ttd/a",
        "pipeline run quality ttd/a",
    ] {
        stage.run(line).await.unwrap();
    }
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let expected = [
        (
            683,
            json!({"APP_OWNER": "ttd", "APP_REPO": "a", "APP_COMMIT_ID": "main",
            "TAGNAME": "1.2.0", "should_deploy": "true"}),
        ),
        (
            618,
            json!({"APP_OWNER": "ttd", "APP_REPO": "a", "APP_COMMIT_ID": commit,
            "TAGNAME": "1.2.0", "APP_ENVIRONMENT": "local"}),
        ),
        (
            618,
            json!({"APP_OWNER": "ttd", "APP_REPO": "a", "APP_COMMIT_ID": commit,
            "TAGNAME": "1.0.0", "APP_ENVIRONMENT": "at22"}),
        ),
        (
            618,
            json!({"APP_OWNER": "ttd", "APP_REPO": "a", "APP_ENVIRONMENT": "local",
            "PUSH_APPS_OCI_IMAGE": "false"}),
        ),
        (700, json!({"APP_OWNER": "ttd", "APP_REPO": "a"})),
    ];
    assert_eq!(stage.queued(), expected);
    let refused = stage.run("pipeline run build ttd/a --commit nowhere").await.unwrap_err();
    assert_eq!(refused.code, Code::RunRefused);
    assert_eq!(refused.labels[0].1, "APP_COMMIT_ID: there is no `nowhere`");
    let never = stage.run("pipeline run deploy ttd/c").await.unwrap_err();
    assert_eq!(never.fixes[0].command, "altinn-local release ttd/c --deploy local");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_built_and_then_deployed() {
    let stage = stage(Vec::new());
    stage.run("release ttd/a --commit main --deploy local").await.unwrap();
    let queued = stage.queued();
    assert_eq!(
        queued[0],
        (683, json!({"APP_OWNER": "ttd", "APP_REPO": "a", "APP_COMMIT_ID": "main"}))
    );
    assert_eq!((queued[1].0, queued[1].1["TAGNAME"].as_str()), (618, Some("1.3.0")));
    assert_eq!(queued[1].1["APP_ENVIRONMENT"], "local");
    let wanted = Release {
        app: None,
        version: None,
        commit: None,
        notes: None,
        deploy: None,
        follow: false,
    };
    let homeless = release::run(&stage.context(), wanted).await.unwrap_err();
    assert_eq!(homeless.code, Code::NotAnApp);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_read_once_and_a_failure_is_the_commands_failure() {
    let stage = stage(vec![a_run(1, 683, &own("1.0.0"), None)]);
    let wire = stage.wire().await;
    let mut reader = Reader::new(&wire, 1);
    let mut read = Vec::new();
    for _ in 0..3 {
        wire.build(1).await.unwrap();
        read.extend(reader.new_lines().await.unwrap());
    }
    read.extend(reader.new_lines().await.unwrap());
    let text: Vec<String> =
        read.into_iter().map(|Written { step, line }| format!("{step}: {line}")).collect();
    assert_eq!(
        text,
        [
            "Clone: log 1 line 1",
            "Clone: log 1 line 2",
            "Build image: log 2 line 1",
            "Build image: log 2 line 2",
            "Build image: log 2 line 3",
        ]
    );
    let failed = stage.run("pipeline logs 1 -f").await.unwrap_err();
    assert_eq!((failed.code, failed.exit()), (Code::RunBuildFailed, Exit::Build));
    assert_eq!(failed.title, "run 1 failed: build ttd/a 1.0.0");
    assert_eq!(failed.diagnostics[0].file, "App/A.cs");
    stage.run("pipeline logs 1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_cancelled_queued_again_and_deleted() {
    let stage = stage(vec![
        a_run(1, 618, &own("1.0.0"), None),
        a_run(2, 683, &own("1.0.0"), Some("succeeded")),
    ]);
    let works = stage.run("pipeline rm 1").await.unwrap_err();
    assert_eq!((works.code, works.exit()), (Code::RunWorks, Exit::Conflict));
    stage.run("pipeline cancel 2").await.unwrap();
    assert!(!stage.asked().iter().any(|asked| asked.starts_with("PATCH")), "it has ended");
    stage.act.lock().unwrap().looks = 0;
    stage.run("pipeline rm 1 --force").await.unwrap();
    let asked = stage.asked();
    let patched = asked.iter().position(|asked| asked.starts_with("PATCH")).unwrap();
    let deleted = asked.iter().position(|asked| asked.starts_with("DELETE")).unwrap();
    assert!(patched < deleted);
    stage.run("pipeline rerun 2").await.unwrap();
    assert_eq!(stage.act.lock().unwrap().runs.len(), 3);
    let cancelled = stage.run("pipeline rerun 1 -f").await.unwrap_err();
    assert_eq!(
        (cancelled.code, cancelled.title.as_str()),
        (Code::Cancelled, "run 4 was cancelled")
    );
    let unknown = stage.run("pipeline show 99").await.unwrap_err();
    assert_eq!((unknown.code, unknown.exit()), (Code::RunUnknown, Exit::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_on_the_wire() {
    let stage = stage(Vec::new());
    stage.run("pipeline list --status failed").await.unwrap();
    stage.run("pipeline list --all --status running").await.unwrap();
    assert_eq!(
        stage.asked(),
        [
            r#"GET [("statusFilter", "completed"), ("resultFilter", "failed"), ("$top", "20")]"#,
            r#"GET [("statusFilter", "inProgress")]"#,
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_shown_to_people() {
    let mut waiting = a_run(
        2,
        618,
        &json!({"APP_OWNER": "ttd", "APP_REPO": "a",
        "TAGNAME": "1.0.0", "APP_ENVIRONMENT": "local"}),
        None,
    );
    waiting["sourceVersion"] = Value::Null;
    waiting["startTime"] = Value::Null;
    let stage = stage(vec![a_run(1, 683, &own("1.0.0"), Some("failed")), waiting]);
    let wire = stage.wire().await;
    let (_, builds) = wire.builds("").await.unwrap();
    let now = "2026-01-01T12:05:00Z".parse().unwrap();
    let style = crate::cli::style::Style::plain();
    let (_, steps) = wire.timeline(1).await.unwrap();
    let list = table::runs(&builds, style, now);
    let one = table::run(&builds[1], &steps, style, now);
    insta::assert_snapshot!(format!("{list}\n\n{one}"));
}
