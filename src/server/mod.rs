//! The agent's HTTP side: one set of routes with two faces, the socket of the command line and a TCP port on
//! 127.0.0.1 for browsers. It asks the engine through its handle and decides nothing.
//!
//! Every web page the developer visits can send requests to the TCP port, so each one passes `guard` before any
//! route sees it. The table of routes in [`routes`] is what the security tests walk over.

mod accept;
mod control;
mod devops;
mod guard;
mod problem;
mod routes;
mod stream;
mod token;
mod visitors;

pub use accept::serve;
pub use control::{Accepted, Code, Version};
pub use devops::Keys;
pub use guard::Face;
pub use problem::Problem;
pub use routes::{Access, Route, app, routes};
pub use token::{Codes, Token};
pub use visitors::Visitors;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::engine::EngineHandle;
use crate::model::StackName;

/// Streams that may be open at once: each costs a connection and a place in the journal.
const STREAMS: usize = 64;

/// What the handlers share; clones share it too.
#[derive(Debug, Clone)]
pub struct Shared {
    engine: EngineHandle,
    stack: StackName,
    environment: Arc<str>,
    token: Arc<Token>,
    /// What opens the pipeline to those who are not the stack's user.
    pipeline: Arc<devops::Keys>,
    codes: Arc<Codes>,
    streams: Arc<Semaphore>,
    closing: CancellationToken,
}

impl Shared {
    /// The state of both faces. `environment` is the fingerprint of the agent's
    /// own; `closing` ends streams and connections.
    #[must_use]
    pub fn new(
        engine: EngineHandle,
        stack: StackName,
        environment: &str,
        token: Token,
        pipeline: Keys,
        closing: CancellationToken,
    ) -> Self {
        Self {
            engine,
            stack,
            environment: environment.into(),
            token: Arc::new(token),
            pipeline: Arc::new(pipeline),
            codes: Arc::default(),
            streams: Arc::new(Semaphore::new(STREAMS)),
            closing,
        }
    }
}
