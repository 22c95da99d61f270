//! The other kind of stack: the platform's services inside this process, and nothing in containers.
//!
//! There is no plan to be made of what is outside: either the services answer as wanted, or they are started. What the
//! apps of the projects bring for the platform is published at the start and at each save.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::execute::milliseconds;
use super::handle::{DownRequest, UpRequest};
use super::local::found_app;
use super::workshop::Site;
use super::{converge, ports};
use crate::cluster;
use crate::config::dirs::Dirs;
use crate::config::settings::{Overrides, Settings};
use crate::deploy::publish::{self, Platform, Publication, Readers};
use crate::events::EventKind;
use crate::model::{
    App, AppId, Code, Domain, Report, Resource, ResourceKind, ResourceState, StackName,
};
use crate::stack::PortMap;
use crate::sync::Watcher;
use crate::sys::services::{APP_PORT, Services};

/// The run's name in events, by which readers tell the kind of the stack.
pub(super) const COMMAND: &str = "up --embedded";
const STEP: &str = "start services";
const SERVICES: [(&str, &str); 3] =
    [("platform", ""), ("storage", "storage/api/v1/"), ("events", "events/api/v1/")];

/// The services that run.
#[derive(Debug)]
pub(super) struct Embedded {
    services: Services,
    stand: Stand,
}

/// What is known of them; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Stand {
    site: Site,
    port: u16,
    app_port: u16,
    /// What they were told of each app last.
    told: Arc<Mutex<BTreeMap<AppId, Publication>>>,
}

/// Where a run arrived. The services may run although the run failed.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) running: Option<Embedded>,
    /// The apps to watch.
    pub(super) apps: Vec<App>,
    /// What to open.
    pub(super) result: Result<Vec<(String, String)>, Report>,
}

/// Where the services inside an agent keep their state.
#[must_use]
pub fn embedded_data(dirs: &Dirs, stack: &StackName) -> PathBuf {
    dirs.stack(stack).join("embedded")
}

fn folder(site: &Site) -> PathBuf {
    embedded_data(&site.dirs, &site.stack)
}

/// Something that belongs to the other kind of stack was asked for.
pub(super) fn other_kind(embedded: bool) -> Report {
    let (title, why) = if embedded {
        ("the stack is up in containers", "`--embedded` is another kind of stack")
    } else {
        ("the stack is up inside the agent", "it was brought up with `--embedded`")
    };
    Report::new(Code::OtherKind, title)
        .why(why)
        .fix("altinn-local down", "ends it; its data stay for the next time")
        .fix("altinn-local up --stack other", "keeps it, and makes another one beside")
}

/// Brings the services up as the projects want them.
pub(super) async fn up(
    site: Site,
    requests: Vec<UpRequest>,
    plan_only: bool,
    running: Option<Embedded>,
) -> Arrived {
    let mut arrived = Arrived { running, apps: Vec::new(), result: Ok(Vec::new()) };
    arrived.result = arrived.bring_up(&site, &requests, plan_only).await;
    arrived
}

impl Arrived {
    async fn bring_up(
        &mut self,
        site: &Site,
        requests: &[UpRequest],
        plan_only: bool,
    ) -> Result<Vec<(String, String)>, Report> {
        if self.running.is_none() && cluster::any(&site.folder()) {
            return Err(other_kind(true));
        }
        let wanted = wanted(site, requests, self.running.as_ref())?;
        let same = |one: &Embedded| {
            !one.services.is_over()
                && (one.stand.port, one.stand.app_port) == (wanted.port, wanted.app_port)
        };
        let start = !self.running.as_ref().is_some_and(same);
        let steps = if start { vec![STEP.to_owned()] } else { Vec::new() };
        site.journal.emit(EventKind::Plan { steps });
        if plan_only {
            return Ok(Vec::new());
        }
        if start {
            if let Some(before) = self.running.take() {
                before.stop().await;
            }
            self.running = Some(started(site, &wanted).await?);
        }
        let links = links(site, &wanted);
        self.apps = wanted.apps;
        if let Some(Embedded { stand, .. }) = &self.running {
            stand.tell(None);
            for app in &self.apps {
                stand.publish(app).await?;
            }
        }
        Ok(links)
    }
}

struct Wanted {
    port: u16,
    app_port: u16,
    apps: Vec<App>,
}

