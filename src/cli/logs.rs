//! `logs`: what parts, builds and apps wrote.
//!
//! Lines of containers and pods come straight from where they are written; lines of builds and deploys from the
//! agent's journal.

use std::process::ExitCode;

use futures_util::{Stream, StreamExt as _, stream};
use jiff::tz::TimeZone;
use serde_json::json;

use super::Context;
use super::client::Client;
use super::style::Style;
use crate::engine::{Line, Snapshot, output};
use crate::events::{Event, EventKind, clean};
use crate::model::{Code, Report, Resource, ResourceKind};

pub(super) async fn run(
    context: &Context<'_>,
    service: Option<&str>,
    tail: usize,
    follow: bool,
) -> Result<ExitCode, Report> {
    let client = context.client();
    let snapshot = client.running().await?;
    let wanted = choose(&snapshot, service)?;
    let site = (&context.environment, &context.dirs, &context.stack);
    let written = output(site, &wanted, tail, follow).await?;
    // What the agent did for one container is told by `status`; only its lines are asked for here.
    let in_journal = |one: &Resource| one.kind == ResourceKind::App || writes_to_journal(one.kind);
    let with_journal = service.is_none() || wanted.iter().any(in_journal);
    let told = if with_journal {
        journal(&client, &wanted, service.is_some(), tail, follow).await?.boxed()
    } else {
        stream::empty().boxed()
    };
    let mut all = stream::select(written, told);
    if follow {
        while let Some(line) = all.next().await {
            show(context, &line);
            if context.printer.is_closed() {
                break;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines: Vec<Line> = all.collect().await;
    lines.sort_by(|one, other| one.time.cmp(&other.time));
    for line in lines.iter().skip(lines.len().saturating_sub(tail)) {
        show(context, line);
    }
    Ok(ExitCode::SUCCESS)
}

/// The resources meant by `studio.gitea`, `gitea`, `ttd/my-app` or `my-app`; all of them without a name.
fn choose(snapshot: &Snapshot, name: Option<&str>) -> Result<Vec<Resource>, Report> {
    let Some(name) = name else { return Ok(snapshot.resources.clone()) };
    let dotted = name.replace('/', ".");
    let meant = |one: &&Resource| one.id == dotted || one.id.ends_with(&format!(".{dotted}"));
    let found: Vec<Resource> = snapshot.resources.iter().filter(meant).cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let ids: Vec<&str> = snapshot.resources.iter().map(|one| one.id.as_str()).collect();
    Err(Report::new(Code::NotFound, format!("there is no `{name}` in the stack"))
        .why(format!("there are: {}", ids.join(", ")))
        .fix("altinn-local status", "shows them with their states"))
}

/// Whether all that a resource writes is in the journal.
const fn writes_to_journal(kind: ResourceKind) -> bool {
    matches!(kind, ResourceKind::DevServer | ResourceKind::Service)
}

/// Lines of builds, deploys and dev servers: of the given apps and servers only, or all of them.
async fn journal(
    client: &Client,
    wanted: &[Resource],
    only: bool,
    tail: usize,
    follow: bool,
) -> Result<impl Stream<Item = Line> + Send + use<>, Report> {
    let lines = client.logs(None, tail, follow).await?;
    let servers: Vec<String> =
        wanted.iter().filter(|one| writes_to_journal(one.kind)).map(|one| one.id.clone()).collect();
    let apps: Vec<String> = wanted
        .iter()
        .filter_map(|one| Some(one.id.strip_prefix("app.")?.replacen('.', "/", 1)))
        .collect();
    let lines = stream::unfold(lines, |mut lines| async move {
        let line = lines.next().await?;
        Some((line, lines))
    });
    Ok(lines.filter_map(move |line| {
        let line = read(&line).filter(|line| {
            // A step's id ends with the app it works on: `build ttd/my-app`.
            let of_app = apps.iter().any(|app| line.source.ends_with(app));
            !only || of_app || servers.contains(&line.source)
        });
        std::future::ready(line)
    }))
}

fn read(line: &str) -> Option<Line> {
    let event: Event = serde_json::from_str(line).ok()?;
    let EventKind::Log { source, line } = event.kind else {
        return None;
    };
    Some(Line { time: event.time, source: clean(&source), text: clean(&line) })
}

fn show(context: &Context<'_>, line: &Line) {
    let printer = context.printer;
    if printer.is_json() {
        let Line { time, source, text } = line;
        return printer.json(&json!({"t": time, "type": "log", "source": source, "line": text}));
    }
    printer.line(shown(line, printer.stdout(), &TimeZone::system()));
}

/// `14:02:20 studio.gitea  the line`.
fn shown(line: &Line, style: Style, zone: &TimeZone) -> String {
    let clock = line.time.parse().map_or(String::new(), |moment| clock(moment, zone));
    format!("{} {}  {}", style.dim(&clock), style.cyan(&line.source), line.text)
}

/// `14:02:20`.
pub(super) fn clock(moment: jiff::Timestamp, zone: &TimeZone) -> String {
    let time = moment.to_zoned(zone.clone()).time();
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_with_time_and_source() {
        let line = r#"{"seq":1,"t":"2026-01-01T14:02:20.5Z","type":"log","source":"studio.gitea","line":"a\u001b[2Jb"}"#;
        let text = shown(&read(line).unwrap(), Style::plain(), &TimeZone::UTC);
        assert_eq!(text, "14:02:20 studio.gitea  ab");
    }

    #[test]
    fn short_names_are_understood() {
        let resource = |id: &str| -> Resource {
            serde_json::from_value(json!({"id": id, "kind": "container", "state": "healthy"}))
                .unwrap()
        };
        let ids = ["studio.gitea", "app.ttd.my-app", "org.ttd.registry", "platform.registry"];
        let snapshot = Snapshot::stopped("default".parse().unwrap())
            .with_resources(ids.map(resource).to_vec());
        for (name, found) in [
            (None, 4),
            (Some("gitea"), 1),
            (Some("studio.gitea"), 1),
            (Some("my-app"), 1),
            (Some("ttd/my-app"), 1),
            (Some("registry"), 2),
        ] {
            assert_eq!(choose(&snapshot, name).unwrap().len(), found, "{name:?}");
        }
        assert_eq!(choose(&snapshot, Some("app")).unwrap_err().code, Code::NotFound);
    }
}
