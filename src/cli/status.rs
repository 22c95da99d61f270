//! `status`: what runs, and how well.

use std::process::ExitCode;

use jiff::Timestamp;

use super::Context;
use super::args::SHORT_HELP;
use super::progress::between;
use super::style::{Style, glyph, span};
use crate::engine::{Snapshot, StackState, state_word};
use crate::events::clean;
use crate::model::{Exit, Resource, ResourceKind, ResourceState};
use crate::stack::program;

/// Without any command: the status when the stack runs, else the short help.
pub(super) async fn or_help(context: &Context<'_>) -> Result<ExitCode, crate::model::Report> {
    if let Some(snapshot) = context.client().state().await? {
        return Ok(show(context, &snapshot, false));
    }
    context.printer.line(SHORT_HELP);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn run(
    context: &Context<'_>,
    urls: bool,
) -> Result<ExitCode, crate::model::Report> {
    let found = context.client().state().await?;
    let snapshot = found.unwrap_or_else(|| Snapshot::stopped(context.stack.clone()));
    Ok(show(context, &snapshot, urls))
}

fn show(context: &Context<'_>, snapshot: &Snapshot, urls: bool) -> ExitCode {
    let printer = context.printer;
    if printer.is_json() {
        printer.json(snapshot);
    } else if urls {
        printer.line(url_lines(snapshot).join("\n"));
    } else {
        printer.line(table(snapshot, printer.stdout(), Timestamp::now()).join("\n"));
    }
    exit(snapshot).into()
}

const fn exit(snapshot: &Snapshot) -> Exit {
    match snapshot.state {
        StackState::Healthy => Exit::Ok,
        StackState::Stopped => Exit::NotRunning,
        StackState::Starting | StackState::Degraded | StackState::Stopping => Exit::Degraded,
    }
}

fn url_lines(snapshot: &Snapshot) -> Vec<String> {
    let named = snapshot.urls.iter().map(|(name, url)| (name.as_str(), url));
    let apps = snapshot.resources.iter().filter(|resource| resource.kind == ResourceKind::App);
    let apps = apps.filter_map(|app| Some((app.id.as_str(), app.urls.first()?)));
    let rows: Vec<(&str, &String)> = named.chain(apps).collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, url)| format!("{name:width$}  {url}")).collect()
}

/// The table of `status`.
fn table(snapshot: &Snapshot, style: Style, now: Timestamp) -> Vec<String> {
    if snapshot.state == StackState::Stopped {
        return vec![format!("{} · not running   → altinn-local up", snapshot.stack)];
    }
    let rows: Vec<[String; 4]> =
        snapshot.resources.iter().map(|resource| row(resource, now)).collect();
    let width = |column: usize, heading: &str| {
        let widest = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        widest.max(heading.len())
    };
    let (first, second, third) = (width(0, "SERVICE"), width(1, "STATE"), width(2, "SINCE"));
    let heading = format!("  {:first$}  {:second$}  {:third$}  URL", "SERVICE", "STATE", "SINCE");
    let mut lines = vec![headline(snapshot, now), style.dim(&heading)];
    for ([name, state, since, last], resource) in rows.iter().zip(&snapshot.resources) {
        let state = style.state(resource.state, &format!("{state:second$}"));
        lines.push(
            format!("  {name:first$}  {state}  {since:third$}  {last}").trim_end().to_owned(),
        );
    }
    lines.push(summary(snapshot));
    lines
}

fn headline(snapshot: &Snapshot, now: Timestamp) -> String {
    let word = match snapshot.state {
        StackState::Starting => "starting",
        StackState::Stopping => "stopping",
        StackState::Stopped => "stopped",
        StackState::Healthy | StackState::Degraded => "up",
    };
    let mut parts = vec![snapshot.stack.to_string()];
    let since = snapshot.since.as_deref().and_then(|since| age(since, now));
    parts.push(since.map_or_else(|| word.to_owned(), |since| format!("{word} {since}")));
    if let Some(engine) = &snapshot.engine {
        parts.push(format!("{} {}", clean(&engine.product), clean(&engine.version)));
    }
    parts.join(" · ")
}

fn row(resource: &Resource, now: Timestamp) -> [String; 4] {
    let mut state = format!("{} {}", glyph(resource.state), state_word(resource.state));
    // A healthy app's version says more than the word.
    if let (ResourceState::Healthy, Some(revision)) = (resource.state, resource.revision) {
        let tag = resource.image.as_deref().and_then(|image| image.rsplit_once(':'));
        let tag = tag.map_or_else(String::new, |(_, tag)| format!(" {}", clean(tag)));
        state = format!("{} v{revision}{tag}", glyph(resource.state));
        let synced = match resource.synced.unwrap_or_default() {
            0 => String::new(),
            1 => " + 1 synced file".to_owned(),
            many => format!(" + {many} synced files"),
        };
        state.push_str(&synced);
    }
    let since = resource.since.as_deref().and_then(|since| age(since, now)).unwrap_or_default();
    let url = || resource.urls.first().cloned().unwrap_or_default();
    let last = match &resource.last_error {
        Some(fault) => {
            format!("{} {}   → logs {}", fault.code, clean(&fault.title), resource.id)
        }
        None if is_stand_in(resource) => format!("{}   stand-in", url()),
        None => url(),
    };
    [resource.id.clone(), state, since, last]
}

