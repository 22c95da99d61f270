//! Accepts connections and keeps each within bounds: how many, how long a header may take and be, and how long a
//! reader may stand still.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;

/// Open connections on one face.
const CONNECTIONS: usize = 512;
/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;
/// From the first byte of a request's head to its last.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a reader may take nothing while there is something for it.
const STALL: Duration = Duration::from_secs(10);
/// How long open connections may take to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves until `closing` is cancelled and the open connections have ended, or were given up.
pub async fn serve<L: Listener>(mut listener: L, app: Router, closing: CancellationToken) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        // The semaphore is never closed, so a missing place means only that the agent ends.
        let next = async {
            let place = room.clone().acquire_owned().await.ok()?;
            Some((listener.accept().await.0, place))
        };
        let (stream, place) = tokio::select! {
            next = next => match next {
                Some(next) => next,
                None => break,
            },
            () = closing.cancelled() => break,
        };
        let (app, closing) = (app.clone(), closing.clone());
        open.spawn(async move {
            converse(Patient::new(stream, STALL), app, closing).await;
            drop(place);
        });
    }
    drop(listener);
    let _ =
        tokio::time::timeout(FAREWELL, async { while open.join_next().await.is_some() {} }).await;
}

async fn converse<S>(stream: Patient<S>, app: Router, closing: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// A stream whose writes fail when the other side has taken nothing for a while.
struct Patient<S> {
    stream: S,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    const fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, stalled: None }
    }

    fn judge<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timer = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.patience)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.judge(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn a_reader_that_stands_still_is_cut_and_a_slow_one_is_not() {
        let patience = Duration::from_millis(200);
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut stream = Patient::new(ours, patience);
        let text = [b'x'; 320];
        let slow = async {
            let mut buffer = [0; 64];
            for _ in 0..5 {
                tokio::time::sleep(patience / 4).await;
                theirs.read_exact(&mut buffer).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(stream.write_all(&text), slow);
        written.unwrap();
        let error = stream.write_all(&text).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
