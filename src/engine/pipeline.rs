//! Carries out runs of the pipeline, each task of it told in the run's own log and in the stack's events.

mod bench;
mod tell;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use self::bench::Bench;
use super::desire::Desire;
use super::execute::milliseconds;
use super::workshop::{Site, Workshop};
use crate::config::schema::PipelineEntry;
use crate::events::{Event, EventKind, Journal, StepScope};
use crate::model::{
    AppId, Code, Definition, PipelineRun, Report, RunResult, Severity, Stack, TaskKind,
};
use crate::pipeline::{Asker, Facts, Job, PUSH, Pipeline, Request};
use crate::secrets::Redactor;
use crate::sys::calls::Calls;

/// Where apps are deployed: the stack is one environment.
pub(super) const ENVIRONMENT: &str = "local";
/// How many runs are carried out side by side.
pub(super) const AT_ONCE: usize = 2;

/// What the stack has for runs.
pub(super) fn facts(stack: &Stack) -> Facts {
    let port = stack.ports.router;
    Facts {
        environments: ENVIRONMENT.parse().into_iter().collect(),
        orgs: stack.clusters.iter().map(|cluster| cluster.org.clone()).collect(),
        gitea: vec![
            format!("{}:{port}/repos", Stack::STUDIO_HOST),
            format!("127.0.0.1:{port}/repos"),
        ],
        domain: stack.domain,
        port,
    }
}

/// A run that ended.
#[derive(Debug)]
pub(super) struct Carried {
    /// The app whose release is another now.
    pub(super) deployed: Option<AppId>,
}

/// Carries out a run to its end, and tells whoever waits for it.
pub(super) async fn carry_out(
    site: Site,
    desire: Arc<Desire>,
    pipeline: Pipeline,
    job: Job,
) -> Carried {
    // Beside a run of the stack, whose changing calls these are not.
    let site = Site { calls: Calls::default(), ..site };
    let mut redactor = Redactor::new(&site.credentials);
    if let Some(access) = &job.access {
        redactor.add(&access.token);
    }
    let run = pipeline.get(job.id);
    let teller = run.as_ref().map(|run| tell::Teller::new(&site, &desire.stack, run));
    let begun = teller.as_ref().zip(run.as_ref()).map(|(teller, run)| teller.began(run));
    let desk = Desk { journal: site.journal.clone(), pipeline: pipeline.clone(), redactor };
    let (result, why, deployed) = match Workshop::open(&site).await {
        Ok(shop) => Box::pin(desk.run(&shop, &desire, &job)).await,
        Err(missing) => {
            let why = missing.into_iter().map(|report| report.title).collect::<Vec<_>>().join("; ");
            (RunResult::Failed, Some(why), false)
        }
    };
    let ended = finish(&pipeline, &job, result, why);
    if let (Some(teller), Some(run)) = (teller, ended) {
        teller.ended(&run, begun);
    }
    Carried { deployed: job.order.app.clone().filter(|_| deployed) }
}

/// Tells of runs that the agent before this one did not bring to their end.
pub(super) fn tell_cut(site: &Site, stack: &Stack, pipeline: &Pipeline) {
    for run in pipeline.take_cut() {
        tell::Teller::new(site, stack, &run).ended(&run, None);
    }
}

/// A record that cannot be written now is tried again when the agent starts the next time: the run counts as cut off.
fn finish(
    pipeline: &Pipeline,
    job: &Job,
    result: RunResult,
    why: Option<String>,
) -> Option<PipelineRun> {
    match pipeline.finish(job.id, result, why) {
        Ok(run) => run,
        Err(report) => {
            tracing::error!(%report, run = job.id, "the end of a run was not kept");
            None
        }
    }
}

struct Desk {
    journal: Journal,
    pipeline: Pipeline,
    redactor: Redactor,
}

impl Desk {
    /// All tasks, in order; tells the result, what else there is to say, and whether a release changed.
    async fn run(
        &self,
        shop: &Workshop,
        desire: &Desire,
        job: &Job,
    ) -> (RunResult, Option<String>, bool) {
        let mut bench = match Bench::new(shop, desire, job) {
            Ok(bench) => bench,
            Err(report) => return (RunResult::Failed, Some(report.title), false),
        };
        let mut deployed = false;
        let ended = self.tasks(&mut bench, job, &mut deployed).await;
        bench.clean().await;
        match ended {
            Ok(()) => {
                self.go_on(job, bench.wishes(), bench.commit());
                (RunResult::Succeeded, None, deployed)
            }
            Err(report) if report.code == Code::Cancelled => (RunResult::Canceled, None, deployed),
            Err(report) => (RunResult::Failed, Some(report.title), deployed),
        }
    }

    async fn tasks(
        &self,
        bench: &mut Bench<'_>,
        job: &Job,
        deployed: &mut bool,
    ) -> Result<(), Report> {
        for (place, kind) in job.order.tasks.iter().enumerate() {
            if job.cancel.is_cancelled() {
                return Err(Report::new(Code::Cancelled, "the run was cancelled"));
            }
            *deployed |= matches!(kind, TaskKind::Helm | TaskKind::Remove);
            Box::pin(self.task(bench, job, place, *kind)).await?;
            self.pipeline.found(job.id, bench.commit(), bench.tag())?;
        }
        Ok(())
    }

