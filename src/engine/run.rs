//! The loop.

mod built;
mod looked;
mod watched;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::board::Board;
use super::browser::Browser;
use super::converge::{self, Converged};
use super::desire::{Desire, SharedHashes};
use super::dev::DevServers;
use super::embedded::{self, Arrived, Embedded};
use super::execute::milliseconds;
use super::handle::{
    Command, DownRequest, EngineHandle, EngineProduct, Reply, Snapshot, UpRequest, Visitor,
};
use super::hot::SharedHot;
use super::pipeline::Carried;
use super::resources;
use super::ship::Ship;
use super::slots::Slot;
use super::workshop::{Site, Workshop};
use crate::events::EventKind;
use crate::model::{AppId, Code, Report, Resource, ResourceState};
use crate::pipeline::Pipeline;
use crate::sync::ChangeSet;
use crate::sys::docker::Docker;

/// How often the outside is looked at while nothing happens.
const LOOK: Duration = Duration::from_secs(30);
/// How often in a row parts that ended are brought back.
const HEALS: u32 = 3;
/// An agent with nothing to watch and nothing to do ends after this time.
const IDLE: Duration = Duration::from_mins(1);

/// Something to do, one at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Job {
    Up(UpRequest),
    Deploy,
    /// Brings back what ended by itself.
    Heal,
    Down(DownRequest),
}

/// The run under way.
#[derive(Debug)]
struct Run {
    number: u64,
    /// What it does, so that a second wish for the same joins it.
    job: Job,
    started: Instant,
    calls: u64,
    cancel: CancellationToken,
}

/// What the loop hears from its own tasks.
#[derive(Debug)]
enum Ended {
    Up(Box<Result<Converged, Report>>, bool),
    /// The run of this number has nothing more to wait for.
    Settled(u64, Vec<(String, String)>),
    Down(Result<Vec<(String, String)>, Report>),
    Embedded(Box<Arrived>, bool),
    Ship(Box<Ship>),
    Looked(Vec<Resource>),
    /// A compiler is warm, or will be with the first save.
    Warmed,
    /// A run of the pipeline ended.
    Built(Carried),
    /// A helper task that has nothing to tell.
    Quiet,
}

/// Files of an app changed; without a change set, its files are to be looked at once.
type Save = (AppId, Option<ChangeSet>);

struct Engine {
    site: Site,
    inbox: mpsc::Receiver<Command>,
    saves: (mpsc::Sender<Save>, mpsc::Receiver<Save>),
    projects: Vec<UpRequest>,
    queue: VecDeque<(u64, Job)>,
    run: Option<Run>,
    runs: u64,
    /// What the last run brought about, and its tools.
    desire: Option<Arc<Desire>>,
    shop: Option<Workshop>,
    /// The services inside this process, in the other kind of stack.
    embedded: Option<Embedded>,
    slots: BTreeMap<AppId, Slot>,
    hot: BTreeMap<AppId, SharedHot>,
    watching: CancellationToken,
    /// Compilers that are made warm: that goes on when files are watched anew.
    warming: CancellationToken,
    /// How many of them are being made.
    warmups: usize,
    browser: Browser,
    /// Connections to the pipeline are given to whoever serves them.
    visitors: mpsc::Sender<Visitor>,
    pipeline: Pipeline,
    /// How many of its runs are carried out.
    builds: usize,
    dev: DevServers,
    hashes: SharedHashes,
    told: BTreeMap<String, Resource>,
    tasks: JoinSet<Ended>,
    quiet_since: Instant,
    /// How often in a row something was brought back.
    heals: u32,
    ending: bool,
}

/// An engine: how it is asked, who comes to its pipeline, and its task.
pub type Spawned = (EngineHandle, mpsc::Receiver<Visitor>, tokio::task::JoinHandle<()>);

/// Starts the engine; the task ends when the engine was asked to stop, or took its stack down.
pub fn spawn(site: Site) -> Result<Spawned, Report> {
    let (snapshots, snapshot) = watch::channel(Arc::new(Snapshot::stopped(site.stack.clone())));
    let pipeline = Pipeline::open(site.folder().join("pipeline"))?;
    let (visitors, visiting) = mpsc::channel(64);
    let (handle, inbox) = EngineHandle::new(site.journal.clone(), snapshot, pipeline.clone());
    let mut engine = Engine {
        site: site.clone(),
        inbox,
        saves: mpsc::channel(64),
        projects: Vec::new(),
        queue: VecDeque::new(),
        run: None,
        runs: 0,
        desire: None,
        shop: None,
        embedded: None,
        slots: BTreeMap::new(),
        hot: BTreeMap::new(),
        watching: CancellationToken::new(),
        warming: CancellationToken::new(),
        warmups: 0,
        browser: Browser::default(),
        visitors,
        pipeline,
        builds: 0,
        dev: DevServers::default(),
        hashes: Arc::new(Mutex::new(crate::sys::walk::Hashes::default())),
        told: BTreeMap::new(),
        tasks: JoinSet::new(),
        quiet_since: Instant::now(),
        heals: 0,
        ending: false,
    };
    let task = tokio::spawn(async move {
        engine.tasks.spawn(keep_board(site, snapshots));
        engine.listen().await;
    });
    Ok((handle, visiting, task))
}

