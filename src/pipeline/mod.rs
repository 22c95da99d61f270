//! The pipeline's book: which runs there are, what each is to do, how far it is and what it said. Every run is
//! on disk before anybody is told its number, and every change before the next is made.
//!
//! It carries nothing out: the engine takes runs from here ([`Pipeline::next`]) and tells how they go on.

mod order;
mod store;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use order::{Asker, Facts, Order, Refused, Source, Tag, parameter, read};
pub use store::Access;
pub use version::next as next_version;

use crate::model::{
    Code, Definition, PipelineRun, Report, RunResult, RunStatus, RunTask, TaskKind,
};
use crate::sys::git::Revision;
use store::Store;

/// What stands in the place of a secret.
const MASK: &str = "***";
/// What the reason of a run begins with that a push to the default branch started.
pub const PUSH: &str = "push to ";
/// Runs that ended are kept up to this number; the oldest go first.
const KEPT: usize = 500;

/// The book; clones share it.
#[derive(Debug, Clone)]
pub struct Pipeline(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    book: Mutex<Book>,
    wake: Notify,
}

#[derive(Debug)]
struct Book {
    store: Store,
    facts: Option<Facts>,
    /// Runs that are carried out.
    under_way: BTreeMap<u32, CancellationToken>,
    /// Runs that were cut off, of whose end nobody was told yet.
    cut: Vec<u32>,
    /// Before this moment no quality build begins.
    settles: Option<Instant>,
}

/// A request for a run.
#[derive(Debug, Clone)]
pub struct Request {
    /// What for.
    pub definition: Definition,
    /// As they came.
    pub parameters: BTreeMap<String, String>,
    /// Who asks.
    pub asker: Asker,
    /// Why, in a word or two: `manual`, `push to master`.
    pub reason: String,
}

/// Why a run was not queued.
#[derive(Debug)]
pub enum NotQueued {
    /// The request says something wrong, or not enough.
    Refused(Refused),
    /// The stack is not up.
    NotUp,
    /// It could not be recorded.
    Failed(Report),
}

/// Why something was not done to a run.
#[derive(Debug)]
pub enum NotDone {
    /// There is no such run.
    Unknown,
    /// It is carried out.
    UnderWay,
    /// The record could not be written.
    Failed(Report),
}

impl From<Report> for NotDone {
    fn from(report: Report) -> Self {
        Self::Failed(report)
    }
}

/// A run to carry out.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its number.
    pub id: u32,
    /// What it is for.
    pub definition: Definition,
    /// What is to be done.
    pub order: Order,
    /// How it gets at its repository; none means by the stack's own credentials.
    pub access: Option<Access>,
    /// To be given up.
    pub cancel: CancellationToken,
}

/// RFC 3339 with seven digits of fraction: what clients of Azure DevOps read.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string()
}

