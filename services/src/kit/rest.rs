//! The rest of a request's body that nobody wanted: who is refused early, by a token or by a length, is often still
//! sending. A connection that is closed then is reset, and the peer (the router says 502) never sees the refusal.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::EXPECT;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// How long the rest is read. ASP.NET gives up after 5 s, too.
const PATIENCE: Duration = Duration::from_secs(5);

/// A body that is read to its end even when it is dropped before.
pub struct Rest {
    body: Option<Incoming>,
    wanted: bool,
}

impl Rest {
    /// Keeps the body of a request with these headers. Who waits to be told to send is not told to once refused.
    #[must_use]
    pub fn new(body: Incoming, headers: &HeaderMap) -> Self {
        Self { wanted: !headers.contains_key(EXPECT), body: Some(body) }
    }
}

impl Body for Rest {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| self.wanted && !body.is_end_stream());
        if let (Some(mut rest), Ok(runtime)) = (rest, tokio::runtime::Handle::try_current()) {
            let read = async move { while let Some(Ok(_)) = rest.frame().await {} };
            runtime.spawn(tokio::time::timeout(PATIENCE, read));
        }
    }
}
