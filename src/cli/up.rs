//! `up`: asks the agent to bring everything up, shows how it goes, and tells what to open.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::Context;
use super::args::Up;
use super::progress::{Outcome, Show};
use super::style::span;
use crate::build;
use crate::config::settings::Settings;
use crate::engine::{UpOptions, UpRequest};
use crate::model::{Code, Exit, Report};

pub(super) async fn run(context: &Context<'_>, up: Up) -> Result<ExitCode, Report> {
    let project = look(context, up.embedded)?;
    let client = context.client();
    let options = UpOptions {
        plan: up.plan,
        no_watch: up.no_watch,
        no_overlay: up.no_overlay,
        port: up.port,
        offline: context.global.offline,
        profiles: up.profiles,
        embedded: up.embedded,
        app_port: up.app_port,
    };
    let request = UpRequest { dir: project.project.clone(), options };
    let accepted = client.ask(&context.dirs, "up", &request).await?;
    let mut events = client.follow(accepted.since);
    let mut show = Show::new(context.printer, Some(&project.project));
    let outcome = tokio::select! {
        ended = tokio::time::timeout(up.wait_timeout, show.follow(&mut events, accepted.run)) => {
            ended.map_err(|_| late(up.wait_timeout))??
        }
        _ = tokio::signal::ctrl_c() => {
            context.printer.note("the agent goes on; `altinn-local status` tells how far it is");
            return Ok(Exit::Interrupted.into());
        }
    };
    // Whoever read our output has gone.
    let Some(outcome) = outcome else { return Ok(ExitCode::SUCCESS) };
    if up.plan {
        tell_plan(context, show.plan());
        return Ok(ExitCode::SUCCESS);
    }
    tell(context, &outcome, up.embedded, up.no_watch);
    if up.attach {
        tokio::select! {
            ended = show.follow(&mut events, None) => drop(ended?),
            _ = tokio::signal::ctrl_c() => context.printer.note("the agent goes on watching"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Faults of the folder are told at once, before any agent is started.
/// The platform's services alone need no app.
fn look(context: &Context<'_>, embedded: bool) -> Result<Settings, Report> {
    let settings = context.settings()?;
    let apps = if embedded { &settings.apps } else { settings.require_apps()? };
    for app in apps {
        build::find_app(&app.root)?;
    }
    Ok(settings)
}

fn tell_plan(context: &Context<'_>, steps: &[String]) {
    let printer = context.printer;
    if printer.is_json() {
        return printer.json(&json!({
            "schema": "altinn-local/plan/1", "changes": steps.len(), "steps": steps,
        }));
    }
    match steps.len() {
        0 => printer.line("nothing to change: 0 steps"),
        1 => printer.line("1 step:"),
        count => printer.line(format!("{count} steps:")),
    }
    for step in steps {
        printer.line(format!("  {step}"));
    }
}

fn tell(context: &Context<'_>, outcome: &Outcome, embedded: bool, no_watch: bool) {
    let printer = context.printer;
    if printer.is_json() {
        return printer.json(outcome);
    }
    let calls = match outcome.changing_calls {
        1 => "1 changing call".to_owned(),
        count => format!("{count} changing calls"),
    };
    printer.line(format!("Ready in {}   ({calls})", span(outcome.ms)));
    printer.line("");
    outcome.link_lines().iter().for_each(|line| printer.line(line));
    let (live, next) = match (embedded, no_watch) {
        (true, _) => ("Run the app: dotnet run --project App", "open · logs -f · status · down"),
        (false, false) => ("Each save goes live.", "open · logs -f · watch · status · down"),
        (false, true) => {
            ("No save goes live by itself.", "deploy · open · logs -f · status · down")
        }
    };
    printer.note(format!("{live}   Next: altinn-local {next}"));
}

fn late(patience: Duration) -> Report {
    let title =
        format!("not ready within {}", span(u64::try_from(patience.as_millis()).unwrap_or(0)));
    Report::new(Code::TimedOut, title)
        .why("the agent goes on")
        .fix("altinn-local status", "tells how far it is")
        .fix("altinn-local up --wait-timeout 30m", "waits longer")
}
