//! `pipeline …`: runs that build and deploy, over the same wire as the clients of Azure DevOps.

mod follow;
mod table;
#[cfg(test)]
mod tests;
mod wire;

pub(super) use follow::Shown;
pub(super) use wire::{Build, NOTES, Wire};

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use follow::{Reader, Screen};

use super::Context;
use super::args::{List, Pipeline, Run, RunKind, RunState};
use crate::engine;
use crate::model::{AppId, Code, Definition, Report};

pub(super) async fn run(context: &Context<'_>, wanted: Pipeline) -> Result<ExitCode, Report> {
    let wire = Wire::of(context.client()).await?;
    match wanted {
        Pipeline::List(wanted) => list(context, &wire, &wanted).await?,
        Pipeline::Run(wanted) => {
            let app = app(context, wanted.app.clone())?;
            let (definition, parameters) = request(&wire, &app, &wanted).await?;
            let build = wire.queue(definition, &parameters).await?;
            queued(context, &wire, build, wanted.follow).await?;
        }
        Pipeline::Show { id } => show(context, &wire, id.into()).await?,
        Pipeline::Logs { id, follow } => logs(context, &wire, id.into(), follow).await?,
        Pipeline::Cancel { id } => cancel(context, &wire, id.into()).await?,
        Pipeline::Rerun { id, follow } => {
            let build = wire.rerun(id.into()).await?;
            queued(context, &wire, build, follow).await?;
        }
        Pipeline::Rm { id, force } => remove(context, &wire, id.into(), force).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The app that was named, or the one that the folder holds.
pub(super) fn app(context: &Context<'_>, named: Option<AppId>) -> Result<AppId, Report> {
    if let Some(app) = named {
        return Ok(app);
    }
    let settings = context.settings()?;
    match settings.require_apps()? {
        [app] => Ok(engine::found_app(app)?.id),
        several => {
            let here = several.iter().find(|app| context.directory.starts_with(&app.root));
            let here = here.ok_or_else(|| {
                Report::new(Code::NotAnApp, "there are several apps here")
                    .fix("ORG/APP", "name one of them, as `ttd/my-app`")
            })?;
            Ok(engine::found_app(here)?.id)
        }
    }
}

/// The wire's own document with the name of its schema in front.
fn document(schema: &str, wire: Value) -> Value {
    let mut document = Map::from_iter([("schema".to_owned(), json!(schema))]);
    if let Value::Object(fields) = wire {
        document.extend(fields);
    }
    Value::Object(document)
}

async fn list(context: &Context<'_>, wire: &Wire, wanted: &List) -> Result<(), Report> {
    let mut query = match wanted.status {
        None => String::new(),
        Some(RunState::Queued) => "statusFilter=notStarted&".to_owned(),
        Some(RunState::Running) => "statusFilter=inProgress&".to_owned(),
        Some(RunState::Cancelling) => "statusFilter=cancelling&".to_owned(),
        Some(RunState::Succeeded) => "statusFilter=completed&resultFilter=succeeded&".to_owned(),
        Some(RunState::Failed) => "statusFilter=completed&resultFilter=failed&".to_owned(),
        Some(RunState::Canceled) => "statusFilter=completed&resultFilter=canceled&".to_owned(),
    };
    if !wanted.all {
        query = format!("{query}$top={}&", wanted.top);
    }
    let (told, builds) = wire.builds(query.trim_end_matches('&')).await?;
    let printer = context.printer;
    if printer.is_json() {
        printer.json(&document("altinn-local/pipeline-list/1", told));
    } else {
        printer.line(table::runs(&builds, printer.stdout(), Timestamp::now()));
    }
    Ok(())
}

/// What a run is asked with. Access to Gitea is left out: over the socket, the agent uses the stack's own.
async fn request(
    wire: &Wire,
    app: &AppId,
    wanted: &Run,
) -> Result<(Definition, Map<String, Value>), Report> {
    let mut parameters = identity(app);
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            parameters.insert(name.to_owned(), json!(value));
        }
    };
    let environment = Some(wanted.environment.as_str());
    let definition = match wanted.kind {
        RunKind::Build | RunKind::Quality => {
            put("APP_COMMIT_ID", wanted.commit.as_deref());
            put("TAGNAME", wanted.tag.as_deref());
            if wanted.kind == RunKind::Build { Definition::Build } else { Definition::Quality }
        }
        RunKind::Deploy => {
            let built = built(wire, app, wanted.tag.as_deref()).await?;
            let commit = built.as_ref().and_then(Build::commit);
            let tag = built.as_ref().and_then(Build::tag);
            put("APP_COMMIT_ID", wanted.commit.as_deref().or(commit));
            put("TAGNAME", tag.as_deref().or(wanted.tag.as_deref()));
            put("APP_ENVIRONMENT", environment);
            Definition::GitOps
        }
        RunKind::Undeploy => {
            put("APP_ENVIRONMENT", environment);
            // As Designer says it.
            put("PUSH_APPS_OCI_IMAGE", Some("false"));
            Definition::GitOps
        }
    };
    for (name, value) in &wanted.parameters {
        put(name, Some(value));
    }
    Ok((definition, parameters))
}