/// Whether it is our own program in the place of one of Altinn's that nobody may fetch.
fn is_stand_in(resource: &Resource) -> bool {
    let image = resource.image.as_deref().and_then(|image| image.rsplit_once(':'));
    resource.id == "studio.designer" && image.is_some_and(|(name, _)| name == program::IMAGE)
}

/// `1 degraded · 13 healthy · exit 4`: the worst first.
fn summary(snapshot: &Snapshot) -> String {
    const WORST_FIRST: [ResourceState; 9] = [
        ResourceState::Failed,
        ResourceState::Degraded,
        ResourceState::Stopped,
        ResourceState::Stopping,
        ResourceState::Pending,
        ResourceState::Pulling,
        ResourceState::Creating,
        ResourceState::Starting,
        ResourceState::Healthy,
    ];
    let counted = WORST_FIRST.iter().filter_map(|state| {
        let count = snapshot.resources.iter().filter(|found| found.state == *state).count();
        (count > 0).then(|| format!("{count} {}", state_word(*state)))
    });
    let mut parts: Vec<String> = counted.collect();
    if exit(snapshot) != Exit::Ok {
        parts.push(format!("exit {}", exit(snapshot) as u8));
    }
    parts.join(" · ")
}

/// How long ago, in its largest unit with two figures at most: `40s`, `3m`, `2h 14m`.
fn age(since: &str, now: Timestamp) -> Option<String> {
    let milliseconds = between(since.parse().ok()?, now);
    let text = match milliseconds / 1000 {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        _ => span(milliseconds),
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineProduct;
    use crate::model::{Code, Report};

    fn resource(id: &str, kind: ResourceKind, state: ResourceState, url: &str) -> Resource {
        Resource {
            id: id.to_owned(),
            kind,
            state,
            urls: vec![url.to_owned()],
            image: None,
            since: Some("2026-01-01T12:00:00Z".to_owned()),
            revision: None,
            synced: None,
            last_error: None,
        }
    }

    #[test]
    fn the_table_tells_state_age_and_place() {
        let studio = "http://studio.localhost:8800";
        let mut app = resource(
            "app.ttd.my-app",
            ResourceKind::App,
            ResourceState::Healthy,
            "http://ttd.apps.altinn.localhost:8800/ttd/my-app",
        );
        app.revision = Some(7);
        app.image = Some("ttd-my-app:8e1f0aa".to_owned());
        app.since = Some("2026-01-01T14:11:00Z".to_owned());
        let mut storage =
            resource("studio.postgres", ResourceKind::Container, ResourceState::Degraded, studio);
        storage.last_error = Some(Report::new(Code::ServiceFailed, "does not answer"));
        storage.since = Some("2026-01-01T14:13:20Z".to_owned());
        let mut designer =
            resource("studio.designer", ResourceKind::Container, ResourceState::Healthy, studio);
        designer.image = Some("altinn-local/services:0123".to_owned());
        let mut snapshot = Snapshot::stopped("default".parse().unwrap()).with_resources(vec![
            designer,
            resource("studio.gitea", ResourceKind::Container, ResourceState::Healthy, studio),
            storage,
            app,
        ]);
        snapshot.state = StackState::Degraded;
        snapshot.since = Some("2026-01-01T12:00:00Z".to_owned());
        snapshot.engine =
            Some(EngineProduct { product: "docker".to_owned(), version: "28.5".to_owned() });
        let now = "2026-01-01T14:14:00Z".parse().unwrap();
        insta::assert_snapshot!(table(&snapshot, Style::plain(), now).join("\n"), @r"
        default · up 2h 14m · docker 28.5
          SERVICE          STATE         SINCE   URL
          studio.designer  ✔ healthy     2h 14m  http://studio.localhost:8800   stand-in
          studio.gitea     ✔ healthy     2h 14m  http://studio.localhost:8800
          studio.postgres  ! degraded    40s     AL1005 does not answer   → logs studio.postgres
          app.ttd.my-app   ✔ v7 8e1f0aa  3m      http://ttd.apps.altinn.localhost:8800/ttd/my-app
        1 degraded · 3 healthy · exit 4
        ");
        assert_eq!(snapshot.counts.get("healthy"), Some(&3));
        insta::assert_snapshot!(url_lines(&snapshot).join("\n"), @"app.ttd.my-app  http://ttd.apps.altinn.localhost:8800/ttd/my-app");
    }

    #[test]
    fn exit_codes_follow_the_state() {
        let mut snapshot = Snapshot::stopped("default".parse().unwrap());
        for (state, code) in
            [(StackState::Healthy, 0), (StackState::Degraded, 4), (StackState::Stopped, 5)]
        {
            snapshot.state = state;
            assert_eq!(exit(&snapshot) as u8, code);
        }
    }
}
