//! Runs of the pipeline: begun when there is room, beside everything else that happens.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Ended, Engine, Job};
use crate::deploy::release;
use crate::engine::pipeline::{AT_ONCE, Carried, carry_out};
use crate::engine::{carry, run};
use crate::events::EventKind;
use crate::model::{Code, FoundApp, OrgName, Report};

impl Engine {
    /// Begins runs as long as there is room; none while the stack itself is made or taken away.
    pub(super) fn begin_builds(&mut self) {
        let down = self.queue.iter().any(|(_, job)| matches!(job, Job::Down(_)));
        if self.run.is_some() || down || self.ending {
            return;
        }
        let Some(desire) = self.desire.clone() else { return };
        while self.builds < AT_ONCE {
            let job = match self.pipeline.next() {
                Ok(Some(job)) => job,
                Ok(None) => return,
                Err(report) => {
                    self.site.journal.emit(EventKind::Notice { report: Box::new(report) });
                    return;
                }
            };
            self.builds += 1;
            let work =
                carry_out(self.site.clone(), Arc::clone(&desire), self.pipeline.clone(), job);
            self.tasks.spawn(async move { Ended::Built(Box::pin(work).await) });
        }
    }

    /// What a run deployed is not what the app's folder holds: its next save takes the whole way.
    pub(super) fn end_build(&mut self, carried: Carried) {
        self.builds = self.builds.saturating_sub(1);
        let Some(app) = carried.deployed else { return };
        if let Some(slot) = self.slots.get_mut(&app) {
            slot.serving = None;
        }
        if let Some(hot) = self.hot.get(&app) {
            hot.rolled_out();
        }
        self.look();
    }

    /// With the data goes what runs made: commits, images, releases.
    pub(super) fn forget_runs(&self) {
        let with_data = |job: &Job| matches!(job, Job::Down(request) if request.volumes);
        if self.run.as_ref().is_some_and(|run| with_data(&run.job))
            && let Err(report) = self.pipeline.forget_all()
        {
            self.site.journal.emit(EventKind::Notice { report: Box::new(report) });
        }
    }

    pub(super) fn tell_running(
        &mut self,
        org: OrgName,
        reply: oneshot::Sender<Result<Vec<FoundApp>, Report>>,
    ) {
        let (Some(desire), Some(shop)) = (self.desire.clone(), self.shop.clone()) else {
            let report = Report::new(Code::NotRunning, "the stack is not up");
            return run::reply(reply, Err(report.fix("altinn-local up", "brings it up")));
        };
        self.quietly(async move {
            let told = async {
                let kube = shop.kube(carry::cluster_of(&desire, &org)?).await?;
                release::running(&kube).await
            };
            run::reply(reply, told.await);
        });
    }
}
