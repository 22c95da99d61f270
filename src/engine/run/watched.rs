//! The apps that run: their files are watched, and each save is shipped.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::{Ended, Engine, Job};
use crate::engine::converge::Converged;
use crate::engine::desire::{self, Work};
use crate::engine::embedded::Stand;
use crate::engine::execute::milliseconds;
use crate::engine::handle::UpRequest;
use crate::engine::pipeline;
use crate::engine::ship::{After, Live, Order, Ship, Shipped, follow_up, ship, warm_up};
use crate::engine::slots::Slot;
use crate::engine::workshop::Workshop;
use crate::events::{EventKind, Journal};
use crate::model::{App, AppId, Code, ImageRef, Lane, Report, ResourceState};
use crate::plan;
use crate::sync::{ChangeSet, Watcher};

impl Engine {
    /// Takes over what a run arrived at, and watches its apps.
    pub(super) fn serve(&mut self, converged: &Converged, watch: bool) {
        self.desire = Some(Arc::clone(&converged.desire));
        self.pipeline.set_facts(Some(pipeline::facts(&converged.desire.stack)));
        pipeline::tell_cut(&self.site, &converged.desire.stack, &self.pipeline);
        self.shop = Some(converged.shop.clone());
        let before = std::mem::take(&mut self.slots);
        let known = |id: &AppId| converged.desire.works.iter().any(|work| work.app.id == *id);
        self.hot.retain(|id, _| known(id));
        for work in &converged.desire.works {
            let id = &work.app.id;
            let revision = converged.found.release(id).map(|release| release.revision);
            let slot = Slot::new(id.clone(), Some(work.target.release_hash.clone()), revision);
            self.slots.insert(id.clone(), slot);
            // The run may have rolled something out.
            self.hot.entry(id.clone()).or_default().rolled_out();
        }
        // What could not be shipped before serves now, or the run had failed.
        for slot in before.into_values().filter(|slot| slot.failed && known(&slot.app)) {
            self.site.journal.emit(serves(&slot, converged.desire.tag_of(&slot.app), 0));
        }
        if watch {
            self.stop_watching_files();
            let apps: Vec<App> = converged.desire.stack.apps.clone();
            let apps = apps.into_iter().filter(|app| desire::is_watched(app, &self.projects));
            let apps: Vec<App> = apps.collect();
            for app in apps {
                self.watch(app);
            }
            self.warm_up();
        }
    }

    /// Publishes what is saved of these apps from now on.
    pub(super) fn watch_embedded(&mut self, stand: &Stand, apps: Vec<App>) {
        self.stop_watching_files();
        for app in apps {
            if desire::is_watched(&app, &self.projects) {
                self.quietly(stand.clone().follow(app, self.watching.clone()));
            }
        }
    }

    fn watch(&mut self, app: App) {
        let (saves, stop) = (self.saves.0.clone(), self.watching.clone());
        let journal = self.site.journal.clone();
        self.tasks.spawn(async move {
            let id = app.id.clone();
            let started = tokio::task::spawn_blocking(move || Watcher::start(&app)).await;
            let mut watcher = match started {
                Ok(Ok(watcher)) => watcher,
                Ok(Err(report)) => return unwatched(&journal, report),
                Err(error) => return unwatched(&journal, Report::bug("the watcher broke", &error)),
            };
            if let Some(notice) = watcher.notice() {
                journal.emit(EventKind::Notice { report: Box::new(notice.clone()) });
            }
            // What was saved between the run's walk and now, nobody was told of.
            drop(saves.send((id.clone(), None)).await);
            loop {
                tokio::select! {
                    changes = watcher.changed() => drop(saves.send((id.clone(), Some(changes))).await),
                    () = stop.cancelled() => return Ended::Quiet,
                }
            }
        });
    }

    fn stop_watching_files(&mut self) {
        self.watching.cancel();
        self.watching = CancellationToken::new();
    }

    pub(super) fn stop_watching(&mut self) {
        self.stop_watching_files();
        self.warming.cancel();
        self.warming = CancellationToken::new();
        self.slots.clear();
        self.hot.clear();
        self.pipeline.set_facts(None);
        self.desire = None;
        self.shop = None;
    }

