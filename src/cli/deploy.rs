//! `deploy`: builds and deploys what is on disk; with `--dry-run`, only tells the objects that would be applied.

use std::process::ExitCode;

use super::Context;
use super::args::Output;
use super::progress::Show;
use super::style::span;
use crate::config::yaml;
use crate::engine;
use crate::model::{AppId, Code, Report};

pub(super) async fn run(
    context: &Context<'_>,
    app: Option<AppId>,
    dry_run: bool,
) -> Result<ExitCode, Report> {
    if dry_run {
        return rendered(context, app).await;
    }
    let client = context.client();
    client.running().await?;
    let accepted = client.act("deploy", &serde_json::json!({ "app": app })).await?;
    let mut events = client.follow(accepted.since);
    let mut show = Show::new(context.printer, Some(&context.directory));
    let Some(outcome) = show.follow(&mut events, accepted.run).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    if context.printer.is_json() {
        context.printer.json(&outcome);
    } else {
        context.printer.line(format!("Deployed in {}", span(outcome.ms)));
        outcome.link_lines().iter().for_each(|line| context.printer.line(line));
    }
    Ok(ExitCode::SUCCESS)
}

/// The objects as Helm would install them. Needs Helm, but no engine, cluster or network.
async fn rendered(context: &Context<'_>, wanted: Option<AppId>) -> Result<ExitCode, Report> {
    let settings = context.settings()?;
    let mut shown = false;
    for folder in settings.require_apps()? {
        let app = engine::found_app(folder)?;
        if wanted.as_ref().is_some_and(|wanted| *wanted != app.id) {
            continue;
        }
        shown = true;
        let (environment, dirs) = (&context.environment, &context.dirs);
        let domain = settings.domain.unwrap_or_default();
        let (text, notices) =
            engine::render(environment, dirs, &context.stack, domain, &app).await?;
        for notice in notices {
            context.printer.note(format!("note: {}", notice.title));
        }
        show_objects(context, &text)?;
    }
    match (shown, wanted) {
        (false, Some(wanted)) => {
            Err(Report::new(Code::NotFound, format!("there is no app {wanted} here")))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn show_objects(context: &Context<'_>, text: &str) -> Result<(), Report> {
    match context.printer.output() {
        Output::Json | Output::Ndjson => {
            for document in text.split("\n---").map(|part| part.trim_start_matches("---")) {
                let value: serde_json::Value = yaml::read(Code::ChartFailed, "chart", document)?;
                if !value.is_null() {
                    context.printer.json(&value);
                }
            }
        }
        Output::Text | Output::Yaml => context.printer.line(text.trim_end()),
    }
    Ok(())
}
