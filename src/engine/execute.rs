//! Carries out a plan: every step as soon as what it needs is done, side by side; each told from start to end.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Instant;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::events::{EventKind, Journal, StepScope};
use crate::model::{Code, Report};
use crate::plan::Planned;

/// Runs all steps. After a failure or a cancellation no further step begins, but those that run go on to their end:
/// a step cut in the middle is what makes half-made things. The first failure is the result.
pub(super) async fn execute<F>(
    steps: Vec<Planned>,
    journal: &Journal,
    cancel: &CancellationToken,
    carry: impl Fn(Planned, StepScope) -> F,
) -> Result<(), Report>
where
    F: Future<Output = Result<(), Report>> + Send + 'static,
{
    let all: BTreeSet<String> = steps.iter().map(|step| step.id.clone()).collect();
    let mut waiting = steps;
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut running = JoinSet::new();
    let mut failure: Option<Report> = None;
    loop {
        while failure.is_none() && !cancel.is_cancelled() {
            let ready =
                |step: &Planned| step.after.iter().all(|id| done.contains(id) || !all.contains(id));
            let Some(place) = waiting.iter().position(ready) else { break };
            let step = waiting.remove(place);
            let scope = StepScope::new(journal.clone(), &step.id);
            running.spawn(told(step.clone(), journal.clone(), carry(step, scope)));
        }
        let Some(ended) = running.join_next().await else { break };
        match ended {
            Ok((id, Ok(()))) => drop(done.insert(id)),
            Ok((_, Err(report))) => drop(failure.get_or_insert(report)),
            Err(error) => {
                failure.get_or_insert(Report::bug("a step ended unexpectedly", &error));
            }
        }
    }
    match failure {
        Some(report) => Err(report),
        None if cancel.is_cancelled() => Err(Report::new(Code::Cancelled, "cancelled")),
        None => Ok(()),
    }
}

/// Runs one step and tells its start and end.
async fn told(
    step: Planned,
    journal: Journal,
    work: impl Future<Output = Result<(), Report>>,
) -> (String, Result<(), Report>) {
    let id = step.id;
    journal.emit(EventKind::StepStarted { step: id.clone(), resource: step.resource });
    let started = Instant::now();
    let result = work.await;
    journal.emit(match &result {
        Ok(()) => EventKind::StepFinished { step: id.clone(), ms: milliseconds(started) },
        Err(report) => EventKind::StepFailed { step: id.clone(), report: Box::new(report.clone()) },
    });
    (id, result)
}

/// Milliseconds since a moment.
pub(super) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::plan::Step;

    fn step(id: &str, after: &[&str]) -> Planned {
        Planned {
            id: id.to_owned(),
            resource: id.to_owned(),
            after: after.iter().map(|id| (*id).to_owned()).collect(),
            step: Step::CreateNetwork,
        }
    }

    /// Runs steps of which `failing` fails; tells the order in which they began, and the result.
    async fn run(steps: Vec<Planned>, failing: &str) -> (Vec<String>, Result<(), Report>) {
        let began = Arc::new(Mutex::new(Vec::new()));
        let (journal, cancel) = (Journal::default(), CancellationToken::new());
        let failing = failing.to_owned();
        let result = execute(steps, &journal, &cancel, |step, _| {
            began.lock().unwrap().push(step.id.clone());
            let fails = step.id == failing;
            async move {
                tokio::task::yield_now().await;
                if fails { Err(Report::new(Code::Bug, "it fails")) } else { Ok(()) }
            }
        })
        .await;
        let began = began.lock().unwrap().clone();
        (began, result)
    }

    #[tokio::test]
    async fn each_step_begins_after_what_it_needs() {
        let steps = vec![step("c", &["b"]), step("b", &["a", "not in the plan"]), step("a", &[])];
        let (began, result) = run(steps, "").await;
        assert_eq!(began, ["a", "b", "c"]);
        assert!(result.is_ok());
    }

    #[tokio::test]
    async fn a_failure_stops_what_has_not_begun() {
        let steps = vec![step("a", &[]), step("b", &["a"]), step("c", &[])];
        let (began, result) = run(steps, "a").await;
        assert_eq!(began, ["a", "c"]);
        assert_eq!(result.unwrap_err().title, "it fails");
    }

    #[tokio::test]
    async fn nothing_begins_after_a_cancellation() {
        let (journal, cancel) = (Journal::default(), CancellationToken::new());
        cancel.cancel();
        let result =
            execute(vec![step("a", &[])], &journal, &cancel, |_, _| async { Ok(()) }).await;
        assert_eq!(result.unwrap_err().code, Code::Cancelled);
        assert_eq!(journal.newest(), 0);
    }
}