    pub(super) fn saved(&mut self, app: &AppId, changes: Option<&ChangeSet>) {
        let Some(slot) = self.slots.get_mut(app) else { return };
        let Some(changes) = changes else {
            slot.unsure = true;
            return slot.saved(Instant::now());
        };
        let written = || changes.paths.iter().chain(&changes.touched);
        slot.noted.extend(written().cloned());
        if changes.paths.is_empty() {
            slot.touched(changes.detected_at);
        } else {
            let paths = changes.paths.iter().take(20).cloned().collect();
            let count = changes.count;
            self.site.journal.emit(EventKind::Change { app: app.clone(), paths, count });
            slot.saved(changes.detected_at);
        }
        if written().any(|path| plan::is_master_file(path)) {
            self.configured(app);
        }
    }

    /// What is wanted changed, not only what an app holds: everything is compared anew.
    fn configured(&mut self, app: &AppId) {
        let Some(desire) = &self.desire else { return };
        let app = desire.stack.apps.iter().find(|known| known.id == *app);
        let of = |project: &&UpRequest| app.is_some_and(|app| app.root.starts_with(&project.dir));
        let Some(project) = self.projects.iter().find(of).cloned() else { return };
        let job = Job::Up(project);
        // One that is under way has read the file before.
        if !self.queue.iter().any(|(_, waiting)| *waiting == job) {
            self.runs += 1;
            self.queue.push_back((self.runs, job));
        }
    }

    /// What a shipment of this app starts from, as things are now.
    fn order(&self, slot: &Slot, cancel: CancellationToken) -> Option<Order> {
        Some(Order {
            app: slot.app.clone(),
            shop: self.shop.clone()?,
            desire: Arc::clone(self.desire.as_ref()?),
            requests: self.projects.clone(),
            serving: slot.serving.clone(),
            noted: slot.noted.iter().cloned().collect(),
            unsure: slot.unsure,
            hashes: Arc::clone(&self.hashes),
            hot: self.hot.get(&slot.app).cloned().unwrap_or_default(),
            cancel,
        })
    }

    pub(super) fn begin_shipments(&mut self) {
        let apps: Vec<AppId> = self.slots.keys().cloned().collect();
        for app in apps {
            let Some(cancel) = self.slots.get_mut(&app).and_then(Slot::begin) else { continue };
            let order = self.slots.get(&app).and_then(|slot| self.order(slot, cancel));
            let Some(order) = order else { continue };
            if let Some(slot) = self.slots.get_mut(&app) {
                slot.noted.clear();
                slot.unsure = false;
            }
            let (site, noted) = (self.site.clone(), order.noted.clone());
            self.tasks.spawn(async move {
                let shipped = ship(site, order.clone()).await;
                Ended::Ship(Box::new(Ship { app, order, noted, shipped }))
            });
        }
    }

    /// Makes the compilers of watched apps warm, while nobody waits for them.
    fn warm_up(&mut self) {
        let orders: Vec<Order> =
            self.slots.values().filter_map(|slot| self.order(slot, self.warming.clone())).collect();
        for order in orders {
            let site = self.site.clone();
            self.warmups += 1;
            self.tasks.spawn(async move {
                // The first save makes up for what fails here, and tells it.
                drop(warm_up(site, order).await);
                Ended::Warmed
            });
        }
    }