/// Folds the journal into snapshots, for as long as the engine lives.
async fn keep_board(site: Site, snapshots: watch::Sender<Arc<Snapshot>>) -> Ended {
    let mut board = Board::new(site.stack.clone());
    let mut engine = None;
    let mut reader = site.journal.follow(0);
    while let Some(events) = reader.next().await {
        for event in events {
            if let EventKind::RunStarted { command, .. } = &event.kind {
                engine = product(&site, command, engine).await;
            }
            board.apply(event);
        }
        snapshots.send_replace(Arc::new(board.snapshot(engine.clone())));
    }
    Ended::Quiet
}

/// What the stack runs in, asked anew for each run.
async fn product(
    site: &Site,
    command: &str,
    before: Option<EngineProduct>,
) -> Option<EngineProduct> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let embedded = EngineProduct { product: "embedded".to_owned(), version };
    if command == embedded::COMMAND || (command == "down" && before.as_ref() == Some(&embedded)) {
        return Some(embedded);
    }
    let docker = Docker::connect(&site.engine_choice(), site.calls.clone()).await.ok()?;
    Some(EngineProduct { product: docker.product_name().to_owned(), version: docker.version })
}

impl Engine {
    async fn listen(&mut self) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.ended() {
            tokio::select! {
                command = self.inbox.recv() => self.hear(command.unwrap_or(Command::Stop)),
                Some((app, changes)) = self.saves.1.recv() => self.saved(&app, changes.as_ref()),
                Some(ended) = self.tasks.join_next() => match ended {
                    Ok(ended) => self.end(ended),
                    Err(error) => self.broken(&error),
                },
                () = self.pipeline.woken() => {}
                _ = look.tick() => self.look(),
            }
            self.begin();
            self.begin_builds();
        }
        self.watching.cancel();
        self.warming.cancel();
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        if let Some(embedded) = self.embedded.take() {
            embedded.stop().await;
        }
    }

    /// Whether the loop is over: asked to end, and nothing that must not be cut is under way.
    fn ended(&self) -> bool {
        let busy =
            self.run.is_some() || self.builds > 0 || self.slots.values().any(Slot::is_shipping);
        let idle = self.projects.is_empty() && self.quiet_since.elapsed() > IDLE;
        !busy && (self.ending || (idle && self.queue.is_empty()))
    }

    fn hear(&mut self, command: Command) {
        match command {
            Command::Up { request, reply } if self.is_other_kind(&request) => {
                answer(reply, Err(embedded::other_kind(request.options.embedded)));
            }
            Command::Up { request, reply } => self.enqueue(Job::Up(request), reply),
            Command::Down { request, reply } => {
                let job = Job::Down(request);
                if self.joined(&job).is_none() {
                    self.drop_all();
                }
                self.enqueue(job, reply);
            }
            Command::Deploy { reply, .. } if self.projects.is_empty() => {
                let report = Report::new(Code::NotRunning, "the stack is not up")
                    .fix("altinn-local up", "brings it up and deploys the app");
                answer(reply, Err(report));
            }
            Command::Deploy { reply, .. } if self.embedded.is_some() => {
                let report = Report::new(Code::OtherKind, "the stack has no cluster to deploy to")
                    .why("its services are inside the agent, and the app is run on this machine")
                    .fix("dotnet run --project App", "runs the app as it is on disk");
                answer(reply, Err(report));
            }
            Command::Deploy { reply, .. } => self.enqueue(Job::Deploy, reply),
            Command::Running { org, reply } => self.tell_running(org, reply),
            Command::Stop => {
                self.ending = true;
                self.pipeline.set_facts(None);
                self.pipeline.interrupt();
                self.drop_all();
                self.slots.values_mut().for_each(Slot::stop);
            }
        }
    }

    /// Whether the stack is, or is about to be, of the other kind than this wish is of.
    fn is_other_kind(&self, request: &UpRequest) -> bool {
        let waiting = self.queue.iter().filter_map(|(_, job)| match job {
            Job::Up(request) => Some(request),
            _ => None,
        });
        let mut all = self.projects.iter().chain(waiting);
        all.any(|project| project.options.embedded != request.options.embedded)
    }

    /// The run that does the same already, or is about to.
    fn joined(&self, job: &Job) -> Option<u64> {
        let running = self.run.as_ref().filter(|run| run.job == *job && !run.cancel.is_cancelled());
        let waiting = self.queue.iter().find(|(_, waiting)| waiting == job);
        running.map(|run| run.number).or(waiting.map(|(number, _)| *number))
    }

    /// Queues a job, or joins the run that does the same.
    fn enqueue(&mut self, job: Job, reply: Reply) {
        if let Some(number) = self.joined(&job) {
            return answer(reply, Ok(number));
        }
        self.runs += 1;
        self.queue.push_back((self.runs, job));
        answer(reply, Ok(self.runs));
    }

    /// Cancels the run under way, and tells those that wait for another that it does not come.
    fn drop_all(&mut self) {
        if let Some(run) = &self.run {
            run.cancel.cancel();
        }
        for (run, _) in std::mem::take(&mut self.queue) {
            let report = Report::new(Code::Cancelled, "something else was asked for meanwhile");
            self.site.journal.emit(EventKind::RunFinished {
                run,
                ms: 0,
                changing_calls: 0,
                report: Some(Box::new(report)),
                links: Vec::new(),
            });
        }
    }

    /// Begins the next job, or shipments, when nothing stands against it.
    fn begin(&mut self) {
        if self.run.is_some() {
            return;
        }
        if self.queue.is_empty() {
            return self.begin_shipments();
        }
        // What is under way ends first; a build is worth nothing to what comes.
        if self.slots.values().any(Slot::is_shipping) {
            return self.slots.values_mut().for_each(Slot::stop);
        }
        // A release that is changed while its cluster goes would come back half-made.
        if self.builds > 0 && matches!(self.queue.front(), Some((_, Job::Down(_)))) {
            return self.pipeline.interrupt();
        }
        // What is being made must be there to be found and removed.
        if self.warmups > 0 && matches!(self.queue.front(), Some((_, Job::Down(_)))) {
            return self.warming.cancel();
        }
        if let Some((number, job)) = self.queue.pop_front() {
            self.begin_job(number, job);
        }
    }

    fn begin_job(&mut self, number: u64, job: Job) {
        let cancel = CancellationToken::new();
        let (site, hashes, token) = (self.site.clone(), Arc::clone(&self.hashes), cancel.clone());
        let command = match &job {
            Job::Up(request) if request.options.embedded => embedded::COMMAND,
            Job::Up(_) => "up",
            Job::Deploy => "deploy",
            Job::Heal => "heal",
            Job::Down(_) => "down",
        };
        self.site.journal.emit(EventKind::RunStarted { run: number, command: command.to_owned() });
        let calls = self.site.calls.count();
        let started = Instant::now();
        self.run = Some(Run { number, job: job.clone(), started, calls, cancel });
        match job {
            Job::Up(request) => {
                let plan_only = request.options.plan;
                let mut projects = self.projects.clone();
                projects.retain(|project| project.dir != request.dir);
                projects.push(request);
                if !plan_only {
                    self.projects.clone_from(&projects);
                }
                if projects.iter().any(|project| project.options.embedded) {
                    let work = embedded::up(site, projects, plan_only, self.embedded.take());
                    self.tasks
                        .spawn(async move { Ended::Embedded(Box::new(work.await), !plan_only) });
                    return;
                }
                let work = converge::up(site, projects, plan_only, hashes, token);
                self.tasks.spawn(async move { Ended::Up(Box::new(work.await), !plan_only) });
            }
            Job::Deploy | Job::Heal => {
                let work = converge::up(site, self.projects.clone(), false, hashes, token);
                self.tasks.spawn(async move { Ended::Up(Box::new(work.await), false) });
            }
            Job::Down(request) => {
                self.stop_watching();
                self.browser.close();
                self.dev.close(&self.site.journal);
                if let Some(running) = self.embedded.take() {
                    let work = embedded::down(site, request, running);
                    self.tasks.spawn(async move { Ended::Down(work.await) });
                } else {
                    let work = embedded::down_both(site, request, token);
                    self.tasks.spawn(async move { Ended::Down(work.await) });
                }
            }
        }
    }

    fn end(&mut self, ended: Ended) {
        self.quiet_since = Instant::now();
        match ended {
            Ended::Up(result, watch) => self.end_up(*result, watch),
            Ended::Settled(run, links) => {
                if self.run.as_ref().is_some_and(|under_way| under_way.number == run) {
                    self.finish(Ok(links));
                }
            }
            Ended::Down(result) => {
                if result.is_ok() {
                    self.forget_runs();
                    self.ending = true;
                    self.projects.clear();
                    for id in std::mem::take(&mut self.told).into_keys() {
                        self.site.journal.emit(EventKind::Gone { id });
                    }
                }
                self.finish(result);
            }
            Ended::Embedded(arrived, watch) => self.end_embedded(*arrived, watch),
            Ended::Ship(ship) => self.end_ship(*ship),
            Ended::Looked(resources) => {
                self.heal(&resources);
                self.tell(resources);
            }
            Ended::Built(carried) => self.end_build(carried),
            Ended::Warmed => self.warmups = self.warmups.saturating_sub(1),
            Ended::Quiet => {}
        }
    }

    fn end_up(&mut self, result: Result<Converged, Report>, watch: bool) {
        match result {
            Ok(converged) if converged.planned_only => self.finish(Ok(Vec::new())),
            Ok(converged) => {
                self.tell(resources::list(&converged.desire, &converged.found));
                self.serve(&converged, watch);
                self.follow(&converged.desire);
                self.settle(resources::links(&converged.desire, self.site.agent_port));
            }
            Err(report) => self.finish(Err(report)),
        }
    }

    /// Takes over the services inside this process, and watches their apps, whatever the run came to.
    fn end_embedded(&mut self, arrived: Arrived, watch: bool) {
        self.embedded = arrived.running;
        match &self.embedded {
            Some(embedded) => {
                let stand = embedded.stand().clone();
                for resource in stand.resources(ResourceState::Healthy) {
                    self.told.insert(resource.id.clone(), resource);
                }
                if watch {
                    self.watch_embedded(&stand, arrived.apps);
                }
            }
            // Nothing runs that the stack's kind would be that of.
            None if watch => self.projects.clear(),
            None => {}
        }
        self.finish(arrived.result);
    }

    /// Starts, and ends, what runs on this machine beside the stack.
    fn follow(&mut self, desire: &Desire) {
        for server in self.dev.follow(&self.site, desire) {
            self.quietly(server);
        }
        let servers = self.dev.switchboard.clone();
        if let Some(tunnel) =
            self.browser.follow(&self.site, desire, servers, self.visitors.clone())
        {
            self.quietly(tunnel);
        }
    }

    fn quietly(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            work.await;
            Ended::Quiet
        });
    }

    /// Finishes the run when what it started answers; one that is cancelled meanwhile waits for nothing.
    fn settle(&mut self, links: Vec<(String, String)>) {
        let Some(run) = &self.run else { return };
        let (number, cancel, settled) = (run.number, run.cancel.clone(), self.dev.settled());
        self.tasks.spawn(async move {
            tokio::select! { () = settled => {}, () = cancel.cancelled() => {} }
            Ended::Settled(number, links)
        });
    }

    fn finish(&mut self, result: Result<Vec<(String, String)>, Report>) {
        let Some(run) = self.run.take() else { return };
        let (report, links) = match result {
            Ok(links) => (None, links),
            Err(report) => (Some(Box::new(report)), Vec::new()),
        };
        let changing_calls = self.site.calls.count() - run.calls;
        // Something stood in the way of a stack that is not up: there is nothing to stay for.
        if report.is_some() && changing_calls == 0 && self.told.is_empty() {
            self.projects.clear();
        }
        self.site.journal.emit(EventKind::RunFinished {
            run: run.number,
            ms: milliseconds(run.started),
            changing_calls,
            report,
            links,
        });
    }

    /// A task ended by a fault of ours: whatever it was, the run must not hang.
    fn broken(&mut self, error: &tokio::task::JoinError) {
        // It may have been one of these, and nobody must wait for it.
        self.warmups = 0;
        self.builds = self.builds.saturating_sub(1);
        let report = Report::bug("a task of the agent ended unexpectedly", error);
        if self.run.is_some() {
            return self.finish(Err(report));
        }
        for slot in self.slots.values_mut().filter(|slot| slot.is_shipping()) {
            slot.ended();
        }
        self.site.journal.emit(EventKind::Notice { report: Box::new(report) });
    }
}

fn answer(to: Reply, result: Result<u64, Report>) {
    reply(to, result);
}

fn reply<T>(to: oneshot::Sender<Result<T, Report>>, result: Result<T, Report>) {
    // Whoever asked may have gone away meanwhile.
    let _ = to.send(result);
}
