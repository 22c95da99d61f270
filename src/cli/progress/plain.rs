//! Progress as lines with the time, for logs, pipes and screen readers. Nothing is drawn twice.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::view::{View, between, time};
use crate::cli::report::{self, Manner};
use crate::cli::style::{glyph, span};
use crate::events::{Event, EventKind, Stage, clean};
use crate::model::{AppId, Report, ResourceState};

/// Nothing is silent for longer.
const SILENCE: Duration = Duration::from_secs(10);

/// Makes lines of events.
#[derive(Debug)]
pub struct Plain<'a> {
    manner: Manner<'a>,
    zone: TimeZone,
    verbose: bool,
    silent_since: Option<Timestamp>,
}

/// Under the word of a line with time: the time, two spaces.
const INDENT: &str = "          ";

impl<'a> Plain<'a> {
    /// Lines in this manner, with the times of this zone. With `verbose`, lines of output too.
    #[must_use]
    pub const fn new(manner: Manner<'a>, zone: TimeZone, verbose: bool) -> Self {
        Self { manner, zone, verbose, silent_since: None }
    }

    /// The lines of one event.
    pub fn event(&mut self, event: &Event) -> Vec<String> {
        let style = self.manner.style;
        let mut lines = match &event.kind {
            EventKind::RunStarted { command, .. } => vec![style.dim(&format!("{command} …"))],
            EventKind::Plan { steps } if steps.is_empty() => {
                vec![format!("{} nothing to change", style.green("✔"))]
            }
            EventKind::Plan { steps } => {
                let plural = if steps.len() == 1 { "" } else { "s" };
                vec![style.dim(&format!("{} step{plural} to do", steps.len()))]
            }
            EventKind::Blocker { report } => {
                let text = report::render(report, self.manner);
                text.lines().map(str::to_owned).collect()
            }
            EventKind::StepFinished { step, ms } => {
                vec![format!("{} {:<40} {}", style.green("✔"), step, span(*ms))]
            }
            EventKind::StepFailed { step, report } => {
                vec![format!(
                    "{} {step}  {}: {}",
                    style.red("✖"),
                    report.code,
                    clean(&report.title)
                )]
            }
            EventKind::Resource { resource } if is_news(resource.state) => {
                let state = style.state(resource.state, glyph(resource.state));
                let word = crate::engine::state_word(resource.state);
                vec![format!("{state} {:<40} {word}", resource.id)]
            }
            EventKind::Log { source, line } if self.verbose => {
                vec![style.dim(&format!("{source}  {}", clean(line)))]
            }
            EventKind::Change { paths, count, .. } => vec![change(paths, *count)],
            EventKind::Shipped { app, tag, revision, lane, reason, stages, total_ms } => {
                let way = format!("{lane} ({})", clean(reason));
                vec![style.green(&shipped(app, tag, *revision, &way, stages, *total_ms))]
            }
            EventKind::Published { app, ms } => {
                let line = format!("✔ told    {app}   the platform knows it   {}", short(*ms));
                vec![style.green(&line)]
            }
            EventKind::ShipFailed { report, serving, .. } => self.ship_failed(report, *serving),
            EventKind::Notice { report } => {
                let word = style.yellow("note");
                vec![format!("{word}  {} ({})", clean(&report.title), report.code)]
            }
            _ => Vec::new(),
        };
        if let Some(first) = lines.first_mut() {
            *first = format!("{}  {first}", self.clock(time(event)));
            self.silent_since = None;
        }
        lines
    }

    /// A line when there was none for long: what is still under way.
    pub fn tick(&mut self, view: &View, now: Timestamp) -> Option<String> {
        // An event may be told long after it happened, so silence is measured from one tick to another.
        let since = *self.silent_since.get_or_insert(now);
        if between(since, now) < SILENCE.as_millis().try_into().unwrap_or(u64::MAX) {
            return None;
        }
        self.silent_since = Some(now);
        let running: Vec<String> = view
            .running()
            .map(|(step, since)| {
                let detail = step.detail.as_deref().map(|detail| format!(", {}", clean(detail)));
                let taken = span(between(since, now));
                format!("{} ({taken}{})", step.id, detail.unwrap_or_default())
            })
            .collect();
        let what = if running.is_empty() { "waiting".to_owned() } else { running.join(" · ") };
        Some(format!("{}  … {what}", self.clock(now)))
    }

    fn ship_failed(&self, report: &Report, serving: Option<u32>) -> Vec<String> {
        let style = self.manner.style;
        let mut lines = vec![format!(
            "{}  {} {}",
            style.red("✖"),
            style.red(&format!("error[{}]", report.code)),
            style.bold(&clean(&report.title))
        )];
        let findings = report::diagnostics(report, self.manner);
        lines.extend(findings.iter().map(|line| format!("{}{line}", &INDENT[2..])));
        if findings.is_empty() {
            let tail = report.tail.iter().map(|line| format!("{INDENT}│ {}", clean(line)));
            lines.extend(tail);
        }
        let serves = match serving {
            Some(revision) => format!("still serving v{revision} · waiting for the next change"),
            None => "nothing serves yet · waiting for the next change".to_owned(),
        };
        lines.push(format!("{INDENT}{}", style.dim(&serves)));
        lines
    }

    fn clock(&self, moment: Timestamp) -> String {
        let time = moment.to_zoned(self.zone.clone()).time();
        format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
    }
}

/// States on the way are told by the steps.
const fn is_news(state: ResourceState) -> bool {
    matches!(state, ResourceState::Degraded | ResourceState::Failed)
}

fn change(paths: &[String], count: usize) -> String {
    let first = clean(paths.first().map_or("", String::as_str));
    match count {
        0 | 1 => format!("change    {first}"),
        more => format!("change    {first} (+{} files)", more - 1),
    }
}

fn shipped(
    app: &AppId,
    tag: &str,
    revision: u32,
    way: &str,
    stages: &[Stage],
    total_ms: u64,
) -> String {
    let stages: Vec<String> =
        stages.iter().map(|stage| format!("{} {}", stage.name, short(stage.ms))).collect();
    let stages = stages.join(" · ");
    format!("✔ live    {app} v{revision} {}   {way}   {stages}   {}", clean(tag), short(total_ms))
}

/// The parts of a save: most take less than a second, and there each millisecond counts.
fn short(milliseconds: u64) -> String {
    if milliseconds < 1000 { format!("{milliseconds}ms") } else { span(milliseconds) }
}
