//! Requests that a browser sends again, as no answer came to the first: what they ask for is done once.
//!
//! A browser gives up what is on its way when a network of the machine comes or goes, as that of any container. A page
//! that marks its requests with an `Idempotency-Key` (the header of the IETF's draft of that name) may send them again,
//! and gets the answer of the first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::OnceCell;

use super::body::broken;
use super::cookie;
use super::fault::Fault;

const HEADER: &str = "idempotency-key";
/// Longer than a page tries.
const KEPT: Duration = Duration::from_mins(5);
/// Of all answers, this many; the oldest go first.
const MOST: usize = 500;
/// The longest body; endpoints have lower bounds of their own.
const BODY: usize = 16 * 1024 * 1024;

/// The answers that were given.
#[derive(Clone)]
pub(super) struct Once {
    /// The cookie of a session: a key is one session's own.
    session: &'static str,
    given: Arc<Mutex<HashMap<Key, Given>>>,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    session: String,
    name: String,
    method: Method,
    uri: Uri,
}

struct Given {
    since: Instant,
    answer: Arc<OnceCell<Answer>>,
}

#[derive(Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Once {
    pub(super) fn new(session: &'static str) -> Self {
        Self { session, given: Arc::default() }
    }

    fn key(&self, request: &Request) -> Option<Key> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let headers = request.headers();
        let name = headers.get(HEADER)?.to_str().ok()?.to_owned();
        let session = cookie::read(headers, self.session)?;
        Some(Key { session, name, method: request.method().clone(), uri: request.uri().clone() })
    }

    fn answer(&self, key: Key) -> Arc<OnceCell<Answer>> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|_, one| one.since.elapsed() < KEPT);
        while given.len() >= MOST {
            let Some(oldest) = given.values().map(|one| one.since).min() else { break };
            given.retain(|_, one| one.since != oldest);
        }
        let made = || Given { since: Instant::now(), answer: Arc::default() };
        given.entry(key).or_insert_with(made).answer.clone()
    }
}

/// Answers a marked request; the same one again gets the same answer, also while the first is at work.
pub(super) async fn once(State(once): State<Once>, request: Request, next: Next) -> Response {
    let Some(key) = once.key(&request) else { return next.run(request).await };
    // A body that breaks off is no request: the key stays free.
    let (parts, body) = request.into_parts();
    let body = match to_bytes(body, BODY).await {
        Ok(body) => body,
        Err(error) => return broken(&error).into_response(),
    };
    let request = Request::from_parts(parts, Body::from(body));
    let answer = once.answer(key);
    // On its own: the connection's end is the end of who waits, and not of the work.
    let work = async move { answer.get_or_try_init(|| Answer::of(next, request)).await.cloned() };
    match tokio::spawn(work).await {
        Ok(Ok(answer)) => answer.into_response(),
        Ok(Err(error)) => Fault::internal(error).into_response(),
        Err(error) => Fault::internal(error).into_response(),
    }
}

impl Answer {
    async fn of(next: Next, request: Request) -> Result<Self, axum::Error> {
        let (parts, body) = next.run(request).await.into_parts();
        let body = to_bytes(body, usize::MAX).await?;
        Ok(Self { status: parts.status, headers: parts.headers, body })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}
