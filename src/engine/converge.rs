//! observe → plan → carry out → observe …, until nothing is missing.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::carry::{carry, take_away};
use super::desire::{Desire, SharedHashes, desire};
use super::execute::execute;
use super::handle::{DownRequest, UpRequest};
use super::observe::{self, observe};
use super::workshop::{Site, Workshop};
use super::{ports, resources};
use crate::events::EventKind;
use crate::model::{Code, FoundContainer, Observed, Report};
use crate::plan::{self, Plan};

/// A plan that is carried out leaves nothing to do; what is still missing after a few rounds keeps breaking.
const ROUNDS: usize = 3;

/// Where a run of `up` arrived.
#[derive(Debug, Clone)]
pub(super) struct Converged {
    pub(super) shop: Workshop,
    pub(super) desire: Arc<Desire>,
    pub(super) found: Observed,
    /// Whether steps were only told.
    pub(super) planned_only: bool,
}

/// Brings up what the projects want.
pub(super) async fn up(
    site: Site,
    requests: Vec<UpRequest>,
    plan_only: bool,
    hashes: SharedHashes,
    cancel: CancellationToken,
) -> Result<Converged, Report> {
    let shop = Workshop::open(&site)
        .await
        .map_err(|missing| all_at_once(&site, missing.into_iter().map(offer).collect()))?;
    for round in 0..=ROUNDS {
        let containers = observe::containers(&shop, &[]).await?;
        let desire = Arc::new(desire(&shop, &requests, &hashes, &containers).await?);
        let found = observe(&shop, &desire).await?;
        let plan = plan_for(&desire, &found);
        if round == 0 {
            tell(&site, &desire, &plan);
            check(&site, &plan, &desire, &found)?;
        }
        if plan.steps.is_empty() || plan_only {
            return Ok(Converged { shop, desire, found, planned_only: plan_only });
        }
        if round == ROUNDS {
            return Err(stuck(&plan));
        }
        resources::tell(&site.journal, &desire, &found, &plan);
        let work =
            |step, scope| carry(shop.clone(), Arc::clone(&desire), step, scope, cancel.clone());
        match execute(plan.steps, &site.journal, &cancel, work).await {
            // A save came in between: the next round takes what is there now.
            Err(report) if report.code == Code::AppChanged && round + 1 < ROUNDS => {}
            done => done?,
        }
    }
    Err(Report::new(Code::Bug, "the rounds of a run ended without a result"))
}

fn plan_for(desire: &Desire, found: &Observed) -> Plan {
    let targets: Vec<_> = desire.works.iter().map(|work| work.target.clone()).collect();
    plan::diff(&desire.stack, &targets, &desire.routes, &desire.missing, found)
}

fn tell(site: &Site, desire: &Desire, plan: &Plan) {
    for notice in &desire.notices {
        site.journal.emit(EventKind::Notice { report: Box::new(notice.clone()) });
    }
    let steps = plan.steps.iter().map(|step| step.id.clone()).collect();
    site.journal.emit(EventKind::Plan { steps });
}

/// Everything that stands in the way, told at once, before anything is changed.
fn check(site: &Site, plan: &Plan, desire: &Desire, found: &Observed) -> Result<(), Report> {
    let mut blockers = plan.blockers.clone();
    blockers.extend(ports::taken(&desire.stack, &found.containers));
    if blockers.is_empty() { Ok(()) } else { Err(all_at_once(site, blockers)) }
}

/// Tells all reports and gives back the first, which decides the exit code.
fn all_at_once(site: &Site, mut reports: Vec<Report>) -> Report {
    if reports.is_empty() {
        return Report::new(Code::Bug, "something stood in the way, but nothing was named");
    }
    let first = reports.remove(0);
    for report in reports {
        site.journal.emit(EventKind::Blocker { report: Box::new(report) });
    }
    first
}

/// Without an engine, there is one thing that works.
fn offer(report: Report) -> Report {
    if report.code == Code::EngineMissing {
        return report.fix(
            "altinn-local up --embedded",
            "the platform's services without containers: no cluster, no Studio",
        );
    }
    report
}

fn stuck(plan: &Plan) -> Report {
    let steps: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    let title = format!("after {ROUNDS} rounds {} steps are still missing", steps.len());
    Report::new(Code::ServiceLooping, title)
        .why(format!("each was carried out and undone again: {}", steps.join(", ")))
        .fix("altinn-local status", "shows what keeps ending")
}

fn is_registry(container: &FoundContainer) -> bool {
    container.ours && container.resource.as_deref().is_some_and(|id| id.ends_with(".registry"))
}

/// Takes the stack away; tells what is left. With the data go the images that were pushed to its registries.
pub(super) async fn down(
    site: Site,
    request: DownRequest,
    cancel: CancellationToken,
) -> Result<Vec<(String, String)>, Report> {
    let shop = Workshop::open(&site).await.map_err(|missing| all_at_once(&site, missing))?;
    let found = observe::everything(&shop).await?;
    let plan = plan::teardown(&found, request.volumes);
    let steps = plan.steps.iter().map(|step| step.id.clone()).collect();
    site.journal.emit(EventKind::Plan { steps });
    let work = |step: plan::Planned, _| {
        let shop = shop.clone();
        async move { take_away(&shop, &step.step).await }
    };
    execute(plan.steps, &site.journal, &cancel, work).await?;
    if request.volumes {
        let registries = found.containers.values().filter(|container| is_registry(container));
        let ports = registries.flat_map(|container| container.published.iter().map(|port| port.1));
        shop.docker.remove_images_of(&ports.collect::<Vec<_>>()).await?;
    }
    let left = observe::everything(&shop).await?;
    let ours = left.containers.values().filter(|container| container.ours).count();
    let networks = usize::from(left.network.is_some_and(|network| network.ours));
    let volumes = left.volumes.values().filter(|ours| **ours).count();
    let left = [
        ("containers", ours),
        ("networks", networks),
        ("clusters", left.clusters.len()),
        ("volumes kept", volumes),
    ];
    Ok(left.into_iter().map(|(what, count)| (what.to_owned(), count.to_string())).collect())
}
