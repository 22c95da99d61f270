//! The apps that are watched: what serves of each, and what is on its way.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::model::AppId;

/// How long a save may wait for newer ones: what is written all the time would else be live never.
const LONGEST: Duration = Duration::from_secs(20);

/// One watched app.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) app: AppId,
    /// The hash of the release that serves.
    pub(super) serving: Option<String>,
    /// Helm's revision of it.
    pub(super) revision: Option<u32>,
    /// Paths told as changed since what serves, relative to the app's root.
    pub(super) noted: BTreeSet<String>,
    /// Whether more than that may have changed.
    pub(super) unsure: bool,
    /// Whether the last save did not make it.
    pub(super) failed: bool,
    /// When the oldest save that is not live yet was noticed.
    dirty: Option<Instant>,
    /// The shipment under way, with the moment of the save it began with.
    shipping: Option<(CancellationToken, Instant)>,
}

impl Slot {
    pub(super) fn new(app: AppId, serving: Option<String>, revision: Option<u32>) -> Self {
        Self {
            app,
            serving,
            revision,
            noted: BTreeSet::new(),
            unsure: false,
            failed: false,
            dirty: None,
            shipping: None,
        }
    }

    /// A save: a build of older content is cancelled, unless that waits for long already. Whatever comes after a build goes
    /// on to its end.
    pub(super) fn saved(&mut self, at: Instant) {
        self.touched(at);
        if let Some((cancel, oldest)) = &self.shipping
            && at.saturating_duration_since(*oldest) < LONGEST
        {
            cancel.cancel();
        }
    }

    /// A save of what is there already: it is looked at once more, and what is under way goes on to its end.
    pub(super) fn touched(&mut self, at: Instant) {
        self.dirty.get_or_insert(at);
    }

    /// Begins a shipment when there is something to ship and none is under way; tells how to cancel it.
    pub(super) fn begin(&mut self) -> Option<CancellationToken> {
        if self.shipping.is_some() {
            return None;
        }
        let at = self.dirty.take()?;
        let cancel = CancellationToken::new();
        self.shipping = Some((cancel.clone(), at));
        Some(cancel)
    }

    /// A shipment ended; tells when the save it began with was noticed.
    pub(super) fn ended(&mut self) -> Instant {
        self.shipping.take().map_or_else(Instant::now, |(_, at)| at)
    }

    /// A shipment was cancelled for a newer save: the wait began with the older one.
    pub(super) fn superseded(&mut self) {
        let at = self.ended();
        self.dirty = Some(self.dirty.map_or(at, |newer| newer.min(at)));
    }

    /// A shipment did not make it: what it was told of is not live.
    pub(super) fn failed(&mut self, noted: Vec<String>) {
        self.ended();
        self.failed = true;
        self.noted.extend(noted);
    }

    pub(super) fn is_shipping(&self) -> bool {
        self.shipping.is_some()
    }

    /// Cancels what can be cancelled, and forgets what waits.
    pub(super) fn stop(&mut self) {
        self.dirty = None;
        if let Some((cancel, _)) = &self.shipping {
            cancel.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot() -> Slot {
        Slot::new("ttd/demo".parse().unwrap(), None, None)
    }

    #[test]
    fn a_newer_save_cancels_and_is_shipped_next() {
        let mut slot = slot();
        assert!(slot.begin().is_none(), "nothing to ship");
        let first = Instant::now();
        slot.saved(first);
        let cancel = slot.begin().unwrap();
        assert!(slot.begin().is_none(), "one at a time");
        slot.saved(Instant::now());
        assert!(cancel.is_cancelled());
        slot.superseded();
        assert!(slot.begin().is_some());
        assert_eq!(slot.ended(), first, "the wait counts from the oldest save that is not live");
    }

    #[test]
    fn what_is_saved_all_the_time_gets_live_all_the_same() {
        let mut slot = slot();
        let first = Instant::now();
        slot.saved(first);
        for seconds in 1..20 {
            let cancel = slot.begin().unwrap();
            slot.saved(first + Duration::from_secs(seconds));
            assert!(cancel.is_cancelled(), "{seconds}");
            slot.superseded();
        }
        let cancel = slot.begin().unwrap();
        slot.saved(first + LONGEST);
        assert!(!cancel.is_cancelled());
        assert_eq!(slot.ended(), first);
        assert!(slot.begin().is_some(), "the newer save is shipped next");
    }

    #[test]
    fn a_save_during_the_deploy_is_not_lost() {
        let mut slot = slot();
        slot.saved(Instant::now());
        let _cancel = slot.begin().unwrap();
        slot.saved(Instant::now());
        slot.ended();
        assert!(slot.begin().is_some());
    }
}
