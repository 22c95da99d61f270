//! A request's body that may be slow but not still: who sends nothing for a while is cut off.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// How long a sender may pause within a body.
pub const PAUSE: Duration = Duration::from_secs(30);

/// Nothing came for too long.
#[derive(Debug, thiserror::Error)]
#[error("the body stalled")]
pub struct Stalled;

/// A body with a deadline for each of its frames.
pub struct Guarded {
    body: Body,
    pause: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl Guarded {
    /// Guards a body, unless it is known to be empty.
    pub fn body(body: Body, pause: Duration) -> Body {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Self { body, pause, deadline: Box::pin(tokio::time::sleep(pause)) })
    }
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let next = Instant::now() + self.pause;
            self.deadline.as_mut().reset(next);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(Some(Err(Box::new(Stalled))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