    pub(super) fn end_ship(&mut self, ship: Ship) {
        let Ship { app, order, noted, shipped } = ship;
        let Some(slot) = self.slots.get_mut(&app) else { return };
        let journal = &self.site.journal;
        match shipped {
            Ok(Shipped::Superseded) => {
                slot.noted.extend(noted);
                slot.unsure |= order.unsure;
                slot.superseded();
            }
            Ok(Shipped::Same) => {
                let total_ms = milliseconds(slot.ended());
                // A fault that was undone is told as live; a touch is not told at all.
                if std::mem::take(&mut slot.failed) {
                    journal.emit(serves(slot, order.desire.tag_of(&slot.app), total_ms));
                }
            }
            Ok(Shipped::Live(live)) => {
                let total_ms = milliseconds(slot.ended());
                slot.failed = false;
                slot.serving = Some(live.work.target.release_hash.clone());
                slot.revision = live.revision.or(slot.revision);
                let revision = slot.revision.unwrap_or_default();
                let Live { work, lane, reason, stages, reload, styles, after, .. } = *live;
                if let Some(resource) = self.told.get_mut(&app.resource()) {
                    resource.revision = slot.revision;
                    resource.image = Some(work.spec.image.to_string());
                    resource.state = ResourceState::Healthy;
                    let synced = self.hot.get(&app).and_then(|hot| hot.synced());
                    resource.synced = synced.filter(|count| *count > 0);
                    journal.emit(EventKind::Resource { resource: Box::new(resource.clone()) });
                }
                let tag = work.target.tag.clone();
                journal.emit(EventKind::Shipped {
                    app: app.clone(),
                    tag,
                    revision,
                    lane,
                    reason,
                    stages,
                    total_ms,
                });
                journal.emit(EventKind::Reload { app: app.clone(), kind: reload, paths: styles });
                if lane == Lane::Build {
                    self.tidy(&work);
                }
                self.replace_work(&work);
                self.follow_up(order, work, after);
            }
            Ok(Shipped::Undone(report)) => {
                slot.unsure |= order.unsure;
                slot.failed(noted);
                journal.emit(EventKind::ShipFailed { app, report, serving: slot.revision });
            }
            Err(report) => {
                slot.unsure |= order.unsure;
                slot.failed(noted);
                // A release that failed is in the cluster beside what serves, so even the old content is shipped anew.
                // What does not compile has not reached it; what the platform refuses is as good as not saved.
                if !matches!(report.code, Code::CompileFailed | Code::PublishFailed) {
                    slot.serving = None;
                }
                let serving = slot.revision;
                journal.emit(EventKind::ShipFailed { app, report: Box::new(report), serving });
            }
        }
    }

    /// Does what nobody waits for. What fails is told; the next rollout does it again.
    fn follow_up(&mut self, order: Order, work: Work, after: After) {
        if matches!(after, After::Nothing) {
            return;
        }
        let (site, journal) = (self.site.clone(), self.site.journal.clone());
        self.tasks.spawn(async move {
            if let Err(report) = follow_up(site, order, work, after).await {
                journal.emit(EventKind::Notice { report: Box::new(report) });
            }
            Ended::Quiet
        });
    }

    /// Removes the images of versions before the last two from the engine; the registry keeps them.
    fn tidy(&mut self, work: &Work) {
        let Some(desire) = &self.desire else { return };
        let before = desire.works.iter().find(|old| old.app.id == work.app.id);
        let keep: Vec<ImageRef> =
            before.into_iter().chain([work]).map(|work| work.push.clone()).collect();
        let site = self.site.clone();
        self.tasks.spawn(async move {
            if let Ok(shop) = Workshop::open(&site).await {
                // What cannot be removed now is found again after the next save.
                let _ = shop.docker.remove_other_tags(&keep).await;
            }
            Ended::Quiet
        });
    }

    /// The desire of the last run, with what was shipped since: looks at the outside compare with it.
    fn replace_work(&mut self, work: &Work) {
        let Some(desire) = &mut self.desire else { return };
        let desire = Arc::make_mut(desire);
        for old in desire.works.iter_mut().filter(|old| old.app.id == work.app.id) {
            *old = work.clone();
        }
    }
}
/// Told of an app of which something failed: what is on disk serves now.
fn serves(slot: &Slot, tag: String, total_ms: u64) -> EventKind {
    EventKind::Shipped {
        app: slot.app.clone(),
        tag,
        revision: slot.revision.unwrap_or_default(),
        lane: Lane::Ignore,
        reason: "what is saved serves already".to_owned(),
        stages: Vec::new(),
        total_ms,
    }
}

/// An app that cannot be watched still runs; the user is told.
fn unwatched(journal: &Journal, report: Report) -> Ended {
    journal.emit(EventKind::Notice { report: Box::new(report) });
    Ended::Quiet
}
