//! Bodies that are made while they are sent.

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use tokio::sync::mpsc;

use crate::kit::fault::Fault;

/// Pieces that may wait for the receiver.
const WAITING: usize = 4;

/// Where a body is written to.
#[derive(Debug, Clone)]
pub struct Sink(mpsc::Sender<Bytes>);

impl Sink {
    /// Sends a piece, as soon as there is room for it.
    pub async fn send(&self, piece: impl Into<Bytes>) -> Result<(), Fault> {
        let gone = |_| Fault::unavailable("the receiver", "it went away");
        self.0.send(piece.into()).await.map_err(gone)
    }
}

/// A body that `work` writes. It runs only while the body is read, and what it fails with cuts the body off, so that
/// nobody takes a part for the whole.
pub fn body<F>(work: impl FnOnce(Sink) -> F) -> Body
where
    F: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let (sender, mut pieces) = mpsc::channel(WAITING);
    let work = work(Sink(sender));
    let pieces = stream::poll_fn(move |context| pieces.poll_recv(context)).map(Ok);
    let fault = stream::once(work).filter_map(|done| {
        future::ready(done.err().map(|fault| {
            tracing::warn!(status = %fault.status(), "a body was cut off");
            Err(std::io::Error::other(format!("cut off: {}", fault.status())))
        }))
    });
    Body::from_stream(stream::select(pieces, fault))
}
