//! Connections that come through the tunnel, as a listener gives them.

use std::io;

use axum::serve::Listener;
use tokio::sync::mpsc;

use crate::engine::Visitor;

/// Those who come to the stack's router for the pipeline.
#[derive(Debug)]
pub struct Visitors(pub mpsc::Receiver<Visitor>);

impl Listener for Visitors {
    type Io = Visitor;
    type Addr = ();

    async fn accept(&mut self) -> (Visitor, ()) {
        match self.0.recv().await {
            Some(visitor) => (visitor, ()),
            // The engine is gone, so nobody will come any more; whoever listens is told to end by itself.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}
