//! Connections: how many, how long a head may take and be, and how they end when the service is told to stop.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::front::Front;
use super::rest::Rest;

/// Open connections; more wait in the kernel's queue.
const CONNECTIONS: usize = 2048;
/// The longest head of a request, in bytes; tokens and policies in headers are long. Longer: 431.
const HEAD: usize = 64 * 1024;
/// From the first byte of a head to its last.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long answers that are under way may take once the service was told to stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// Serves a front until `closing` is cancelled and the answers that are under way have ended, or were given up.
pub async fn serve(listener: TcpListener, front: Front, closing: CancellationToken) {
    let answer = move |request| {
        let front = front.clone();
        async move { front.answer(request).await }
    };
    serve_by(listener, answer, closing).await;
}

/// The same for whatever answers. It may take connections over (HTTP upgrades) and ends those itself.
pub async fn serve_by<A, F>(listener: TcpListener, answer: A, closing: CancellationToken)
where
    A: Fn(Request<Body>) -> F + Clone + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let next = async {
            let place = room.clone().acquire_owned().await.map_err(io::Error::other)?;
            let (stream, _) = listener.accept().await?;
            Ok::<_, io::Error>((stream, place))
        };
        let next = tokio::select! {
            next = next => next,
            () = closing.cancelled() => break,
        };
        match next {
            Ok((stream, place)) => {
                let (answer, closing) = (answer.clone(), closing.clone());
                open.spawn(async move {
                    converse(stream, answer, closing).await;
                    drop(place);
                });
            }
            // Out of file descriptors, or a peer that left before it was accepted: the next one may do.
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, ended).await.is_err() {
        tracing::warn!("some answers were cut off");
    }
}

async fn converse<A, F>(stream: TcpStream, answer: A, closing: CancellationToken)
where
    A: Fn(Request<Body>) -> F + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    // Small answers must not wait for more of them.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request: Request<Incoming>| {
        let (head, body) = request.into_parts();
        let rest = Rest::new(body, &head.headers);
        let answer = answer(Request::from_parts(head, Body::new(rest)));
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades();
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

/// Cancelled at SIGTERM (as container engines send) or Ctrl-C.
#[must_use]
pub fn until_told() -> CancellationToken {
    let closing = CancellationToken::new();
    let told = closing.clone();
    tokio::spawn(async move {
        asked_to_end().await;
        tracing::info!("stopping");
        told.cancel();
    });
    closing
}

#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => (),
            _ = tokio::signal::ctrl_c() => (),
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    drop(tokio::signal::ctrl_c().await);
}