impl Pipeline {
    /// Opens the book in a folder. What was carried out when the agent died, or was told to end, has failed.
    pub fn open(folder: PathBuf) -> Result<Self, Report> {
        let mut store = Store::open(folder)?;
        let cut: Vec<PipelineRun> = store
            .all()
            .filter(|run| matches!(run.status, RunStatus::InProgress | RunStatus::Cancelling))
            .cloned()
            .collect();
        let ids = cut.iter().map(|run| run.id).collect();
        for run in cut {
            let result = if run.status == RunStatus::Cancelling {
                RunResult::Canceled
            } else {
                RunResult::Failed
            };
            let why = "interrupted: the agent ended while it was carried out";
            end(&mut store, run, result, Some(why.to_owned()))?;
        }
        let book = Book { store, facts: None, under_way: BTreeMap::new(), cut: ids, settles: None };
        Ok(Self(Arc::new(Inner { book: Mutex::new(book), wake: Notify::new() })))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the stack has for runs; without it nothing is queued or begun.
    pub fn set_facts(&self, facts: Option<Facts>) {
        self.book().facts = facts;
        self.0.wake.notify_one();
    }

    /// What the stack has for runs.
    #[must_use]
    pub fn facts(&self) -> Option<Facts> {
        self.book().facts.clone()
    }

    /// Comes back when there may be something to begin.
    pub async fn woken(&self) {
        let settles = self.book().settles;
        let Some(at) = settles else { return self.0.wake.notified().await };
        if tokio::time::timeout_at(at, self.0.wake.notified()).await.is_err() {
            let mut book = self.book();
            book.settles = book.settles.filter(|newer| *newer != at);
        }
    }

    /// For so long no quality build begins: what comes meanwhile may make it worthless.
    pub fn settle(&self, patience: Duration) {
        self.book().settles = Some(Instant::now() + patience);
    }

    /// Queues a run; it is on disk when this comes back.
    pub fn queue(&self, request: Request) -> Result<PipelineRun, NotQueued> {
        let mut book = self.book();
        let Some(facts) = &book.facts else { return Err(NotQueued::NotUp) };
        let order = order::read(request.definition, &request.parameters, request.asker, facts)
            .map_err(NotQueued::Refused)?;
        let run = book.record(request, &order).map_err(NotQueued::Failed)?;
        book.trim();
        drop(book);
        self.0.wake.notify_one();
        Ok(run)
    }

    /// Queues the same again, by the stack's own credentials: the token of the first one is not kept. What that token did
    /// not open stays closed to a caller.
    pub fn retry(&self, id: u32, asker: Asker) -> Result<PipelineRun, NotQueued> {
        let refused = |why: String| NotQueued::Refused(Refused(vec![why]));
        let run = self.get(id).ok_or_else(|| refused(format!("there is no run {id}")))?;
        let fetched = |task: &RunTask| {
            task.kind == TaskKind::Clone && task.result == Some(RunResult::Succeeded)
        };
        let by_token = parameter(&run.parameters, order::TOKEN).is_some();
        if asker == Asker::Caller && by_token && !run.tasks.iter().any(fetched) {
            let why = format!("run {id} fetched nothing, and its {} is not kept", order::TOKEN);
            return Err(refused(format!("{why}: queue it anew, with a token")));
        }
        let mut parameters = run.parameters;
        parameters.retain(|name, _| !is_secret(name) && name != order::HEADER);
        // What the first one found out holds for the second.
        if let Some(commit) = run.commit {
            parameters.insert("APP_COMMIT_ID".to_owned(), commit);
        }
        let reason = format!("run {id} again");
        self.queue(Request { definition: run.definition, parameters, asker: Asker::Owner, reason })
    }

    /// Runs that were cut off when the agent before this one died, once: who waits for them is to be told.
    #[must_use]
    pub fn take_cut(&self) -> Vec<PipelineRun> {
        let mut book = self.book();
        let ids = std::mem::take(&mut book.cut);
        ids.into_iter().filter_map(|id| book.store.get(id).cloned()).collect()
    }

    /// A run.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<PipelineRun> {
        self.book().store.get(id).cloned()
    }

    /// Runs that a filter takes, newest first.
    #[must_use]
    pub fn list(&self, filter: impl Fn(&PipelineRun) -> bool, most: usize) -> Vec<PipelineRun> {
        self.book().store.all().filter(|run| filter(run)).take(most).cloned().collect()
    }

    /// Lines of a task's log; the first is 0.
    #[must_use]
    pub fn lines(&self, id: u32, task: usize, start: usize, count: usize) -> Vec<String> {
        self.book().store.lines(id, task, start, count)
    }

    /// Gives a run up: one that waits ends at once, one that is carried out as soon as it can.
    pub fn cancel(&self, id: u32, why: Option<String>) -> Result<PipelineRun, NotDone> {
        let mut book = self.book();
        let mut run = book.store.get(id).cloned().ok_or(NotDone::Unknown)?;
        match run.status {
            RunStatus::NotStarted => end(&mut book.store, run, RunResult::Canceled, why)?,
            RunStatus::InProgress => {
                run.status = RunStatus::Cancelling;
                run.why = why;
                book.store.put(run)?;
                if let Some(cancel) = book.under_way.get(&id) {
                    cancel.cancel();
                }
            }
            RunStatus::Cancelling | RunStatus::Completed => {}
        }
        book.store.get(id).cloned().ok_or(NotDone::Unknown)
    }

    /// Forgets a run that is not carried out.
    pub fn remove(&self, id: u32) -> Result<(), NotDone> {
        let mut book = self.book();
        let run = book.store.get(id).ok_or(NotDone::Unknown)?;
        if matches!(run.status, RunStatus::InProgress | RunStatus::Cancelling) {
            return Err(NotDone::UnderWay);
        }
        Ok(book.store.remove(id)?)
    }