fn wanted(
    site: &Site,
    requests: &[UpRequest],
    running: Option<&Embedded>,
) -> Result<Wanted, Report> {
    let (mut apps, mut in_files): (Vec<App>, _) = (Vec::new(), None);
    for request in requests {
        let overrides = Overrides { stack: Some(site.stack.clone()), ..Overrides::default() };
        let settings = Settings::resolve(&request.dir, overrides, &site.environment)?;
        for folder in &settings.apps {
            let app = found_app(folder)?;
            apps.retain(|known| known.id != app.id);
            apps.push(app);
        }
        in_files = settings.port.or(in_files);
    }
    let asked = requests.iter().rev().find_map(|request| request.options.port);
    let mine = running.map(|one| one.stand.port);
    let published: PortMap = mine.map(|port| ("router".to_owned(), port)).into_iter().collect();
    let ports = ports::settle(site, &BTreeSet::new(), published, asked.or(in_files))?;
    let port = *ports.get("router").ok_or_else(|| Report::new(Code::Bug, "there is no port"))?;
    if mine != Some(port) && !ports::is_free(port) {
        return Err(taken(port));
    }
    let app_port = requests.iter().rev().find_map(|request| request.options.app_port);
    Ok(Wanted { port, app_port: app_port.unwrap_or(APP_PORT), apps })
}

fn taken(port: u16) -> Report {
    ports::report(port, "the platform answers there", "altinn-local up --embedded --port auto")
}

async fn started(site: &Site, wanted: &Wanted) -> Result<Embedded, Report> {
    let (started, journal) = (Instant::now(), &site.journal);
    let resource = SERVICES[0].0.to_owned();
    journal.emit(EventKind::StepStarted { step: STEP.to_owned(), resource });
    site.calls.changing(STEP);
    let (data, key) = (folder(site), &site.credentials.services_key);
    match Services::start(&data, wanted.port, wanted.app_port, key).await {
        Ok(services) => {
            let ms = milliseconds(started);
            journal.emit(EventKind::StepFinished { step: STEP.to_owned(), ms });
            let (site, port, app_port) = (site.clone(), wanted.port, wanted.app_port);
            let stand = Stand { site, port, app_port, told: Arc::default() };
            Ok(Embedded { services, stand })
        }
        Err(report) => {
            let report = if report.code == Code::PortTaken { taken(wanted.port) } else { report };
            let failed = Box::new(report.clone());
            journal.emit(EventKind::StepFailed { step: STEP.to_owned(), report: failed });
            Err(report)
        }
    }
}

fn links(site: &Site, wanted: &Wanted) -> Vec<(String, String)> {
    let port = wanted.port;
    let mut links = vec![("platform".to_owned(), base(port))];
    links.extend(wanted.apps.iter().map(|app| {
        let url = format!("http://{}:{port}/{}", Domain::default().apps_host(&app.id.org), app.id);
        (app.id.to_string(), url)
    }));
    links.push(("dashboard".to_owned(), format!("http://127.0.0.1:{}/", site.agent_port)));
    links
}

fn base(port: u16) -> String {
    format!("http://platform.altinn.localhost:{port}/")
}

impl Embedded {
    /// Ends the services.
    pub(super) async fn stop(self) {
        self.services.stop().await;
    }

    /// Whether they ended by a fault of ours.
    pub(super) fn is_over(&self) -> bool {
        self.services.is_over()
    }

    pub(super) fn stand(&self) -> &Stand {
        &self.stand
    }
}

impl Stand {
    /// The services as resources, all in one state.
    pub(super) fn resources(&self, state: ResourceState) -> Vec<Resource> {
        let resource = |(id, path): (&str, &str)| Resource {
            id: id.to_owned(),
            kind: ResourceKind::Service,
            state,
            urls: vec![format!("{}{path}", base(self.port))],
            image: None,
            since: None,
            revision: None,
            synced: None,
            last_error: None,
        };
        SERVICES.map(resource).to_vec()
    }

    /// Tells that the services answer; a fault is that of the first, which knows the apps.
    fn tell(&self, fault: Option<&Report>) {
        let mut resources = self.resources(ResourceState::Healthy);
        if let (Some(fault), Some(first)) = (fault, resources.first_mut()) {
            first.state = ResourceState::Degraded;
            first.last_error = Some(fault.clone());
        }
        for resource in resources {
            self.site.journal.emit(EventKind::Resource { resource: Box::new(resource) });
        }
    }

