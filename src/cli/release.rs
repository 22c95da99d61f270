//! `release`: a version of an app, built from a commit in the stack's Gitea; and deployed when asked for.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Context;
use super::args::Release;
use super::pipeline::{self, Build, Shown, Wire};
use crate::model::{AppId, Code, Definition, EnvironmentName, Report};

/// How long the pipeline may take to decide the next version. A run that waits for its turn may not know it yet.
const DECIDED: Duration = Duration::from_secs(10);
const BETWEEN: Duration = Duration::from_millis(300);

pub(super) async fn run(context: &Context<'_>, wanted: Release) -> Result<ExitCode, Report> {
    let wire = Wire::of(context.client()).await?;
    let app = pipeline::app(context, wanted.app.clone())?;
    let mut parameters = pipeline::identity(&app);
    let version = wanted.version.as_ref().map(ToString::to_string);
    for (name, value) in
        [("APP_COMMIT_ID", wanted.commit), ("TAGNAME", version), (pipeline::NOTES, wanted.notes)]
    {
        if let Some(value) = value {
            parameters.insert(name.to_owned(), json!(value));
        }
    }
    let build = decided(&wire, wire.queue(Definition::Build, &parameters).await?).await?;
    let shown = if wanted.follow { Shown::Lines } else { Shown::Steps };
    if let Some(environment) = &wanted.deploy {
        context.printer.note(told(&app, &build));
        let build = pipeline::wait(context, &wire, build.id, shown).await?;
        let deployment = deploy(&wire, &app, &build, environment).await?;
        context.printer.note(format!("Run {}: {}", deployment.id, deployment.headline()));
        pipeline::wait(context, &wire, deployment.id, shown).await?;
    } else if wanted.follow {
        context.printer.note(told(&app, &build));
        pipeline::wait(context, &wire, build.id, shown).await?;
    } else if context.printer.is_json() {
        context.printer.json(&document(&app, &build));
    } else {
        context.printer.line(told(&app, &build));
        let id = build.id;
        context.printer.note(format!("Next: altinn-local pipeline logs {id} -f"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The run as soon as it knows its version; as it is when that takes too long.
async fn decided(wire: &Wire, mut build: Build) -> Result<Build, Report> {
    let began = Instant::now();
    while build.tag().is_none() && !build.is_completed() && began.elapsed() < DECIDED {
        tokio::time::sleep(BETWEEN).await;
        build = wire.build(build.id).await?;
    }
    Ok(build)
}

async fn deploy(
    wire: &Wire,
    app: &AppId,
    build: &Build,
    environment: &EnvironmentName,
) -> Result<Build, Report> {
    let tag = build.tag().ok_or_else(|| {
        Report::new(Code::RunRefused, "the pipeline told no version of what it built")
            .fix(format!("altinn-local pipeline show {}", build.id), "see the run")
    })?;
    let mut parameters = pipeline::identity(app);
    let rest = [
        ("APP_COMMIT_ID", build.commit()),
        ("TAGNAME", Some(tag.as_str())),
        ("APP_ENVIRONMENT", Some(environment.as_str())),
    ];
    for (name, value) in rest {
        parameters.extend(value.map(|value| (name.to_owned(), json!(value))));
    }
    wire.queue(Definition::GitOps, &parameters).await
}

fn told(app: &AppId, build: &Build) -> String {
    let version = build.tag().unwrap_or_else(|| "the next version".to_owned());
    format!("Release {version} of {app}: run {}", build.id)
}

fn document(app: &AppId, build: &Build) -> Value {
    json!({
        "schema": "altinn-local/release/1",
        "app": app,
        "version": build.tag(),
        "build": build.wire,
    })
}