    /// Forgets all runs, because what they made is gone. Their numbers are not used again.
    pub fn forget_all(&self) -> Result<(), Report> {
        let mut book = self.book();
        let ids: Vec<u32> = book.store.all().map(|run| run.id).collect();
        ids.into_iter().try_for_each(|id| book.store.remove(id))
    }

    /// The next run to carry out, marked as begun: the oldest of those whose app has none under way, so that of one
    /// app everything happens in the order in which it was asked for. Quality builds come last, one at a time.
    pub fn next(&self) -> Result<Option<Job>, Report> {
        let mut book = self.book();
        let Some(facts) = book.facts.clone() else { return Ok(None) };
        let under_way: Vec<&PipelineRun> =
            book.under_way.keys().filter_map(|id| book.store.get(*id)).collect();
        let checks = |run: &PipelineRun| run.definition == Definition::Quality;
        let busy: BTreeSet<_> =
            under_way.iter().filter(|run| !checks(run)).filter_map(|run| run.app.clone()).collect();
        let idle = under_way.is_empty() && book.settles.is_none_or(|at| at <= Instant::now());
        let free = |run: &&PipelineRun| {
            if checks(run) { idle } else { run.app.as_ref().is_none_or(|app| !busy.contains(app)) }
        };
        let waiting = book.store.all().filter(|run| run.status == RunStatus::NotStarted);
        // Somebody waits for all else; what nobody waits for begins when nothing else does.
        let next = waiting.filter(free).min_by_key(|run| (checks(run), run.id));
        let Some(mut run) = next.cloned() else { return Ok(None) };
        let access = book.store.access(run.id)?;
        // The stack's own credentials open more than a token may have done.
        if access.is_none() && parameter(&run.parameters, order::TOKEN).is_some() {
            return self.refuse(book, run, format!("its {} is lost: queue it anew", order::TOKEN));
        }
        // It was understood when it was queued; by the agent before, perhaps, of which the stack had more.
        let order = match order::read(run.definition, &run.parameters, Asker::Owner, &facts) {
            Ok(order) => order,
            Err(refused) => return self.refuse(book, run, refused.to_string()),
        };
        run.status = RunStatus::InProgress;
        run.started = Some(now());
        let (id, definition) = (run.id, run.definition);
        book.store.put(run)?;
        let cancel = CancellationToken::new();
        book.under_way.insert(id, cancel.clone());
        Ok(Some(Job { id, definition, order, access, cancel }))
    }

    /// Ends a run that cannot be begun; there may be another.
    fn refuse(
        &self,
        mut book: MutexGuard<'_, Book>,
        run: PipelineRun,
        why: String,
    ) -> Result<Option<Job>, Report> {
        end(&mut book.store, run, RunResult::Failed, Some(why))?;
        drop(book);
        self.0.wake.notify_one();
        Ok(None)
    }

    /// Gives up all that is carried out, because the stack goes or the agent ends. What waits goes on waiting.
    pub fn interrupt(&self) {
        let ids: Vec<u32> = self.book().under_way.keys().copied().collect();
        for id in ids {
            let why = "given up: the stack was taken down, or its agent was told to end";
            if self.cancel(id, Some(why.to_owned())).is_err() {
                tracing::warn!(id, "a run was not given up");
            }
        }
    }

    /// A task of a run began.
    pub fn begin_task(&self, id: u32, task: usize) -> Result<(), Report> {
        self.change(id, |run| {
            if let Some(task) = run.tasks.get_mut(task) {
                task.status = RunStatus::InProgress;
                task.started = Some(now());
            }
        })
    }

    /// A task of a run ended.
    pub fn end_task(
        &self,
        id: u32,
        task: usize,
        result: RunResult,
        report: Option<Report>,
    ) -> Result<(), Report> {
        self.change(id, |run| {
            if let Some(task) = run.tasks.get_mut(task) {
                task.status = RunStatus::Completed;
                task.result = Some(result);
                task.finished = Some(now());
                task.report = report.map(Box::new);
            }
        })
    }

    /// What was found out of a run.
    pub fn found(
        &self,
        id: u32,
        commit: Option<String>,
        tag: Option<String>,
    ) -> Result<(), Report> {
        self.change(id, |run| {
            run.commit = commit.or(run.commit.take());
            run.tag = tag.or(run.tag.take());
        })
    }

