//! From a save to the first answer of the new version: build, push, deploy, each timed.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::carry::{build_image, cluster_of, patch, publish, push_image, release};
use super::desire::{Desire, SharedHashes, Work, is_watched, read_projects, work};
use super::execute::milliseconds;
use super::handle::UpRequest;
use super::hot::{Base, Ground, Placed, SharedHot};
use super::way::{self, Way, heavier};
use super::workshop::{Site, Workshop};
use crate::deploy;
use crate::deploy::rollout::Rollout;
use crate::events::{EventKind, Journal, Stage, StepScope};
use crate::model::{App, AppId, Code, Lane, Reload, Report};
use crate::plan::Course;
use crate::sys::calls::Calls;
use crate::sys::walk::Hashes;

/// How a shipment ended.
#[derive(Debug)]
pub(super) enum Shipped {
    /// The new content answers.
    Live(Box<Live>),
    /// What is on disk is what serves already.
    Same,
    /// A newer save came while it was built.
    Superseded,
    /// The new content does not start; what served before serves on.
    Undone(Box<Report>),
}

/// A shipment that ended.
#[derive(Debug)]
pub(super) struct Ship {
    pub(super) app: AppId,
    pub(super) order: Order,
    /// The paths that it was told of.
    pub(super) noted: Vec<String>,
    pub(super) shipped: Result<Shipped, Report>,
}

/// What serves now, and how it came there.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) work: Work,
    /// Helm's revision, when it is a new one.
    pub(super) revision: Option<u32>,
    pub(super) lane: Lane,
    pub(super) reason: String,
    /// The time of each part.
    pub(super) stages: Vec<Stage>,
    /// What open pages do.
    pub(super) reload: Reload,
    /// The style sheets they swap.
    pub(super) styles: Vec<String>,
    /// What is to be done now that it serves.
    pub(super) after: After,
}

/// What follows when a version serves, without anyone waiting for it.
#[derive(Debug)]
pub(super) enum After {
    /// Nothing.
    Nothing,
    /// The cluster's note, and an image of what was written into containers.
    Keep(Base),
    /// Helm's record.
    Settle,
}

/// What a shipment starts from.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) app: AppId,
    /// The tools of the run that brought it up.
    pub(super) shop: Workshop,
    pub(super) desire: Arc<Desire>,
    pub(super) requests: Vec<UpRequest>,
    /// The hash of the release that serves.
    pub(super) serving: Option<String>,
    /// Paths that were told as changed since then, relative to the app's root.
    pub(super) noted: Vec<String>,
    /// Whether more than that may have changed.
    pub(super) unsure: bool,
    pub(super) hashes: SharedHashes,
    pub(super) hot: SharedHot,
    pub(super) cancel: CancellationToken,
}

/// Ships what is on disk now, the lightest way that is right, and tells the platform's services what concerns them.
pub(super) async fn ship(site: Site, order: Order) -> Result<Shipped, Report> {
    let told = order.desire.works.iter().find(|work| work.app.id == order.app);
    let told = told.map(|work| work.target.publication.clone());
    let (shop, desire) = (order.shop.clone(), Arc::clone(&order.desire));
    let hashes = Arc::clone(&order.hashes);
    let shipped = match Box::pin(ship_files(site, order)).await {
        // A save came between the look and the reading: the next look has it, and trusts no digest of before.
        Err(report) if report.code == Code::AppChanged => {
            *hashes.lock().unwrap_or_else(PoisonError::into_inner) = Hashes::default();
            return Ok(Shipped::Superseded);
        }
        shipped => shipped?,
    };
    if let Shipped::Live(live) = &shipped
        && live.work.target.publication.is_some()
        && told.as_ref() != Some(&live.work.target.publication)
    {
        publish(&shop, &desire, &live.work).await?;
    }
    Ok(shipped)
}

async fn ship_files(site: Site, order: Order) -> Result<Shipped, Report> {
    let started = Instant::now();
    let shop = &order.shop;
    let app = current_app(&site, &order)?;
    let desire = &order.desire;
    let before = desire.works.iter().find(|before| before.app.id == app.id);
    let before = before.filter(|_| order.serving.is_some());
    let known = before.filter(|_| !order.unsure).map(|before| (before, order.noted.as_slice()));
    let watched = is_watched(&app, &order.requests);
    let work =
        work(shop, (&desire.stack, &desire.bases), &app, &order.hashes, watched, known).await?;
    if order.serving.as_deref() == Some(work.target.release_hash.as_str()) {
        return Ok(Shipped::Same);
    }
    let landing = work.landing()?;
    let Way { mut course, image_alone } = Way::of(before, &work, &landing, &order.noted);
    if course.lane < Lane::Asset {
        return Ok(Shipped::Same);
    }
    let mut stages = vec![Stage { name: "look".to_owned(), ms: milliseconds(started) }];
    let light = match course.lane {
        // What serves may be more than its image: what was written into containers becomes a layer first.
        Lane::Config => work.helper.is_some() && !is_pushed(shop, &work).await?,
        lane => matches!(lane, Lane::Asset | Lane::Code | Lane::Layer),
    };
    if light {
        let cancel = &order.cancel;
        let ground =
            Ground { shop, desire, work: &work, course: &course, landing: &landing, cancel };
        let placed = match course.lane {
            Lane::Asset | Lane::Code => order.hot.place(&ground).await,
            _ => order.hot.layer(&ground).await,
        };
        match placed {
            Ok(Placed::Live(placed)) => {
                stages.extend(placed);
                if matches!(course.lane, Lane::Asset | Lane::Code) {
                    let after = order.hot.kept().await.map_or(After::Nothing, After::Keep);
                    return Ok(live(work, course, stages, None, after));
                }
                if image_alone {
                    return patched(&order, work, course, stages).await;
                }
            }
            Ok(Placed::Superseded) => return Ok(Shipped::Superseded),
            Ok(Placed::Undone(report)) => return Ok(Shipped::Undone(Box::new(report))),
            // What the compiler or the app says is for the developer; all else has a heavier way.
            Err(report) if is_developers(&report) => return Err(report),
            Ok(Placed::Cannot(why)) => course = heavier(course, &why),
            Err(report) => course = heavier(course, &report.title),
        }
    }
    whole(&order, work, course, stages).await
}

