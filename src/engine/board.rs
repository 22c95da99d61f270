//! The state of every resource, as a fold of the event stream. Nothing else keeps it.

use std::collections::BTreeMap;

use super::handle::{EngineProduct, Snapshot, StackState};
use crate::events::{Event, EventKind};
use crate::model::{AppId, Report, Resource, ResourceKind, ResourceState, StackName};

/// What the events so far add up to.
#[derive(Debug)]
pub(super) struct Board {
    stack: StackName,
    resources: BTreeMap<String, Resource>,
    /// The resource each running step belongs to.
    steps: BTreeMap<String, String>,
    /// Whether the run under way takes the stack down.
    down: bool,
    working: Option<StackState>,
    urls: BTreeMap<String, String>,
    state: (StackState, Option<String>),
    seq: u64,
}

impl Board {
    pub(super) fn new(stack: StackName) -> Self {
        Self {
            stack,
            resources: BTreeMap::new(),
            steps: BTreeMap::new(),
            down: false,
            working: None,
            urls: BTreeMap::new(),
            state: (StackState::Stopped, None),
            seq: 0,
        }
    }

    /// Takes one event into account.
    pub(super) fn apply(&mut self, event: Event) {
        self.seq = event.seq;
        match event.kind {
            EventKind::RunStarted { command, .. } => self.down = command == "down",
            // A run that has nothing to change changes no state either.
            EventKind::Plan { steps } if !steps.is_empty() => {
                self.working =
                    Some(if self.down { StackState::Stopping } else { StackState::Starting });
            }
            EventKind::RunFinished { links, .. } => {
                self.working = None;
                if !links.is_empty() {
                    self.urls = links.into_iter().collect();
                }
            }
            EventKind::StepStarted { step, resource } => self.begin(step, &resource, &event.time),
            EventKind::StepFinished { step, .. } => drop(self.steps.remove(&step)),
            EventKind::StepFailed { step, report } => self.fail(&step, *report, &event.time),
            EventKind::Resource { resource } => self.replace(*resource, &event.time),
            EventKind::Gone { id } => drop(self.resources.remove(&id)),
            EventKind::ShipFailed { app, report, .. } => self.note(&app, Some(*report)),
            EventKind::Shipped { app, .. } => self.note(&app, None),
            _ => {}
        }
        let now = self.working.unwrap_or_else(|| self.settled());
        if now != self.state.0 {
            self.state = (now, Some(event.time));
        }
    }

    /// A step on a resource that is not healthy shows as the resource being made.
    fn begin(&mut self, step: String, id: &str, time: &str) {
        let known = self.resources.get(id).map(|resource| resource.state);
        if let Some(kind) = kind_of(id)
            && known.is_none_or(|state| state != ResourceState::Healthy)
        {
            let mut resource = self.resources.remove(id).unwrap_or_else(|| bare(id, kind));
            resource.state = ResourceState::Creating;
            self.replace(resource, time);
        }
        self.steps.insert(step, id.to_owned());
    }

    fn fail(&mut self, step: &str, report: Report, time: &str) {
        let Some(id) = self.steps.remove(step) else { return };
        let Some(resource) = self.resources.get_mut(&id) else { return };
        // An app whose new version failed is still what it was.
        if resource.state != ResourceState::Healthy {
            resource.state = ResourceState::Failed;
            resource.since = Some(time.to_owned());
        }
        resource.last_error = Some(report);
    }

    fn replace(&mut self, mut resource: Resource, time: &str) {
        let before = self.resources.get(&resource.id);
        let same = before.filter(|before| before.state == resource.state);
        resource.since = same.and_then(|before| before.since.clone()).or(Some(time.to_owned()));
        if resource.last_error.is_none() && resource.state != ResourceState::Healthy {
            resource.last_error = before.and_then(|before| before.last_error.clone());
        }
        self.resources.insert(resource.id.clone(), resource);
    }

    fn note(&mut self, app: &AppId, error: Option<Report>) {
        if let Some(resource) = self.resources.get_mut(&app.resource()) {
            resource.last_error = error;
        }
    }