    fn change(&self, id: u32, change: impl FnOnce(&mut PipelineRun)) -> Result<(), Report> {
        let mut book = self.book();
        let Some(before) = book.store.get(id) else { return Ok(()) };
        let mut run = before.clone();
        change(&mut run);
        // Each record is flushed to the disk.
        if run == *before { Ok(()) } else { book.store.put(run) }
    }

    /// Lines for a task's log, each stamped with the time.
    pub fn say(&self, id: u32, task: usize, lines: &[String]) -> Result<(), Report> {
        let stamp = now();
        let lines: Vec<String> = lines.iter().map(|line| format!("{stamp} {line}")).collect();
        self.book().store.append(id, task, &lines)
    }

    /// A run ended. Tells it as it is now.
    pub fn finish(
        &self,
        id: u32,
        result: RunResult,
        why: Option<String>,
    ) -> Result<Option<PipelineRun>, Report> {
        let mut book = self.book();
        book.under_way.remove(&id);
        if let Some(run) = book.store.get(id).cloned() {
            end(&mut book.store, run, result, why)?;
        }
        let run = book.store.get(id).cloned();
        drop(book);
        self.0.wake.notify_one();
        Ok(run)
    }
}

impl Book {
    fn record(&mut self, request: Request, order: &Order) -> Result<PipelineRun, Report> {
        let id = self.store.number()?;
        let given = |name| parameter(&request.parameters, name).map(str::to_owned);
        if let Some(token) = given(order::TOKEN) {
            self.store.put_access(id, &Access { token, header: given(order::HEADER) })?;
        }
        let masked = |(name, value): (String, String)| {
            // A secret that says nothing stays nothing: there is no token to be lost.
            let secret = is_secret(&name) && !value.trim().is_empty();
            let value = if secret { MASK.to_owned() } else { value };
            (name, value)
        };
        let task = |kind: &TaskKind| RunTask {
            kind: *kind,
            status: RunStatus::NotStarted,
            result: None,
            started: None,
            finished: None,
            lines: 0,
            report: None,
        };
        let run = PipelineRun {
            id,
            definition: request.definition,
            parameters: request.parameters.into_iter().map(masked).collect(),
            app: order.app.clone(),
            status: RunStatus::NotStarted,
            result: None,
            queued: now(),
            started: None,
            finished: None,
            tasks: order.tasks.iter().map(task).collect(),
            commit: order.source.as_ref().and_then(|source| match &source.revision {
                Revision::Commit(commit) => Some(commit.clone()),
                Revision::Named(_) | Revision::Head => None,
            }),
            tag: order.tag.as_ref().and_then(|tag| match tag {
                Tag::Given(tag) => Some(tag.clone()),
                Tag::Commit | Tag::Next => None,
            }),
            reason: request.reason,
            why: None,
        };
        self.store.put(run.clone())?;
        Ok(run)
    }

    /// Forgets the oldest of those that ended, when there are many. What cannot be deleted now is tried again.
    fn trim(&mut self) {
        let ended = self.store.all().filter(|run| run.status == RunStatus::Completed);
        let old: Vec<u32> = ended.skip(KEPT).map(|run| run.id).collect();
        for id in old {
            if let Err(report) = self.store.remove(id) {
                tracing::warn!(%report, "an old run stays");
            }
        }
    }
}

/// Ends a run; what it did not reach is skipped, and its secrets go.
fn end(
    store: &mut Store,
    mut run: PipelineRun,
    result: RunResult,
    why: Option<String>,
) -> Result<(), Report> {
    run.status = RunStatus::Completed;
    run.result = Some(result);
    run.finished = Some(now());
    // One that was to be given up may have been done already.
    run.why = why.or(run.why.filter(|_| result != RunResult::Succeeded));
    for task in &mut run.tasks {
        match task.status {
            RunStatus::NotStarted => task.result = Some(RunResult::Skipped),
            RunStatus::InProgress | RunStatus::Cancelling => {
                task.result = Some(result);
                task.finished.clone_from(&run.finished);
            }
            RunStatus::Completed => {}
        }
        task.status = RunStatus::Completed;
    }
    let id = run.id;
    store.put(run)?;
    store.forget_access(id)
}

/// Parameters whose values are never told.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["TOKEN", "PASSWORD", "SECRET"].iter().any(|word| name.ends_with(word))
}

