//! Looks at the outside while nothing happens: `status` knows of what ended by itself, and it is brought back.

use super::{Ended, Engine, HEALS, Job};
use crate::engine::slots::Slot;
use crate::engine::workshop::Workshop;
use crate::engine::{observe, resources};
use crate::events::EventKind;
use crate::model::{AppId, Code, Report, Resource, ResourceKind, ResourceState};

impl Engine {
    /// Looks at the outside now and then, so that `status` knows of what ended by itself.
    pub(super) fn look(&mut self) {
        if self.run.is_some() || self.slots.values().any(Slot::is_shipping) {
            return;
        }
        if let Some(embedded) = self.embedded.as_ref().filter(|embedded| embedded.is_over()) {
            return self.tell(embedded.stand().resources(ResourceState::Failed));
        }
        let Some(desire) = self.desire.clone() else { return };
        let site = self.site.clone();
        self.tasks.spawn(async move {
            let Ok(shop) = Workshop::open(&site).await else { return Ended::Quiet };
            match observe::observe(&shop, &desire).await {
                Ok(found) => Ended::Looked(resources::list(&desire, &found)),
                // An engine that does not answer now may answer at the next look.
                Err(_) => Ended::Quiet,
            }
        });
    }

    /// Brings back parts that ended by themselves, as after a restart of the engine; not for ever: a part that ends
    /// again and again is told instead.
    pub(super) fn heal(&mut self, resources: &[Resource]) {
        let ended =
            |one: &&Resource| one.kind != ResourceKind::App && one.state != ResourceState::Healthy;
        let Some(ended) = resources.iter().find(ended) else {
            self.heals = 0;
            return;
        };
        self.heals = self.heals.saturating_add(1);
        if self.heals <= HEALS && self.run.is_none() && self.queue.is_empty() {
            self.runs += 1;
            self.queue.push_back((self.runs, Job::Heal));
        } else if self.heals == HEALS + 1 {
            let title = format!("{} keeps ending", ended.id);
            let report = Report::new(Code::ServiceLooping, title)
                .why(format!("it was brought back {HEALS} times"))
                .fix(format!("altinn-local logs {}", ended.id), "shows what it says")
                .fix("altinn-local up", "tries again");
            self.site.journal.emit(EventKind::Notice { report: Box::new(report) });
        }
    }

    /// Tells resources that are not what was told last, and apps that are gone.
    pub(super) fn tell(&mut self, resources: Vec<Resource>) {
        let gone = |told: &Resource| {
            told.kind == ResourceKind::App && !resources.iter().any(|now| now.id == told.id)
        };
        let gone: Vec<String> =
            self.told.values().filter(|told| gone(told)).map(|told| told.id.clone()).collect();
        for id in gone {
            self.told.remove(&id);
            self.site.journal.emit(EventKind::Gone { id });
        }
        for mut resource in resources {
            let app = |id: &&AppId| id.resource() == resource.id;
            let hot = self.hot.keys().find(app).and_then(|id| self.hot.get(id));
            resource.synced = hot.and_then(|hot| hot.synced()).filter(|count| *count > 0);
            if self.told.get(&resource.id) == Some(&resource) {
                continue;
            }
            self.told.insert(resource.id.clone(), resource.clone());
            self.site.journal.emit(EventKind::Resource { resource: Box::new(resource) });
        }
    }
}