    fn settled(&self) -> StackState {
        let mut states = self.resources.values().map(|resource| resource.state);
        match self.resources.is_empty() {
            true => StackState::Stopped,
            false if states.all(|state| state == ResourceState::Healthy) => StackState::Healthy,
            false => StackState::Degraded,
        }
    }

    /// The board as `status` tells it.
    pub(super) fn snapshot(&self, engine: Option<EngineProduct>) -> Snapshot {
        let mut snapshot = Snapshot::stopped(self.stack.clone())
            .with_resources(self.resources.values().cloned().collect());
        snapshot.ok = self.state.0 == StackState::Healthy;
        snapshot.state = self.state.0;
        snapshot.since.clone_from(&self.state.1);
        snapshot.urls.clone_from(&self.urls);
        snapshot.engine = engine;
        snapshot.seq = self.seq;
        snapshot
    }
}

/// Resources that `status` lists; volumes and the network are not among them.
fn kind_of(id: &str) -> Option<ResourceKind> {
    let parts: Vec<&str> = id.split('.').collect();
    match parts.as_slice() {
        ["app", ..] => Some(ResourceKind::App),
        ["org", _, "cluster"] => Some(ResourceKind::Cluster),
        [_, "registry"] | ["org", _, "registry"] => Some(ResourceKind::Registry),
        ["studio", "postgres" | "gitea" | "designer" | "router"] => Some(ResourceKind::Container),
        _ => None,
    }
}

fn bare(id: &str, kind: ResourceKind) -> Resource {
    Resource {
        id: id.to_owned(),
        kind,
        state: ResourceState::Pending,
        urls: Vec::new(),
        image: None,
        since: None,
        revision: None,
        synced: None,
        last_error: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Journal;
    use crate::model::Code;

    fn board(events: Vec<EventKind>) -> Snapshot {
        let journal = Journal::default();
        for event in events {
            journal.emit(event);
        }
        let mut board = Board::new("default".parse().unwrap());
        for event in journal.since(0) {
            board.apply(event);
        }
        board.snapshot(None)
    }

    fn started(step: &str, resource: &str) -> EventKind {
        EventKind::StepStarted { step: step.to_owned(), resource: resource.to_owned() }
    }

    fn healthy(id: &str) -> EventKind {
        let resource = Resource { state: ResourceState::Healthy, ..bare(id, kind_of(id).unwrap()) };
        EventKind::Resource { resource: Box::new(resource) }
    }

    fn failed(step: &str) -> EventKind {
        let report = Box::new(Report::new(Code::ServiceFailed, "it ended"));
        EventKind::StepFailed { step: step.to_owned(), report }
    }

    #[test]
    fn a_failed_step_shows_on_its_resource() {
        let snapshot = board(vec![started("start gitea", "studio.gitea"), failed("start gitea")]);
        assert_eq!(snapshot.state, StackState::Degraded);
        assert_eq!(snapshot.resources[0].state, ResourceState::Failed);
        assert!(snapshot.resources[0].last_error.is_some());
    }

    #[test]
    fn an_app_whose_new_version_failed_stays_healthy() {
        let id = "app.ttd.demo";
        let snapshot =
            board(vec![healthy(id), started("build ttd/demo", id), failed("build ttd/demo")]);
        assert_eq!(snapshot.resources[0].state, ResourceState::Healthy);
        assert!(snapshot.resources[0].last_error.is_some());
        assert!(snapshot.ok);
    }

    #[test]
    fn what_is_gone_is_not_listed() {
        let id = "studio.gitea".to_owned();
        let snapshot = board(vec![healthy(&id), EventKind::Gone { id }]);
        assert_eq!(snapshot.state, StackState::Stopped);
        assert!(snapshot.resources.is_empty());
    }

    #[test]
    fn volumes_and_networks_are_no_resources() {
        assert!(board(vec![started("create network", "stack.network")]).resources.is_empty());
    }
}