async fn is_pushed(shop: &Workshop, work: &Work) -> Result<bool, Report> {
    let (registry, repository) = shop.registry(&work.push)?;
    registry.has(repository, &work.target.tag).await
}

/// Faults of what was saved, and a save in between: no other way helps.
fn is_developers(report: &Report) -> bool {
    matches!(report.code, Code::CompileFailed | Code::DeployFailed | Code::AppChanged)
}

/// The image is in the registry: the Deployment gets it, and Helm's record follows.
async fn patched(
    order: &Order,
    work: Work,
    course: Course,
    mut stages: Vec<Stage>,
) -> Result<Shipped, Report> {
    let (id, desire, shop) = (work.app.id.clone(), &order.desire, &order.shop);
    order.hot.forget(shop, desire, &work).await?;
    let (ms, rollout) = timed(&shop.site.journal, &format!("deploy {id}"), &id, |scope| {
        let work = &work;
        async move { patch(shop, desire, work, &scope).await }
    })
    .await?;
    order.hot.rolled_out();
    stages.extend(rolled("patch", ms, rollout));
    Ok(live(work, course, stages, None, After::Settle))
}

/// Build, push and Helm; the first two only when the registry does not hold the image.
async fn whole(
    order: &Order,
    work: Work,
    course: Course,
    mut stages: Vec<Stage>,
) -> Result<Shipped, Report> {
    let (id, desire, shop) = (work.app.id.clone(), &order.desire, &order.shop);
    let journal = &shop.site.journal;
    if course.build || !is_pushed(shop, &work).await? {
        let step = format!("build {id}");
        let building = timed(journal, &step, &id, |scope| {
            let work = &work;
            async move { build_image(shop, work, &scope).await }
        });
        let (ms, ()) = tokio::select! {
            built = building => built?,
            () = order.cancel.cancelled() => return Ok(Shipped::Superseded),
        };
        stages.push(Stage { name: "build".to_owned(), ms });
        let (ms, ()) = timed(journal, &format!("push {id}"), &id, |scope| {
            let work = &work;
            async move { push_image(shop, work, &scope).await }
        })
        .await?;
        stages.push(Stage { name: "push".to_owned(), ms });
    }
    let (ms, (revision, rollout)) = timed(journal, &format!("deploy {id}"), &id, |scope| {
        let work = &work;
        async move {
            let synced = order.hot.forget(shop, desire, work).await?;
            release(shop, desire, work, synced, &scope).await
        }
    })
    .await?;
    order.hot.rolled_out();
    stages.extend(rolled("helm", ms, rollout));
    Ok(live(work, course, stages, Some(revision), After::Nothing))
}

/// The parts of a rollout that took so many milliseconds in all: what began it, and what was waited for then.
fn rolled(begun_by: &str, ms: u64, rollout: Rollout) -> impl Iterator<Item = Stage> {
    let waited: u64 = rollout.stages.iter().map(|stage| stage.ms).sum();
    let begun = Stage { name: begun_by.to_owned(), ms: ms.saturating_sub(waited) };
    std::iter::once(begun).chain(rollout.stages)
}

fn live(
    work: Work,
    course: Course,
    stages: Vec<Stage>,
    revision: Option<u32>,
    after: After,
) -> Shipped {
    let styles = course.styles();
    let Course { lane, reason, reload, .. } = course;
    Shipped::Live(Box::new(Live { work, revision, lane, reason, stages, reload, styles, after }))
}

/// What follows when a version serves: nobody waits for it, and the next save finds it done or does it itself.
pub(super) async fn follow_up(
    site: Site,
    order: Order,
    work: Work,
    after: After,
) -> Result<(), Report> {
    // Beside a run, whose changing calls these are not.
    let site = Site { calls: Calls::default(), ..site };
    let shop = Workshop::open(&site).await.map_err(first)?;
    let cluster = cluster_of(&order.desire, &work.app.id.org)?;
    match after {
        After::Nothing => Ok(()),
        After::Keep(base) => base.keep(&shop, cluster, &work).await,
        After::Settle => {
            let scope = StepScope::new(site.journal.clone(), format!("settle {}", work.app.id));
            let kube = shop.kube(cluster).await?;
            let _turn = site.turns.take(&work.app.id).await;
            let installer = shop.installer(cluster);
            deploy::patch::settle(&installer, &kube, &work.spec, &scope).await.map(drop)
        }
    }
}

/// Makes ready what the first save needs, so that it is as fast as the next.
pub(super) async fn warm_up(site: Site, order: Order) -> Result<(), Report> {
    // Beside a run, whose changing calls these are not.
    let site = Site { calls: Calls::default(), ..site };
    let shop = Workshop::open(&site).await.map_err(first)?;
    let desire = &order.desire;
    let Some(work) = desire.works.iter().find(|work| work.app.id == order.app) else {
        return Ok(());
    };
    if work.helper.is_none() {
        return Ok(());
    }
    let landing = work.landing()?;
    let course = way::course(&work.app, &landing, true, &[]);
    let cancel = &order.cancel;
    let ground = Ground { shop: &shop, desire, work, course: &course, landing: &landing, cancel };
    order.hot.warm_up(&ground).await
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
