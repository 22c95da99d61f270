//! Shows the event stream while a command waits: as a tree, as lines, or as JSON. All three are folds of it.

mod plain;
mod tree;
mod view;

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use tokio::time::MissedTickBehavior;

pub use plain::Plain;
pub use tree::Tree;
pub(crate) use view::between;
pub use view::{Group, Stand, Step, View};

use super::args::Progress;
use super::events::Events;
use super::printer::Printer;
use super::report::Manner;
use crate::events::{Event, EventKind};
use crate::model::Report;

/// How often a tree is drawn anew.
const FRAME: Duration = Duration::from_millis(100);

/// How a run ended well; as JSON, the last line of `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Always `result`.
    #[serde(rename = "type")]
    kind: &'static str,
    ok: bool,
    /// Which run.
    pub run: u64,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// Changing calls made outside.
    pub changing_calls: u64,
    /// What to open, name and URL.
    #[serde(serialize_with = "as_map")]
    pub links: Vec<(String, String)>,
}

fn as_map<S: serde::Serializer>(
    links: &[(String, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(links.iter().map(|(name, url)| (name, url)))
}

enum Form<'a> {
    Tree(Tree, Plain<'a>),
    Plain(Plain<'a>),
    Json,
    Silent,
}

/// Shows events as they come.
pub struct Show<'a> {
    printer: &'a Printer,
    view: View,
    form: Form<'a>,
}

impl<'a> Show<'a> {
    /// In the form the printer decided. `root` is the app's folder, for source excerpts.
    #[must_use]
    pub fn new(printer: &'a Printer, root: Option<&'a Path>) -> Self {
        let manner = Manner { style: printer.stderr(), causes: printer.verbose() > 0, root };
        let plain = Plain::new(manner, TimeZone::system(), printer.verbose() > 0);
        let form = match printer.progress() {
            Progress::Tty => Form::Tree(Tree::new(Printer::canvas(), printer.stderr()), plain),
            Progress::Json => Form::Json,
            Progress::None => Form::Silent,
            Progress::Auto | Progress::Plain => Form::Plain(plain),
        };
        Self { printer, view: View::default(), form }
    }

    /// Shows events until the given run ends, and tells how; without a run, until the agent or the reader of our
    /// output is gone.
    pub async fn follow(
        &mut self,
        events: &mut Events,
        run: Option<u64>,
    ) -> Result<Option<Outcome>, Report> {
        let mut frames = tokio::time::interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            let event = {
                // Kept over frames: it counts its attempts to reach an agent that went away.
                let mut next = pin!(events.next());
                loop {
                    tokio::select! {
                        event = next.as_mut() => break event,
                        _ = frames.tick() => self.tick(Timestamp::now()),
                    }
                }
            };
            let event = match event {
                Ok(event) => event,
                Err(report) => break Err(report),
            };
            self.event(&event);
            if let Some(ended) = end_of(event, run) {
                break ended.map(Some);
            }
            if self.printer.is_closed() {
                break Ok(None);
            }
        };
        self.clear();
        ended
    }

    /// The steps that the run set out to do.
    #[must_use]
    pub fn plan(&self) -> &[String] {
        self.view.plan()
    }

    fn event(&mut self, event: &Event) {
        self.view.hear(event);
        match &mut self.form {
            // What failed or changed stays on the screen; what was done is in the tree.
            Form::Tree(tree, plain) if stays(&event.kind) => tree.above(&plain.event(event)),
            Form::Plain(plain) => {
                for line in plain.event(event) {
                    self.printer.error(line);
                }
            }
            Form::Json => self.printer.json(event),
            Form::Tree(..) | Form::Silent => {}
        }
    }

    fn tick(&mut self, now: Timestamp) {
        match &mut self.form {
            Form::Tree(tree, _) => tree.draw(&self.view, now),
            Form::Plain(plain) => {
                if let Some(line) = plain.tick(&self.view, now) {
                    self.printer.error(line);
                }
            }
            Form::Json | Form::Silent => {}
        }
    }

    /// Takes a tree off the screen.
    pub fn clear(&mut self) {
        if let Form::Tree(tree, _) = &mut self.form {
            tree.clear();
        }
    }
}

impl Drop for Show<'_> {
    // A wait that is cut short leaves no half-drawn tree.
    fn drop(&mut self) {
        self.clear();
    }
}

const fn stays(kind: &EventKind) -> bool {
    !matches!(
        kind,
        EventKind::RunStarted { .. }
            | EventKind::Plan { .. }
            | EventKind::StepFinished { .. }
            | EventKind::Resource { .. }
    )
}

fn end_of(event: Event, wanted: Option<u64>) -> Option<Result<Outcome, Report>> {
    let EventKind::RunFinished { run, ms, changing_calls, report, links } = event.kind else {
        return None;
    };
    if wanted != Some(run) {
        return None;
    }
    Some(match report {
        Some(report) => Err(*report),
        None => Ok(Outcome { kind: "result", ok: true, run, ms, changing_calls, links }),
    })
}

impl Outcome {
    /// The links as lines, names in one column: the result of `up`.
    #[must_use]
    pub fn link_lines(&self) -> Vec<String> {
        let width = self.links.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        self.links.iter().map(|(name, url)| format!("  {name:width$}  {url}")).collect()
    }
}

#[cfg(test)]
mod tests;