/// Whose run it is.
pub(super) fn identity(app: &AppId) -> Map<String, Value> {
    let pairs = [("APP_OWNER", app.org.as_str()), ("APP_REPO", app.app.as_str())];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

/// The newest run that built an app: of this version, or of any. That none built a version which was named is left for
/// the pipeline to judge; without a name there is nothing to deploy.
async fn built(wire: &Wire, app: &AppId, tag: Option<&str>) -> Result<Option<Build>, Report> {
    let id = Definition::Build.number();
    let query = format!("definitions={id}&statusFilter=completed&resultFilter=succeeded");
    let (_, builds) = wire.builds(&query).await?;
    let of_app = |build: &Build| {
        build.app() == Some(app.to_string()) && {
            let own = build.tag();
            own.is_some() && (tag.is_none() || own.as_deref() == tag)
        }
    };
    let found = builds.into_iter().find(of_app);
    if found.is_none() && tag.is_none() {
        return Err(Report::new(Code::RunRefused, format!("no version of {app} was built"))
            .fix(format!("altinn-local release {app} --deploy local"), "build one and deploy it"));
    }
    Ok(found)
}

/// Tells that a run was queued, and waits for it when asked to.
async fn queued(
    context: &Context<'_>,
    wire: &Wire,
    build: Build,
    follow: bool,
) -> Result<(), Report> {
    let printer = context.printer;
    if follow {
        printer.note(format!("Run {}: {}", build.id, build.headline()));
        return wait(context, wire, build.id, Shown::Lines).await.map(drop);
    }
    if printer.is_json() {
        printer.json(&document("altinn-local/pipeline-run/1", build.wire));
    } else {
        let id = build.id;
        printer.line(format!("Queued run {id}: {}", build.headline()));
        printer.note(format!("Next: altinn-local pipeline logs {id} -f · pipeline show {id}"));
    }
    Ok(())
}

/// Shows a run until it ends; that it failed is a fault.
pub(super) async fn wait(
    context: &Context<'_>,
    wire: &Wire,
    id: i64,
    shown: Shown,
) -> Result<Build, Report> {
    let printer = context.printer;
    let build = follow::follow(wire, printer, id, shown).await?;
    follow::verdict(wire, &build).await?;
    if printer.is_json() {
        printer.json(&follow::result(&build));
    } else if build.is_completed() {
        let took = build
            .took()
            .map_or_else(String::new, |took| format!(" in {}", super::style::span(took)));
        printer.note(format!("Run {id} {}{took}: {}", build.state(), build.headline()));
    }
    Ok(build)
}

async fn show(context: &Context<'_>, wire: &Wire, id: i64) -> Result<(), Report> {
    let build = wire.build(id).await?;
    let (told, timeline) = wire.timeline(id).await?;
    let printer = context.printer;
    if printer.is_json() {
        let schema = "altinn-local/pipeline-show/1";
        printer.json(&json!({"schema": schema, "build": build.wire, "timeline": told}));
    } else {
        printer.line(table::run(&build, &timeline, printer.stdout(), Timestamp::now()));
    }
    Ok(())
}

async fn logs(context: &Context<'_>, wire: &Wire, id: i64, follow: bool) -> Result<(), Report> {
    if follow {
        return wait(context, wire, id, Shown::Lines).await.map(drop);
    }
    let build = wire.build(id).await?;
    let lines = Reader::new(wire, id).new_lines().await?;
    Screen::new(context.printer, id).lines(&lines);
    if context.printer.is_json() {
        context.printer.json(&follow::result(&build));
    }
    Ok(())
}

async fn cancel(context: &Context<'_>, wire: &Wire, id: i64) -> Result<(), Report> {
    let mut build = wire.build(id).await?;
    let had_ended = build.is_completed();
    if !had_ended {
        build = wire.cancel(id).await?;
    }
    if context.printer.is_json() {
        context.printer.json(&document("altinn-local/pipeline-cancel/1", build.wire));
    } else if had_ended {
        context.printer.line(format!("Run {id} has ended before: {}", build.state()));
    } else {
        context.printer.line(format!("Run {id}: {}", build.state()));
    }
    Ok(())
}

async fn remove(context: &Context<'_>, wire: &Wire, id: i64, force: bool) -> Result<(), Report> {
    let mut build = wire.build(id).await?;
    if !build.is_completed() && !force {
        return Err(Report::new(Code::RunWorks, format!("run {id} has not ended"))
            .why(format!("it is {}", build.state()))
            .fix(format!("altinn-local pipeline cancel {id}"), "end it")
            .fix(format!("altinn-local pipeline rm {id} --force"), "end it and delete it"));
    }
    if !build.is_completed() {
        wire.cancel(id).await?;
    }
    while !build.is_completed() {
        tokio::time::sleep(follow::BETWEEN).await;
        build = wire.build(id).await?;
    }
    wire.delete(id).await?;
    if context.printer.is_json() {
        context.printer.json(&json!({"schema": "altinn-local/pipeline-rm/1", "id": id}));
    } else {
        context.printer.line(format!("Deleted run {id} with its log."));
    }
    Ok(())
}
