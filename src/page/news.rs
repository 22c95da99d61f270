//! What the events of one app mean for its open pages.

use serde::Serialize;

use super::excerpt::Line;
use crate::events::{Event, EventKind};
use crate::model::{AppId, Fix, Label, Reload, Report, Severity};

/// Findings that are shown; a page is no place for hundreds.
const SHOWN: usize = 10;

/// Something a page is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Told {
    /// New content is served.
    Reload {
        /// How a page brings it; never [`Reload::None`].
        kind: Reload,
        /// Style sheets, relative to the app's root.
        files: Vec<String>,
    },
    /// Something is being built.
    Building {},
    /// What was saved cannot be served.
    Broken(Broken),
    /// It can again.
    Mended {},
}

impl Told {
    /// The name of the message on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Reload { .. } => "reload",
            Self::Building {} => "building",
            Self::Broken(_) => "broken",
            Self::Mended {} => "mended",
        }
    }
}

/// Why what was saved cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Tells this failure from another one.
    pub number: u64,
    /// The report's code, as `AL3102`.
    pub code: String,
    /// The report's headline.
    pub title: String,
    /// The report's reasons.
    pub why: Vec<String>,
    /// The first of its errors.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more: usize,
    /// What helps.
    pub fixes: Vec<Fix>,
}

/// One error in a file of the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Relative to the app's root.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1; 0 when unknown.
    pub column: u32,
    /// As `CS0103`; may be empty.
    pub code: String,
    /// One line.
    pub message: String,
    /// The lines around it, as far as they could be read.
    pub excerpt: Vec<Line>,
}

/// The fold.
#[derive(Debug, Clone)]
pub struct News {
    app: AppId,
    /// What is deployed, by tag and revision; it means the same to the next agent.
    pub release: String,
    /// What stands in the way of what was saved last.
    pub broken: Option<Broken>,
    /// What was deployed when the run under way began.
    before: String,
}

impl News {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(app: AppId) -> Self {
        Self { app, release: String::new(), broken: None, before: String::new() }
    }

    /// Whose news it is.
    #[must_use]
    pub fn app(&self) -> &AppId {
        &self.app
    }

    /// Takes one event into account: what pages are told about it.
    pub fn apply(&mut self, event: &Event) -> Vec<Told> {
        match &event.kind {
            EventKind::Resource { resource } if resource.id == self.app.resource() => {
                let tag = resource.image.as_deref().and_then(|image| image.rsplit(':').next());
                if let (Some(tag), Some(revision)) = (tag, resource.revision) {
                    self.release = format!("{tag}@{revision}");
                }
                Vec::new()
            }
            // A run deploys, too, and tells of it only by what it leaves.
            EventKind::RunStarted { .. } => {
                self.before.clone_from(&self.release);
                Vec::new()
            }
            EventKind::RunFinished { report: None, .. } => {
                let before = std::mem::take(&mut self.before);
                let new = !before.is_empty() && before != self.release;
                reloads(if new { Reload::Page } else { Reload::None }, &[])
            }
            EventKind::StepStarted { resource, .. } if *resource == self.app.resource() => {
                vec![Told::Building {}]
            }
            EventKind::Reload { app, kind, paths } if *app == self.app => reloads(*kind, paths),
            EventKind::Shipped { app, tag, revision, .. } if *app == self.app => {
                self.release = format!("{tag}@{revision}");
                self.broken.take().map(|_| Told::Mended {}).into_iter().collect()
            }
            EventKind::ShipFailed { app, report, .. } if *app == self.app => {
                let broken = broken(event.seq, report);
                self.broken = Some(broken.clone());
                vec![Told::Broken(broken)]
            }
            _ => Vec::new(),
        }
    }
}

fn reloads(kind: Reload, paths: &[String]) -> Vec<Told> {
    match kind {
        Reload::None => Vec::new(),
        Reload::Css | Reload::Page => vec![Told::Reload { kind, files: paths.to_vec() }],
    }
}

fn broken(number: u64, report: &Report) -> Broken {
    let errors = report.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let findings: Vec<Finding> = errors
        .map(|found| Finding {
            file: found.file.clone(),
            line: found.line,
            column: found.column,
            code: found.code.clone(),
            message: found.message.clone(),
            excerpt: Vec::new(),
        })
        .collect();
    let why = report.labels.iter().filter(|(label, _)| *label == Label::Why);
    Broken {
        number,
        code: report.code.to_string(),
        title: report.title.clone(),
        why: why.map(|(_, text)| text.clone()).collect(),
        more: findings.len().saturating_sub(SHOWN),
        findings: findings.into_iter().take(SHOWN).collect(),
        fixes: report.fixes.clone(),
    }
}
