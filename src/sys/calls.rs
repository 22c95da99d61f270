//! Counts the calls that change something outside, so that "nothing was changed" is a number and not a promise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A shared counter of changing calls to engine, clusters, registries and Helm.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<AtomicU64>);

impl Calls {
    /// Notes one changing call, in the counter and in the log.
    pub fn changing(&self, call: &str) {
        tracing::info!(target: "altinn_local::calls", call, "changing call");
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
