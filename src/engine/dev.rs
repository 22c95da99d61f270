//! The dev servers that run beside a stack: widgets, and Altinn's own app frontend, from their source.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::desire::{Desire, Projects};
use super::workshop::Site;
use crate::events::{EventKind, Journal};
use crate::model::{Pages, Report, Resource, ResourceKind, ResourceState, Route, Stack, Target};
use crate::widgets::{DevServer, DevState, Frontend, Source, Switchboard, Toolchain, module_path};

/// How long a run waits for servers that are on their way; they go on afterwards.
const PATIENCE: Duration = Duration::from_mins(2);

/// A dev server that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dev {
    pub(super) source: Source,
    /// The port in the router behind which it is reached.
    relay: u16,
    /// What to open.
    urls: Vec<String>,
}

/// Adds to a stack what leads to its dev servers.
pub(super) fn add(stack: &mut Stack, projects: &Projects) -> Vec<Dev> {
    let mut all = Vec::new();
    for (source, relay) in projects.sources.iter().zip(Pages::SERVERS..) {
        let mut urls = Vec::new();
        let none = || Pages { overlay: false, reload: false, scripts: Vec::new(), frontend: None };
        let pages = stack.pages.get_or_insert_with(none);
        match source {
            Source::Widget(app, widget) => {
                let host = stack.domain.apps_host(&app.org);
                let script = (app.clone(), module_path(app));
                if !pages.scripts.contains(&script) {
                    pages.scripts.push(script);
                }
                if widget.root.join("story.html").is_file() {
                    let path = format!("{}story.html", source.prefix());
                    urls.push(format!("http://{host}:{}{path}", stack.ports.router));
                }
                let (hosts, prefix) = (vec![host], Some(source.prefix()));
                stack.routes.push(Route { hosts, prefix, cut: false, to: Target::Relay(relay) });
            }
            Source::Frontend(_) => pages.frontend = Some(relay),
        }
        all.push(Dev { source: source.clone(), relay, urls });
    }
    all
}

/// What the projects want served from its source, in order of the servers' ids.
pub(super) fn sources(
    widgets: Vec<Source>,
    frontends: impl IntoIterator<Item = Frontend>,
) -> Vec<Source> {
    // One frontend serves the pages of all apps: the first that is named.
    let frontend = frontends.into_iter().next().map(Source::Frontend);
    let named = widgets.into_iter().chain(frontend).map(|source| (source.id(), source));
    named.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// A server that runs, or was given up.
#[derive(Debug)]
struct Running {
    dev: Dev,
    state: watch::Receiver<DevState>,
    /// Ends it.
    _stop: DropGuard,
}

/// The dev servers of a stack that is up.
#[derive(Debug, Default)]
pub(super) struct DevServers {
    running: BTreeMap<String, Running>,
    /// Where connections of the router find them.
    pub(super) switchboard: Switchboard,
}

impl DevServers {
    /// Adapts to what is wanted: the work to do until it is ended. What runs already and is wanted as it is runs on;
    /// what was given up is started again.
    pub(super) fn follow(
        &mut self,
        site: &Site,
        desire: &Desire,
    ) -> Vec<impl Future<Output = ()> + use<>> {
        let wanted = |running: &Running| desire.dev.contains(&running.dev);
        let unwanted = |(id, running): (&String, &Running)| (!wanted(running)).then(|| id.clone());
        for id in self.running.iter().filter_map(unwanted).collect::<Vec<_>>() {
            self.end(&id, &site.journal);
        }
        let given_up = |running: &Running| running.state.borrow().state == ResourceState::Failed;
        self.running.retain(|_, running| !given_up(running));
        let missing = desire.dev.iter().filter(|dev| !self.running.contains_key(&dev.source.id()));
        let mut begun = Vec::new();
        for dev in missing.cloned().collect::<Vec<_>>() {
            let (sender, state) = watch::channel(DevState::new(ResourceState::Pending));
            let stop = CancellationToken::new();
            begun.push(attend(site.clone(), dev.clone(), sender, stop.clone()));
            let running = Running { state, _stop: stop.drop_guard(), dev };
            self.running.insert(running.dev.source.id(), running);
        }
        self.switchboard.connect(
            self.running.values().map(|running| {
                (running.dev.relay, running.dev.source.clone(), running.state.clone())
            }),
        );
        begun
    }

    fn end(&mut self, id: &str, journal: &Journal) {
        if self.running.remove(id).is_some() {
            journal.emit(EventKind::Gone { id: id.to_owned() });
        }
    }

    /// Ends all of them.
    pub(super) fn close(&mut self, journal: &Journal) {
        for id in self.running.keys().cloned().collect::<Vec<_>>() {
            self.end(&id, journal);
        }
        self.switchboard.connect([]);
    }

    /// Waits until each serves or cannot, but not for ever.
    pub(super) fn settled(&self) -> impl Future<Output = ()> + use<> {
        let states: Vec<_> = self.running.values().map(|running| running.state.clone()).collect();
        async move {
            let all = async {
                for mut state in states {
                    // One whose server has ended is settled, too.
                    let _ = state.wait_for(DevState::is_settled).await;
                }
            };
            let _ = tokio::time::timeout(PATIENCE, all).await;
        }
    }
}

/// Runs one server and tells each of its states, until it is ended.
async fn attend(site: Site, dev: Dev, sender: watch::Sender<DevState>, stop: CancellationToken) {
    let mut states = sender.subscribe();
    let running = async {
        match server(&site, &dev) {
            Ok(server) => server.run(sender).await,
            Err(report) => {
                sender.send_replace(DevState::faulty(ResourceState::Failed, report.clone()));
                site.journal.emit(EventKind::Notice { report: Box::new(report) });
            }
        }
        // Its last state stays.
        std::future::pending::<()>().await;
    };
    let telling = async {
        loop {
            tell(&site.journal, &dev, &states.borrow_and_update());
            if states.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    // What has been ended tells nothing more.
    tokio::select! { biased; () = stop.cancelled() => {}, () = running => {}, () = telling => {} }
}

fn server(site: &Site, dev: &Dev) -> Result<DevServer, Report> {
    let toolchain = Toolchain::find(&site.environment, &site.dirs.tools)?;
    DevServer::new(dev.source.clone(), toolchain, site.journal.clone())
}

fn tell(journal: &Journal, dev: &Dev, state: &DevState) {
    let resource = Resource {
        id: dev.source.id(),
        kind: ResourceKind::DevServer,
        state: state.state,
        urls: dev.urls.clone(),
        image: None,
        since: None,
        revision: None,
        synced: None,
        last_error: state.error.clone(),
    };
    journal.emit(EventKind::Resource { resource: Box::new(resource) });
}