/// A fault as a report.
impl From<NotQueued> for Report {
    fn from(not: NotQueued) -> Self {
        match not {
            NotQueued::Refused(refused) => {
                Self::new(Code::RunRefused, "the pipeline refused the run").why(refused.to_string())
            }
            NotQueued::NotUp => {
                Self::new(Code::NotRunning, "the stack is not up, so the pipeline rests")
                    .fix("altinn-local up", "brings it up")
            }
            NotQueued::Failed(report) => report,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            environments: vec!["local".parse().unwrap()],
            orgs: ["ttd".parse().unwrap()].into(),
            gitea: vec!["studio.localhost:8800/repos".to_owned()],
            ..Facts::default()
        }
    }

    fn request(app: &str) -> Request {
        let parameters = [
            ("APP_OWNER", "ttd"),
            ("APP_REPO", app),
            ("APP_COMMIT_ID", "0123456789abcdef0123456789abcdef01234567"),
            ("TAGNAME", "1.0.0"),
            ("APP_DEPLOY_TOKEN", "very-secret-token"),
            ("GITEA_ENVIRONMENT", "studio.localhost:8800/repos"),
            ("SOMETHING_NEW", "kept"),
        ];
        Request {
            definition: Definition::Build,
            parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            asker: Asker::Caller,
            reason: "manual".to_owned(),
        }
    }

    fn open(folder: &std::path::Path) -> Pipeline {
        let pipeline = Pipeline::open(folder.to_owned()).unwrap();
        pipeline.set_facts(Some(facts()));
        pipeline
    }

