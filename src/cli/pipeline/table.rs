//! Runs for people: a table of many, or one with its steps.

use jiff::Timestamp;

use super::wire::{Build, Timeline};
use crate::cli::progress::between;
use crate::cli::style::{Style, span};
use crate::events::clean;

/// The first digits of a commit's number; a branch's name stays whole.
fn short(commit: &str) -> String {
    let is_number = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
    clean(if is_number { &commit[..7] } else { commit })
}

/// A state in its colour.
fn painted(style: Style, state: &str, text: &str) -> String {
    match state {
        "succeeded" => style.green(text),
        "failed" => style.red(text),
        "canceled" | "cancelling" | "partiallySucceeded" | "succeededWithIssues" => {
            style.yellow(text)
        }
        "queued" | "pending" | "skipped" => style.dim(text),
        _ => style.cyan(text),
    }
}

fn ago(moment: Option<Timestamp>, now: Timestamp) -> Option<String> {
    Some(span(between(moment?, now)))
}

/// A line for each run.
pub(super) fn runs(builds: &[Build], style: Style, now: Timestamp) -> String {
    if builds.is_empty() {
        return "No runs. `altinn-local release` queues one.".to_owned();
    }
    let heading = ["RUN", "STATE", "WHAT", "APP", "VERSION", "COMMIT", "AGO", "TOOK"];
    let mut rows = vec![heading.map(str::to_owned)];
    rows.extend(builds.iter().map(|build| {
        let missing = || "–".to_owned();
        [
            build.id.to_string(),
            build.state(),
            build.what(),
            build.app().unwrap_or_else(missing),
            build.tag().unwrap_or_else(missing),
            build.commit().map_or_else(missing, short),
            ago(build.queued(), now).unwrap_or_else(missing),
            build.took().map_or_else(missing, span),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; 8] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let lines = rows.iter().enumerate().map(|(place, row)| {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            let text = format!("{cell:width$}");
            if place > 0 && column == 1 { painted(style, cell, &text) } else { text }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        if place == 0 { style.dim(line.trim_end()) } else { line.trim_end().to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// One run with its steps and their faults.
pub(super) fn run(build: &Build, timeline: &Timeline, style: Style, now: Timestamp) -> String {
    let state = build.state();
    let mut head = format!("Run {}  {}", build.id, painted(style, &state, &state));
    if let Some(took) = build.took() {
        head = format!("{head} in {}", span(took));
    }
    if let Some(ago) = ago(build.queued(), now) {
        head = format!("{head}, queued {ago} ago");
    }
    let mut lines = vec![head, format!("  {}", build.headline())];
    if let Some(commit) = build.commit() {
        lines.push(format!("  commit {}", clean(commit)));
    }
    lines.extend(build.notes().map(|notes| format!("  notes  {notes}")));
    lines.extend(build.reasons().into_iter().map(|why| format!("  why    {why}")));
    let tasks = timeline.tasks();
    if !tasks.is_empty() {
        lines.push(String::new());
    }
    let name = |name: Option<&str>| clean(name.unwrap_or_default());
    let widest = tasks.iter().map(|task| name(task.name.as_deref()).chars().count()).max();
    let widest = widest.unwrap_or(0);
    for task in tasks {
        let state = match (task.state.as_deref(), task.result.as_deref()) {
            (Some("completed"), Some(result)) => result,
            (Some("inProgress"), _) => "running",
            (state, _) => state.unwrap_or("pending"),
        };
        let took = task.took().map_or_else(String::new, span);
        let state = painted(style, state, &format!("{:<9}", clean(state)));
        let line = format!("  {state}  {:widest$}  {took}", name(task.name.as_deref()));
        lines.push(line.trim_end().to_owned());
    }
    for issue in timeline.issues() {
        let file = issue.data["sourcepath"].as_str().map(clean);
        let part = |name: &str| match &issue.data[name] {
            serde_json::Value::Null => None,
            value => Some(clean(value.to_string().trim_matches('"'))),
        };
        let place = [file, part("linenumber"), part("columnnumber")];
        let place = place.into_iter().flatten().collect::<Vec<_>>().join(":");
        let text: Vec<String> = issue.message.lines().map(clean).collect();
        let place = if place.is_empty() { place } else { format!("{place}  ") };
        let kind = clean(&issue.kind);
        lines.push(format!("  {}  {place}{}", style.red(&kind), text.join("\n         ")));
    }
    lines.join("\n")
}
