//! Endpoints: a handler, its place, its bounds and what the OpenAPI document says of it, told in one line each.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use futures_util::future::BoxFuture;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::fault::Fault;
use super::management::Key;
use super::once::{Once, once};

/// Bodies are at most this long unless the endpoint says otherwise.
const BODY: usize = 2 * 1024 * 1024;
/// An answer begins within this time unless the endpoint says otherwise.
const TIME: Duration = Duration::from_secs(30);

/// Makes the schema of a type within a document.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One method at one path.
#[derive(Clone)]
pub struct Endpoint {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) service: &'static str,
    pub(super) query: &'static [&'static str],
    pub(super) takes: Option<(&'static str, Option<SchemaOf>)>,
    pub(super) gives: Vec<(u16, Option<SchemaOf>)>,
    pub(super) open: bool,
    body: usize,
    time: Duration,
}

impl Endpoint {
    fn new(method: Method, path: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            summary,
            service: "",
            query: &[],
            takes: None,
            gives: Vec::new(),
            open: false,
            body: BODY,
            time: TIME,
        }
    }

    /// GET (and HEAD) at a template such as `/a/{x}`.
    #[must_use]
    pub fn get(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::GET, path, summary)
    }

    /// POST.
    #[must_use]
    pub fn post(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::POST, path, summary)
    }

    /// PUT.
    #[must_use]
    pub fn put(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::PUT, path, summary)
    }

    /// PATCH.
    #[must_use]
    pub fn patch(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::PATCH, path, summary)
    }

    /// DELETE.
    #[must_use]
    pub fn delete(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::DELETE, path, summary)
    }

    /// The parameters that it reads from the query.
    #[must_use]
    pub fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }

    /// Takes JSON of this shape.
    #[must_use]
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(("application/json", Some(schema_of::<T>)));
        self
    }

    /// Takes a body of another kind.
    #[must_use]
    pub fn takes_kind(mut self, kind: &'static str) -> Self {
        self.takes = Some((kind, None));
        self
    }

    /// Answers JSON of this shape.
    #[must_use]
    pub fn gives<T: JsonSchema>(mut self, status: u16) -> Self {
        self.gives.push((status, Some(schema_of::<T>)));
        self
    }

    /// Other answers.
    #[must_use]
    pub fn answers(mut self, statuses: &[u16]) -> Self {
        self.gives.extend(statuses.iter().map(|status| (*status, None)));
        self
    }

    /// Needs no token.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// The longest body, in bytes.
    #[must_use]
    pub fn body(mut self, bytes: usize) -> Self {
        self.body = bytes;
        self
    }

    /// The time until the answer begins; a body that streams in belongs to it.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The endpoints of one service while they are collected; `S` is what its handlers share.
pub struct Api<S> {
    name: &'static str,
    router: Router<S>,
    endpoints: Vec<Endpoint>,
    checks: Vec<Check>,
}

/// Something that must answer for the service to be ready.
#[derive(Clone)]
pub struct Check {
    pub(super) service: &'static str,
    /// What is asked, as `/health/ready` names it.
    pub name: &'static str,
    /// Asks it; the text says what is wrong.
    pub ask: Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<S: Clone + Send + Sync + 'static> Api<S> {
    /// A service without endpoints.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, router: Router::new(), endpoints: Vec::new(), checks: Vec::new() }
    }

    /// Adds an endpoint.
    #[must_use]
    pub fn add<H, T>(mut self, mut endpoint: Endpoint, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        endpoint.service = self.name;
        // Only the seven methods of the builders above reach this, so the filter is always there.
        let filter = MethodFilter::try_from(endpoint.method.clone()).unwrap_or(MethodFilter::GET);
        let time = endpoint.time;
        let route: MethodRouter<S> = on(filter, handler)
            .layer(DefaultBodyLimit::max(endpoint.body))
            .layer(from_fn(move |request: Request, next: Next| within(time, request, next)));
        self.router = self.router.route(endpoint.path, route);
        self.endpoints.push(endpoint);
        self
    }

    /// Adds something that must answer for the service to be ready.
    #[must_use]
    pub fn check<F, A>(mut self, name: &'static str, ask: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<(), String>> + Send + 'static,
    {
        let service = self.name;
        self.checks.push(Check { service, name, ask: Arc::new(move || Box::pin(ask())) });
        self
    }

    pub(super) fn endpoints(self) -> Vec<Endpoint> {
        self.endpoints
    }

    /// The service, ready for a front.
    #[must_use]
    pub fn finish(self, state: S) -> Service {
        Service {
            names: vec![(self.name, Key::default())],
            router: self.router.with_state(state),
            endpoints: self.endpoints,
            checks: self.checks,
        }
    }
}

async fn within(time: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Fault::problem(StatusCode::SERVICE_UNAVAILABLE, "The answer took too long.")
            .into_response(),
    }
}

/// Endpoints with their state.
#[derive(Default)]
pub struct Service {
    pub(super) names: Vec<(&'static str, Key)>,
    pub(super) router: Router,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) checks: Vec<Check>,
}

impl Service {
    /// Opens the management surface to whoever holds the key.
    #[must_use]
    pub fn managed(mut self, key: &Key) -> Self {
        self.names.iter_mut().for_each(|(_, own)| own.clone_from(key));
        self
    }

    /// Requests of a session's pages that are marked as the same are done once; `session` is the session's cookie.
    #[must_use]
    pub fn once(mut self, session: &'static str) -> Self {
        self.router = self.router.layer(from_fn_with_state(Once::new(session), once));
        self
    }

    /// Both services at one address.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.names.extend(other.names);
        self.router = self.router.merge(other.router);
        self.endpoints.extend(other.endpoints);
        self.checks.extend(other.checks);
        self
    }
}
