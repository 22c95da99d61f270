//! A fold of the event stream: what has been done, what is under way, in which group. It reads no clock.

use jiff::Timestamp;

use crate::events::{Event, EventKind};

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Since when.
    Running(Timestamp),
    /// How long it took, in milliseconds.
    Done(u64),
    /// It failed.
    Failed,
}

/// One step of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// As `create studio.gitea`.
    pub id: String,
    /// As `studio.gitea`.
    pub resource: String,
    /// What it last told.
    pub detail: Option<String>,
    /// How it stands.
    pub stand: Stand,
}

/// Steps that are shown in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// As `Studio`, `Org ttd`, `App`.
    pub name: String,
    /// In order of their begin.
    pub steps: Vec<&'a Step>,
}

/// The run as heard so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    steps: Vec<Step>,
    plan: Vec<String>,
    in_run: bool,
}

impl View {
    /// The steps that the run set out to do.
    #[must_use]
    pub fn plan(&self) -> &[String] {
        &self.plan
    }

    /// Hears one more event.
    pub fn hear(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted { .. } => *self = Self { in_run: true, ..Self::default() },
            EventKind::Plan { steps } => self.plan.clone_from(steps),
            EventKind::StepStarted { step, resource } => {
                // A step that is done again, as a build after each save, has one line.
                self.steps.retain(|known| known.id != *step);
                self.steps.push(Step {
                    id: step.clone(),
                    resource: resource.clone(),
                    detail: None,
                    stand: Stand::Running(time(event)),
                });
            }
            EventKind::StepProgress { step, detail } => {
                self.change(step, |step| step.detail = Some(detail.clone()));
            }
            EventKind::StepFinished { step, ms } => {
                self.change(step, |step| step.stand = Stand::Done(*ms));
            }
            EventKind::StepFailed { step, .. } => {
                self.change(step, |step| step.stand = Stand::Failed);
            }
            // Between runs, as after each save, only what is under way is of interest.
            EventKind::RunFinished { .. } => self.rest(),
            EventKind::Shipped { .. } | EventKind::ShipFailed { .. } if !self.in_run => self.rest(),
            _ => {}
        }
    }

    fn rest(&mut self) {
        self.in_run = false;
        self.steps.retain(|step| matches!(step.stand, Stand::Running(_)));
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Step)) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == id) {
            change(step);
        }
    }

    /// The steps by group, groups in order of their first step.
    #[must_use]
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for step in &self.steps {
            let name = group_name(&step.resource);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.steps.push(step),
                None => groups.push(Group { name, steps: vec![step] }),
            }
        }
        groups
    }

    /// What is under way.
    pub fn running(&self) -> impl Iterator<Item = (&Step, Timestamp)> {
        self.steps.iter().filter_map(|step| match step.stand {
            Stand::Running(since) => Some((step, since)),
            _ => None,
        })
    }
}

/// When the event happened.
#[must_use]
pub fn time(event: &Event) -> Timestamp {
    event.time.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Milliseconds between two moments; 0 when the clock went back.
#[must_use]
pub fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}

fn group_name(resource: &str) -> String {
    let mut parts = resource.split('.');
    let first = parts.next().unwrap_or_default();
    match (first, parts.next()) {
        ("org", Some(org)) => format!("Org {org}"),
        ("preflight", _) => "Pre-flight".to_owned(),
        _ => {
            let mut characters = first.chars();
            let initial = characters.next().map(|c| c.to_ascii_uppercase());
            initial.into_iter().chain(characters).collect()
        }
    }
}
