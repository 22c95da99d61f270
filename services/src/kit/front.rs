//! The front of one or several services: each request passes here once, and each answer.
//!
//! Here are kept: the spelling of paths, the string form of answers, panics, faults that were asked for, the log line
//! and the count of each request. The pages that every service has are in `about`.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tower::ServiceExt;

use super::about::{About, pages};
use super::api::Service;
use super::fault::Fault;
use super::guard::{Guarded, PAUSE};
use super::path::Paths;
use super::words;

/// Answers requests. Cheap to copy.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    paths: Paths,
    router: Router,
    about: Arc<About>,
}

impl Front {
    /// A front for these services, with the pages that every service has.
    #[must_use]
    pub fn new(service: Service) -> Self {
        super::logs::watch_panics();
        let (router, own) = pages();
        let mut endpoints = service.endpoints;
        endpoints.extend(own);
        let about = Arc::new(About::new(service.names, &endpoints, service.checks));
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
        let found = match self.0.paths.find(request.uri().path()) {
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
        let strike = self.0.about.strike(&request, found.template);
        let answer = self.handle(request);
        let response = match strike {
            Some(strike) => strike.apply(answer).await,
            None => answer.await,
        };
        (found.template, response)
    }

    async fn handle(&self, request: Request<Body>) -> Response {
        let request = request.map(|body| Guarded::body(body, PAUSE));
        let answer = AssertUnwindSafe(self.0.router.clone().oneshot(request)).catch_unwind();
        match answer.await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => Fault::internal("a handler panicked").into_response(),
        }
    }
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