    fn holds(folder: &std::path::Path, text: &str) -> bool {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if String::from_utf8_lossy(&std::fs::read(path).unwrap()).contains(text) {
                    return true;
                }
            }
        }
        false
    }

    #[test]
    fn a_run_is_on_disk_when_it_has_a_number_and_its_token_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = open(folder.path());
        let run = pipeline.queue(request("demo")).unwrap();
        assert_eq!((run.id, run.status), (1, RunStatus::NotStarted));
        assert_eq!(run.parameters["APP_DEPLOY_TOKEN"], MASK);
        assert_eq!(run.parameters["SOMETHING_NEW"], "kept");
        // Another agent finds it, and carries it out with the token.
        let pipeline = open(folder.path());
        assert_eq!(pipeline.get(1), Some(run));
        let job = pipeline.next().unwrap().unwrap();
        assert_eq!(job.access.unwrap().token, "very-secret-token");
        assert!(holds(folder.path(), "very-secret-token"));
        pipeline.finish(1, RunResult::Succeeded, None).unwrap();
        assert!(!holds(folder.path(), "very-secret-token"));
    }

    #[test]
    fn a_token_that_says_nothing_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = open(folder.path());
        let mut undeploy = request("demo");
        undeploy.definition = Definition::GitOps;
        undeploy.parameters.insert("APP_ENVIRONMENT".to_owned(), "local".to_owned());
        undeploy.parameters.insert("APP_DEPLOY_TOKEN".to_owned(), " ".to_owned());
        undeploy.asker = Asker::Owner;
        pipeline.queue(undeploy).unwrap();
        assert_eq!(pipeline.next().unwrap().map(|job| job.id), Some(1));
    }

    #[test]
    fn what_a_token_did_not_open_stays_closed() {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = open(folder.path());
        pipeline.queue(request("demo")).unwrap();
        std::fs::remove_file(folder.path().join("1/access.json")).unwrap();
        assert!(pipeline.next().unwrap().is_none(), "it would be fetched as somebody else");
        assert!(pipeline.get(1).unwrap().why.unwrap().contains("APP_DEPLOY_TOKEN is lost"));
        let again = |asker| pipeline.retry(1, asker);
        let Err(NotQueued::Refused(refused)) = again(Asker::Caller) else { panic!("queued") };
        assert!(refused.to_string().contains("run 1 fetched nothing"), "{refused}");
        assert_eq!(again(Asker::Owner).unwrap().id, 2);
        let place = 0;
        assert_eq!(pipeline.get(2).unwrap().tasks[place].kind, TaskKind::Clone);
        pipeline.next().unwrap().unwrap();
        pipeline.cancel(2, None).unwrap();
        pipeline.finish(2, RunResult::Canceled, None).unwrap();

        pipeline.queue(request("demo")).unwrap();
        pipeline.next().unwrap().unwrap();
        pipeline.begin_task(3, place).unwrap();
        pipeline.end_task(3, place, RunResult::Succeeded, None).unwrap();
        pipeline.finish(3, RunResult::Failed, None).unwrap();
        assert_eq!(pipeline.retry(3, Asker::Caller).unwrap().id, 4);
    }

    #[test]
    fn of_one_app_one_run_at_a_time_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = open(folder.path());
        for app in ["one", "one", "two"] {
            pipeline.queue(request(app)).unwrap();
        }
        let next = || pipeline.next().unwrap().map(|job| job.id);
        assert_eq!([next(), next(), next()], [Some(1), Some(3), None]);
        pipeline.finish(1, RunResult::Succeeded, None).unwrap();
        assert_eq!(next(), Some(2));
    }

    #[tokio::test]
    async fn pushes_wait_for_each_other_and_nothing_else_waits_for_them() {
        const PATIENCE: Duration = Duration::from_millis(100);
        let folder = tempfile::tempdir().unwrap();
        let pipeline = open(folder.path());
        pipeline.settle(Duration::from_hours(1));
        pipeline.queue(Request { definition: Definition::Quality, ..request("one") }).unwrap();
        pipeline.woken().await;
        assert!(pipeline.next().unwrap().is_none(), "a newer push may come");
        pipeline.queue(request("two")).unwrap();
        pipeline.woken().await;
        assert_eq!(pipeline.next().unwrap().unwrap().id, 2);
        pipeline.finish(2, RunResult::Succeeded, None).unwrap();
        let began = Instant::now();
        pipeline.settle(PATIENCE);
        while pipeline.next().unwrap().is_none() {
            pipeline.woken().await;
        }
        assert!(began.elapsed() >= PATIENCE);
        assert_eq!(pipeline.get(1).unwrap().status, RunStatus::InProgress);
    }

    #[test]
    fn what_was_under_way_when_the_agent_died_has_failed_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = open(folder.path());
        for app in ["one", "two", "three"] {
            pipeline.queue(request(app)).unwrap();
        }
        pipeline.next().unwrap();
        pipeline.begin_task(1, 0).unwrap();
        pipeline.next().unwrap();
        pipeline.cancel(2, None).unwrap();
        let after = open(folder.path());
        let run = after.get(1).unwrap();
        assert_eq!((run.status, run.result), (RunStatus::Completed, Some(RunResult::Failed)));
        assert!(run.why.unwrap().contains("interrupted"));
        assert_eq!(run.tasks[0].result, Some(RunResult::Failed));
        assert_eq!(run.tasks[1].result, Some(RunResult::Skipped));
        assert_eq!(after.get(2).unwrap().result, Some(RunResult::Canceled));
        assert_eq!(after.get(3).unwrap().status, RunStatus::NotStarted);
        assert_eq!(after.next().unwrap().unwrap().id, 3);
        let cut: Vec<u32> = after.take_cut().iter().map(|run| run.id).collect();
        assert_eq!(cut, [2, 1]);
        assert!(after.take_cut().is_empty(), "once");
    }

    #[test]
    fn cancelled_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = open(folder.path());
        pipeline.queue(request("one")).unwrap();
        pipeline.queue(request("two")).unwrap();
        assert_eq!(pipeline.cancel(2, None).unwrap().result, Some(RunResult::Canceled));
        let job = pipeline.next().unwrap().unwrap();
        assert!(matches!(pipeline.remove(1), Err(NotDone::UnderWay)));
        assert_eq!(pipeline.cancel(1, None).unwrap().status, RunStatus::Cancelling);
        assert!(job.cancel.is_cancelled());
        pipeline.finish(1, RunResult::Canceled, None).unwrap();
        pipeline.remove(1).unwrap();
        assert!(matches!(pipeline.remove(1), Err(NotDone::Unknown)));
        // Numbers are never used twice.
        pipeline.remove(2).unwrap();
        assert_eq!(open(folder.path()).queue(request("one")).unwrap().id, 3);
    }

    #[test]
    fn nothing_is_queued_while_the_stack_is_not_up() {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = Pipeline::open(folder.path().to_owned()).unwrap();
        assert!(matches!(pipeline.queue(request("one")), Err(NotQueued::NotUp)));
    }
}
