//! `down`: takes everything of the stack away; data stays unless asked otherwise.

use std::process::ExitCode;

use super::Context;
use super::progress::Show;
use crate::engine::{self, DownRequest};
use crate::model::Report;

pub(super) async fn run(context: &Context<'_>, volumes: bool) -> Result<ExitCode, Report> {
    if volumes {
        let listed = ["databases", "git repositories", "images in the local registries"];
        let mut listed = listed.map(str::to_owned).to_vec();
        if engine::embedded_data(&context.dirs, &context.stack).is_dir() {
            listed.push("documents, files and keys of the services inside the agent".to_owned());
        }
        context.confirm("`down --volumes` deletes this data of the stack for good:", &listed)?;
    }
    let client = context.client();
    // What is left of a stack is found by its labels, so an agent that knows nothing of it can take it away.
    let accepted = client.ask(&context.dirs, "down", &DownRequest { volumes }).await?;
    let mut events = client.follow(accepted.since);
    let mut show = Show::new(context.printer, None);
    let Some(outcome) = show.follow(&mut events, accepted.run).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    if context.printer.is_json() {
        context.printer.json(&outcome);
    } else {
        let left = outcome.links.iter().map(|(what, count)| format!("{count} {what}"));
        context.printer.line(format!("Left: {}", left.collect::<Vec<_>>().join(", ")));
    }
    Ok(ExitCode::SUCCESS)
}
