//! One Helm at a time for each app: whoever changes a release takes its turn, and heals without fear what an earlier
//! one left half-done.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use crate::model::AppId;

/// Clones share the turns.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<BTreeMap<AppId, Arc<Turn<()>>>>>);

impl Turns {
    /// Waits for the app's turn, which ends when the guard is dropped. Those who wait come in their order.
    pub async fn take(&self, app: &AppId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(app.clone()).or_default())
        };
        turn.lock_owned().await
    }
}