    /// Tells the platform what an app brings, unless that is what it was told last. Whether it was told.
    async fn publish(&self, app: &App) -> Result<bool, Report> {
        let mut told = self.told.lock().await;
        let root = app.root.clone();
        let read = tokio::task::spawn_blocking(move || Publication::read(&root)).await;
        let publication = read
            .map_err(|error| Report::bug("the app's files could not be read", &error))
            .and_then(|read| read);
        let sent = match publication {
            Ok(new) if told.get(&app.id) == Some(&new) => return Ok(false),
            Ok(new) => {
                let (http, key) = (&self.site.http, &self.site.credentials.services_key);
                self.site.calls.changing("publish");
                let host = Domain::default().platform_host();
                let readers = Readers { storage: true, authorization: true };
                let platform = Platform { http, host, port: self.port, key, readers };
                let sent = new.send(platform, &app.id).await;
                told.insert(app.id.clone(), new);
                sent
            }
            Err(report) => Err(report),
        };
        self.tell(sent.as_ref().err());
        if sent.is_err() {
            // What was refused, or half of it taken, is told anew.
            told.remove(&app.id);
        }
        sent.map(|()| true)
    }

    /// Publishes what is saved, until `stop`.
    pub(super) async fn follow(self, app: App, stop: CancellationToken) {
        let journal = self.site.journal.clone();
        let started = app.clone();
        let started = tokio::task::spawn_blocking(move || Watcher::start(&started)).await;
        let mut watcher = match started {
            Ok(Ok(watcher)) => watcher,
            Ok(Err(report)) => return notice(&journal, report),
            Err(error) => return notice(&journal, Report::bug("the watcher broke", &error)),
        };
        if let Some(report) = watcher.notice() {
            notice(&journal, report.clone());
        }
        // What was saved since the start, nobody was told of.
        let mut since = Instant::now();
        loop {
            match self.publish(&app).await {
                Ok(true) => {
                    let ms = milliseconds(since);
                    journal.emit(EventKind::Published { app: app.id.clone(), ms });
                }
                Ok(false) => {}
                Err(report) => {
                    let (app, report) = (app.id.clone(), Box::new(report));
                    journal.emit(EventKind::ShipFailed { app, report, serving: None });
                }
            }
            since = loop {
                let changes = tokio::select! {
                    changes = watcher.changed() => changes,
                    () = stop.cancelled() => return,
                };
                let concern = |paths: &[String]| paths.iter().any(|path| publish::concerns(path));
                if concern(&changes.paths) {
                    let paths = changes.paths.iter().take(20).cloned().collect();
                    let (app, count) = (app.id.clone(), changes.count);
                    journal.emit(EventKind::Change { app, paths, count });
                } else if !concern(&changes.touched) {
                    continue;
                }
                break changes.detected_at;
            };
        }
    }
}

fn notice(journal: &crate::events::Journal, report: Report) {
    journal.emit(EventKind::Notice { report: Box::new(report) });
}

/// Ends the services that run; tells what is left. Their data go when that is asked for.
pub(super) async fn down(
    site: Site,
    request: DownRequest,
    running: Embedded,
) -> Result<Vec<(String, String)>, Report> {
    let step = "stop services".to_owned();
    site.journal.emit(EventKind::Plan { steps: vec![step.clone()] });
    let (started, resource) = (Instant::now(), SERVICES[0].0.to_owned());
    site.journal.emit(EventKind::StepStarted { step: step.clone(), resource });
    site.calls.changing(&step);
    running.stop().await;
    forget(&site, request)?;
    site.journal.emit(EventKind::StepFinished { step, ms: milliseconds(started) });
    Ok(left(&site))
}

/// Takes away what there is when no services run: their data, if that is asked for, and a stack in containers. Who has
/// only used the one kind needs no engine for that.
pub(super) async fn down_both(
    site: Site,
    request: DownRequest,
    cancel: CancellationToken,
) -> Result<Vec<(String, String)>, Report> {
    let had = folder(&site).is_dir();
    forget(&site, request)?;
    match converge::down(site.clone(), request, cancel).await {
        Err(report) if had && report.code == Code::EngineMissing => Ok(left(&site)),
        ended => ended,
    }
}

fn forget(site: &Site, request: DownRequest) -> Result<(), Report> {
    let data = folder(site);
    match if request.volumes { std::fs::remove_dir_all(&data) } else { Ok(()) } {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Report::new(Code::FileFailed, "the services' data could not be deleted")
                .at(data.display().to_string())
                .why(error.to_string()))
        }
        _ => Ok(()),
    }
}

fn left(site: &Site) -> Vec<(String, String)> {
    let kept = usize::from(folder(site).is_dir());
    let left = [("services", 0), ("data folders kept", kept)];
    left.into_iter().map(|(what, count)| (what.to_owned(), count.to_string())).collect()
}
