//! Which dev server is behind which port of the router, and how it is now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::source::Source;
use super::state::DevState;
use crate::model::AppId;

/// The dev servers of a stack, by the relayed port behind which each is reached; clones share it. A server gets another
/// port of the workstation each time it starts, but is always behind the same one of the router.
#[derive(Debug, Clone, Default)]
pub struct Switchboard {
    lines: Arc<Mutex<BTreeMap<u16, Line>>>,
}

#[derive(Debug, Clone)]
struct Line {
    source: Source,
    state: watch::Receiver<DevState>,
}

impl Switchboard {
    /// Puts these servers in the place of those before.
    pub fn connect(
        &self,
        servers: impl IntoIterator<Item = (u16, Source, watch::Receiver<DevState>)>,
    ) {
        let lines = servers.into_iter().map(|(port, source, state)| (port, Line { source, state }));
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) = lines.collect();
    }

    /// The port on 127.0.0.1 that a relayed port leads to now; none when its server does not answer.
    #[must_use]
    pub fn port(&self, relayed: u16) -> Option<u16> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let state = lines.get(&relayed)?.state.borrow();
        state.route.as_ref().map(|route| route.port)
    }

    /// How the dev servers of an app's widgets are.
    #[must_use]
    pub fn widgets(&self, app: &AppId) -> Vec<DevState> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let own = lines
            .values()
            .filter(|line| matches!(&line.source, Source::Widget(of, _) if of == app));
        own.map(|line| line.state.borrow().clone()).collect()
    }
}
