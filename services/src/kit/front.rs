//! The front of one or several services: each request passes here once, and each answer.
//!
//! Here are kept: the spelling of paths, the string form of answers, panics, the log line and the count of each
//! request, and the pages that every service has.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use super::api::{Api, Check, Endpoint, Service};
use super::body::Json;
use super::fault::Fault;
use super::guard::{Guarded, PAUSE};
use super::metrics::Metrics;
use super::path::Paths;
use super::{openapi, words};

/// How long something asked by `/health/ready` may think.
const CHECK: Duration = Duration::from_secs(2);

/// Answers requests. Cheap to copy.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    paths: Paths,
    router: Router,
    about: Arc<About>,
}

/// What the pages of every service tell.
struct About {
    metrics: Metrics,
    checks: Vec<Check>,
    document: Value,
}

impl Front {
    /// A front for these services, with `/health`, `/metrics` and `/openapi.json` added.
    #[must_use]
    pub fn new(service: Service) -> Self {
        super::logs::watch_panics();
        let pages = pages();
        let mut endpoints = service.endpoints;
        let (router, own) = pages;
        endpoints.extend(own.iter().cloned());
        let about = Arc::new(About {
            metrics: Metrics::default(),
            checks: service.checks,
            document: openapi::document(&endpoints),
        });
        let mut paths = Paths::default();
        for endpoint in &endpoints {
            paths.add(endpoint.path);
        }
        let router = service.router.merge(router(about.clone()));
        Self(Arc::new(Inner { paths, router, about }))
    }

    /// Whether a path begins as one of the services' own does.
    #[must_use]
    pub fn owns(&self, path: &str) -> bool {
        self.0.paths.begins(path)
    }

    /// Answers one request; never fails, never panics.
    pub async fn answer(&self, request: Request<Body>) -> Response {
        let started = Instant::now();
        let method = request.method().clone();
        let accept = words::accept(request.headers());
        let (route, response) = self.route(request).await;
        let mut response = words::write(response, accept.as_ref());
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // Answers depend on the token; nothing on the way may keep them.
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        let (status, took) = (response.status().as_u16(), started.elapsed());
        self.0.about.metrics.count(&method, route, status, took);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(%method, route, status, micros, "answered");
        response
    }

    async fn route(&self, mut request: Request<Body>) -> (&str, Response) {
        let found = match self.0.paths.find(unnamed(request.uri().path())) {
            Ok(Some(found)) => found,
            Ok(None) => return ("none", Fault::not_found().into_response()),
            Err(_) => {
                let fault = Fault::problem(StatusCode::BAD_REQUEST, "The path is not valid.");
                return ("none", fault.into_response());
            }
        };
        if let Some(uri) = respelled(request.uri(), &found.path) {
            *request.uri_mut() = uri;
        }
        let request = request.map(|body| Guarded::body(body, PAUSE));
        let answer = AssertUnwindSafe(self.0.router.clone().oneshot(request)).catch_unwind();
        let response = match answer.await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => Fault::internal("a handler panicked").into_response(),
        };
        (found.template, response)
    }
}

/// Behind a router, which leads to a service by its name, its own pages are below that name: `/storage/health/ready`.
fn unnamed(path: &str) -> &str {
    let rest = path.get(1..).and_then(|path| path.find('/')).map(|end| &path[end + 1..]);
    let page =
        |rest: &&str| rest.starts_with("/health") || matches!(*rest, "/metrics" | "/openapi.json");
    rest.filter(page).unwrap_or(path)
}

fn respelled(uri: &Uri, path: &str) -> Option<Uri> {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

type Pages = (fn(Arc<About>) -> Router, Vec<Endpoint>);

fn pages() -> Pages {
    fn api() -> Api<Arc<About>> {
        Api::new("service")
            .add(Endpoint::get("/health/live", "The program runs").open().answers(&[200]), live)
            .add(
                Endpoint::get("/health/ready", "Everything it needs answers")
                    .open()
                    .answers(&[200, 503]),
                ready,
            )
            .add(Endpoint::get("/health", "As /health/ready").open().answers(&[200, 503]), ready)
            .add(Endpoint::get("/metrics", "Counts and times").open().answers(&[200]), metrics)
            .add(Endpoint::get("/openapi.json", "This document").open().answers(&[200]), document)
    }
    (|about| api().finish(about).router, api().endpoints())
}

async fn live() -> Json<Value> {
    Json(json!({ "status": "Healthy" }))
}

async fn ready(State(about): State<Arc<About>>) -> (StatusCode, Json<Value>) {
    let asked = about.checks.iter().map(|check| async move {
        let told = match tokio::time::timeout(CHECK, (check.ask)()).await {
            Ok(told) => told,
            Err(_) => Err("no answer".to_owned()),
        };
        (check.name, told)
    });
    let told = futures_util::future::join_all(asked).await;
    let healthy = told.iter().all(|(_, told)| told.is_ok());
    let entries: Map<String, Value> = told
        .into_iter()
        .map(|(name, told)| (name.to_owned(), Value::from(told.err().unwrap_or("ok".to_owned()))))
        .collect();
    let (status, word) = if healthy {
        (StatusCode::OK, "Healthy")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "Unhealthy")
    };
    (status, Json(json!({ "status": word, "needs": entries })))
}

async fn metrics(State(about): State<Arc<About>>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], about.metrics.text()).into_response()
}

async fn document(State(about): State<Arc<About>>) -> Json<Value> {
    Json(about.document.clone())
}