    /// A push that passed is released and deployed, when its commit says so.
    fn go_on(&self, job: &Job, wishes: PipelineEntry, commit: Option<String>) {
        let run = self.pipeline.get(job.id).filter(|run| run.reason.starts_with(PUSH));
        let (Some(run), Some(commit)) = (run, commit) else { return };
        if job.definition != Definition::Quality || !wishes.release {
            return;
        }
        let mut parameters = run.parameters;
        parameters.retain(|name, _| name == "APP_OWNER" || name == "APP_REPO");
        parameters.insert("APP_COMMIT_ID".to_owned(), commit);
        parameters.insert("should_deploy".to_owned(), wishes.deploy.to_string());
        let reason = format!("{}, which passed", run.reason);
        let request =
            Request { definition: Definition::Build, parameters, asker: Asker::Owner, reason };
        if let Err(not) = self.pipeline.queue(request) {
            self.journal.emit(EventKind::Notice { report: Box::new(not.into()) });
        }
    }

    async fn task(
        &self,
        bench: &mut Bench<'_>,
        job: &Job,
        place: usize,
        kind: TaskKind,
    ) -> Result<(), Report> {
        let step = format!("run {}: {}", job.id, kind.name());
        // Of the pipeline, not of the app: what serves is as well as it was, whatever a build comes to.
        let resource = format!("pipeline.{}", job.id);
        self.pipeline.begin_task(job.id, place)?;
        self.journal.emit(EventKind::StepStarted { step: step.clone(), resource });
        self.say(job.id, place, &[format!("##[section]Starting: {}", kind.name())]);
        let started = Instant::now();
        let result = Box::pin(self.listen(bench, job, place, kind, &step)).await;
        let outcome = match &result {
            Ok(()) => RunResult::Succeeded,
            Err(report) if report.code == Code::Cancelled => RunResult::Canceled,
            Err(report) => {
                let lines: Vec<_> = lines_of(report).iter().map(|line| self.redact(line)).collect();
                self.say(job.id, place, &lines);
                RunResult::Failed
            }
        };
        self.say(job.id, place, &[format!("##[section]Finishing: {}", kind.name())]);
        let report = result.as_ref().err().filter(|report| report.code != Code::Cancelled);
        self.pipeline.end_task(
            job.id,
            place,
            outcome,
            report.map(|report| self.redacted(report)),
        )?;
        self.journal.emit(match &result {
            Ok(()) => EventKind::StepFinished { step, ms: milliseconds(started) },
            Err(report) => EventKind::StepFailed { step, report: Box::new(self.redacted(report)) },
        });
        result
    }

    /// Runs a task; what it tells goes into the run's log and on to the stack's events, without secrets.
    async fn listen(
        &self,
        bench: &mut Bench<'_>,
        job: &Job,
        place: usize,
        kind: TaskKind,
        step: &str,
    ) -> Result<(), Report> {
        let own = Journal::default();
        let mut reader = own.follow(0);
        let scope = StepScope::new(own.clone(), step);
        let heard = AtomicU64::new(0);
        let pass = |events: Vec<Event>| {
            if let Some(event) = events.last() {
                heard.store(event.seq, Ordering::Relaxed);
            }
            self.pass(job.id, place, events);
        };
        let mut work = std::pin::pin!(bench.perform(kind, job, &scope));
        let result = loop {
            tokio::select! {
                biased;
                Some(events) = reader.next() => pass(events),
                result = &mut work => break result,
            }
        };
        pass(own.since(heard.load(Ordering::Relaxed)));
        result
    }

    fn pass(&self, id: u32, place: usize, events: Vec<Event>) {
        let mut lines = Vec::new();
        for event in events {
            let kind = match event.kind {
                EventKind::Log { source, line } => {
                    let line = self.redact(&line);
                    lines.push(line.clone());
                    EventKind::Log { source, line }
                }
                EventKind::StepProgress { step, detail } => {
                    let detail = self.redact(&detail);
                    lines.push(detail.clone());
                    EventKind::StepProgress { step, detail }
                }
                other => other,
            };
            self.journal.emit(kind);
        }
        self.say(id, place, &lines);
    }

    /// Adds to a task's log what has no secrets any more.
    fn say(&self, id: u32, place: usize, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        // A full disk must not end a run that goes well otherwise.
        if let Err(report) = self.pipeline.say(id, place, lines) {
            tracing::warn!(%report, run = id, "lines of a run's log are lost");
        }
    }

    fn redact(&self, text: &str) -> String {
        self.redactor.redact(text).into_owned()
    }

    fn redacted(&self, report: &Report) -> Report {
        let redact = |text: &String| self.redact(text);
        Report {
            title: redact(&report.title),
            labels: report.labels.iter().map(|(label, text)| (*label, redact(text))).collect(),
            tail: report.tail.iter().map(redact).collect(),
            ..report.clone()
        }
    }
}

/// A fault as lines of a log: what is wrong where, and what to do. What a builder and tests said is there already.
fn lines_of(report: &Report) -> Vec<String> {
    let told = matches!(report.code, Code::CompileFailed | Code::BuildFailed | Code::TestsFailed);
    let mut lines: Vec<String> = Vec::new();
    if !told {
        lines.extend(report.tail.iter().cloned());
        lines.extend(report.diagnostics.iter().map(|found| {
            let word = match found.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let place = format!("{}({},{})", found.file, found.line, found.column);
            format!("##[{word}]{place}: {word} {}: {}", found.code, found.message)
        }));
    }
    lines.push(format!("##[error]{}: {}", report.code, report.title));
    lines.extend(report.labels.iter().map(|(_, text)| text.clone()));
    lines.extend(
        report.fixes.iter().map(|fix| format!("fix: {}  ({})", fix.command, fix.description)),
    );
    lines
}
