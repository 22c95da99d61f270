//! From a save to the first answer of the new version: build, push, deploy, each timed.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::carry::{build_image, push_image, release};
use super::desire::{Desire, SharedHashes, Work, read_projects, work};
use super::execute::milliseconds;
use super::handle::UpRequest;
use super::workshop::{Site, Workshop};
use crate::events::{EventKind, Journal, Stage, StepScope};
use crate::model::{App, AppId, Code, Report};

/// How a shipment ended.
#[derive(Debug)]
pub(super) enum Shipped {
    /// The new version answers: what it is, Helm's revision, and the time of each part.
    Live(Box<Work>, u32, Vec<Stage>),
    /// What is on disk is what serves already.
    Same,
    /// A newer save came while it was built.
    Superseded,
}

/// What a shipment starts from.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) app: AppId,
    pub(super) desire: Arc<Desire>,
    pub(super) requests: Vec<UpRequest>,
    /// The hash of the release that serves.
    pub(super) serving: Option<String>,
    pub(super) hashes: SharedHashes,
    pub(super) cancel: CancellationToken,
}

/// Ships what is on disk now.
pub(super) async fn ship(site: Site, order: Order) -> Result<Shipped, Report> {
    let shop = Workshop::open(&site).await.map_err(first)?;
    let app = current_app(&site, &order)?;
    let started = Instant::now();
    let desire = &order.desire;
    let work = work(&shop, &desire.stack, &app, &desire.bases, &order.hashes).await?;
    if order.serving.as_deref() == Some(work.target.release_hash.as_str()) {
        return Ok(Shipped::Same);
    }
    let id = &app.id;
    let mut stages = vec![Stage { name: "look".to_owned(), ms: milliseconds(started) }];
    let step = format!("build {id}");
    let building = timed(&site.journal, &step, id, |scope| {
        let (shop, work) = (&shop, &work);
        async move { build_image(shop, work, &scope).await }
    });
    let (ms, ()) = tokio::select! {
        built = building => built?,
        () = order.cancel.cancelled() => return Ok(Shipped::Superseded),
    };
    stages.push(Stage { name: "build".to_owned(), ms });
    let (ms, ()) = timed(&site.journal, &format!("push {id}"), id, |scope| {
        let (shop, work) = (&shop, &work);
        async move { push_image(shop, work, &scope).await }
    })
    .await?;
    stages.push(Stage { name: "push".to_owned(), ms });
    let (ms, (revision, rollout)) = timed(&site.journal, &format!("deploy {id}"), id, |scope| {
        let (shop, work, desire) = (&shop, &work, desire);
        async move { release(shop, desire, work, &scope).await }
    })
    .await?;
    let waited: u64 = rollout.stages.iter().map(|stage| stage.ms).sum();
    stages.push(Stage { name: "helm".to_owned(), ms: ms.saturating_sub(waited) });
    stages.extend(rollout.stages);
    Ok(Shipped::Live(Box::new(work), revision, stages))
}

/// The app as its folder is now: the Dockerfile may have moved, the configuration may have changed.
fn current_app(site: &Site, order: &Order) -> Result<App, Report> {
    let projects = read_projects(site, &order.requests)?;
    let app = projects.apps.into_iter().find(|app| app.id == order.app);
    if let Some(app) = app {
        return Ok(app);
    }
    let known = order.desire.stack.apps.iter().find(|app| app.id == order.app);
    let root = known.map(|app| app.root.display().to_string()).unwrap_or_default();
    Err(Report::new(Code::NotAnApp, format!("{} is not in its folder any more", order.app))
        .at(root)
        .fix("altinn-local up", "when its name was changed on purpose"))
}

fn first(reports: Vec<Report>) -> Report {
    let none = || Report::new(Code::Bug, "something is missing, but nothing was named");
    reports.into_iter().next().unwrap_or_else(none)
}

/// Runs one part, told as a step, and times it.
async fn timed<T, F: Future<Output = Result<T, Report>>>(
    journal: &Journal,
    step: &str,
    app: &AppId,
    part: impl FnOnce(StepScope) -> F,
) -> Result<(u64, T), Report> {
    let step = step.to_owned();
    journal.emit(EventKind::StepStarted { step: step.clone(), resource: app.resource() });
    let started = Instant::now();
    let result = part(StepScope::new(journal.clone(), step.clone())).await;
    let ms = milliseconds(started);
    match result {
        Ok(value) => {
            journal.emit(EventKind::StepFinished { step, ms });
            Ok((ms, value))
        }
        Err(report) => {
            journal.emit(EventKind::StepFailed { step, report: Box::new(report.clone()) });
            Err(report)
        }
    }
}
