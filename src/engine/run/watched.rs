//! The apps that run: their files are watched, and each save is shipped.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::{Ended, Engine};
use crate::engine::converge::Converged;
use crate::engine::desire::Work;
use crate::engine::execute::milliseconds;
use crate::engine::ship::{Order, Shipped, ship};
use crate::engine::slots::Slot;
use crate::engine::workshop::Workshop;
use crate::events::{EventKind, Journal};
use crate::model::{App, AppId, ImageRef, Report, ResourceState};
use crate::sync::{ChangeSet, Watcher};

impl Engine {
    /// Takes over what a run arrived at, and watches its apps.
    pub(super) fn serve(&mut self, converged: &Converged, watch: bool) {
        self.desire = Some(Arc::clone(&converged.desire));
        self.slots.clear();
        for work in &converged.desire.works {
            let id = &work.app.id;
            let revision = converged.found.release(id).map(|release| release.revision);
            let slot = Slot::new(id.clone(), Some(work.target.release_hash.clone()), revision);
            self.slots.insert(id.clone(), slot);
        }
        if watch {
            self.stop_watching_files();
            let watched = |app: &&App| {
                let project =
                    self.projects.iter().find(|project| app.root.starts_with(&project.dir));
                !project.is_some_and(|project| project.options.no_watch)
            };
            let apps: Vec<App> =
                converged.desire.stack.apps.iter().filter(watched).cloned().collect();
            for app in apps {
                self.watch(app);
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
        self.slots.clear();
        self.desire = None;
    }

    pub(super) fn saved(&mut self, app: &AppId, changes: Option<&ChangeSet>) {
        let Some(slot) = self.slots.get_mut(app) else { return };
        let Some(changes) = changes else { return slot.saved(Instant::now()) };
        let paths = changes.paths.iter().take(20).cloned().collect();
        let count = changes.count;
        self.site.journal.emit(EventKind::Change { app: app.clone(), paths, count });
        slot.saved(changes.detected_at);
    }

    pub(super) fn begin_shipments(&mut self) {
        let Some(desire) = &self.desire else { return };
        for slot in self.slots.values_mut() {
            let Some(cancel) = slot.begin() else { continue };
            let order = Order {
                app: slot.app.clone(),
                desire: Arc::clone(desire),
                requests: self.projects.clone(),
                serving: slot.serving.clone(),
                hashes: Arc::clone(&self.hashes),
                cancel,
            };
            let (site, app) = (self.site.clone(), slot.app.clone());
            self.tasks.spawn(async move { Ended::Ship(app, ship(site, order).await) });
        }
    }

    pub(super) fn end_ship(&mut self, app: &AppId, result: Result<Shipped, Report>) {
        let Some(slot) = self.slots.get_mut(app) else { return };
        let journal = &self.site.journal;
        match result {
            Ok(Shipped::Superseded) => slot.superseded(),
            Ok(Shipped::Same) => drop(slot.ended()),
            Ok(Shipped::Live(work, revision, stages)) => {
                let total_ms = milliseconds(slot.ended());
                slot.serving = Some(work.target.release_hash.clone());
                slot.revision = Some(revision);
                let tag = work.target.tag.clone();
                if let Some(resource) = self.told.get_mut(&app.resource()) {
                    resource.revision = Some(revision);
                    resource.image = Some(work.spec.image.to_string());
                    resource.state = ResourceState::Healthy;
                    journal.emit(EventKind::Resource { resource: Box::new(resource.clone()) });
                }
                let app = app.clone();
                journal.emit(EventKind::Shipped { app, tag, revision, stages, total_ms });
                self.tidy(&work);
                self.replace_work(&work);
            }
            Err(report) => {
                slot.ended();
                // A release that failed is in the cluster beside what serves, so even the old content is shipped anew.
                slot.serving = None;
                let (app, serving) = (app.clone(), slot.revision);
                journal.emit(EventKind::ShipFailed { app, report: Box::new(report), serving });
            }
        }
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
/// An app that cannot be watched still runs; the user is told.
/// An app that cannot be watched still runs; the user is told.
fn unwatched(journal: &Journal, report: Report) -> Ended {
    journal.emit(EventKind::Notice { report: Box::new(report) });
    Ended::Quiet
}
