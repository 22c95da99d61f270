//! The pages that every service has: health, metrics, its document, and its part of the management surface that is the
//! same everywhere. All stand at the root for the process, and below `/{service}/` for one service, so that a router
//! in front reaches them.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::api::{Api, Check, Endpoint};
use super::body::Json;
use super::date::Date;
use super::fault::Fault;
use super::management::Key;
use super::management::faults::{Faults, Rule, Rules, Strike, Told};
use super::metrics::Metrics;
use super::openapi;

/// How long something asked by `/health/ready` may think.
const CHECK: Duration = Duration::from_secs(2);

/// What the pages tell.
pub(super) struct About {
    pub(super) metrics: Metrics,
    checks: Vec<Check>,
    document: Value,
    services: Vec<Served>,
    routes: HashMap<&'static str, Route>,
    since: Date,
}

/// One of the services of this process.
struct Served {
    name: &'static str,
    key: Key,
    faults: Faults,
    document: Value,
}

/// What is known of a route.
#[derive(Default)]
struct Route {
    service: &'static str,
    /// Methods that need a token.
    closed: Vec<Method>,
}

impl About {
    pub(super) fn new(
        names: Vec<(&'static str, Key)>,
        endpoints: &[Endpoint],
        checks: Vec<Check>,
    ) -> Self {
        let mut routes: HashMap<&'static str, Route> = HashMap::new();
        for endpoint in endpoints {
            let route = routes.entry(endpoint.path).or_default();
            route.service = endpoint.service;
            if !endpoint.open {
                route.closed.push(endpoint.method.clone());
            }
        }
        let served = |(name, key)| {
            let own: Vec<Endpoint> = endpoints
                .iter()
                .filter(|endpoint| endpoint.service == name || endpoint.service == PAGES)
                .cloned()
                .collect();
            Served { name, key, faults: Faults::default(), document: openapi::document(&own) }
        };
        Self {
            metrics: Metrics::default(),
            checks,
            document: openapi::document(endpoints),
            services: names.into_iter().map(served).collect(),
            routes,
            since: Date::now(),
        }
    }

    fn served(&self, name: &str) -> Result<&Served, Fault> {
        let fits = |served: &&Served| served.name.eq_ignore_ascii_case(name);
        self.services.iter().find(fits).ok_or_else(Fault::not_found)
    }

    fn managed(&self, name: &str, headers: &HeaderMap) -> Result<&Served, Fault> {
        let served = self.served(name)?;
        served.key.check(headers).map(|()| served)
    }

    fn is_of(&self, route: &str, service: &str) -> bool {
        self.routes.get(route).is_some_and(|route| route.service == service)
    }

    /// The fault that a request meets. Management and the pages of this module meet none.
    pub(super) fn strike(&self, request: &Request, route: &str) -> Option<Strike> {
        let known = self.routes.get(route)?;
        let served = self.services.iter().find(|served| served.name == known.service)?;
        let path = request.uri().path();
        let below = path.strip_prefix('/')?.strip_prefix(served.name);
        if below.is_some_and(|rest| rest.starts_with("/local/")) {
            return None;
        }
        // A HEAD is answered by the endpoint of GET.
        let method = request.method();
        let own = if *method == Method::HEAD { &Method::GET } else { method };
        let strike = served.faults.strike(method, path, known.closed.contains(own))?;
        for rule in &strike.rules {
            self.metrics.strike(served.name, *rule);
        }
        tracing::info!(service = served.name, rules = ?strike.rules, %method, path, "a fault that was asked for");
        Some(strike)
    }

    async fn ready(&self, service: Option<&str>) -> (StatusCode, Json<Value>) {
        let wanted = |check: &&Check| service.is_none_or(|service| check.service == service);
        let asked = self.checks.iter().filter(wanted).map(|check| async move {
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
            .map(|(name, told)| {
                (name.to_owned(), Value::from(told.err().unwrap_or("ok".to_owned())))
            })
            .collect();
        let (status, word) = if healthy {
            (StatusCode::OK, "Healthy")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "Unhealthy")
        };
        (status, Json(json!({ "status": word, "needs": entries })))
    }
}

/// The name under which the pages' endpoints stand.
const PAGES: &str = "service";

/// The router of the pages, and what the document tells of them.
pub(super) type Pages = (fn(Arc<About>) -> Router, Vec<Endpoint>);

pub(super) fn pages() -> Pages {
    (|about| api().finish(about).router, api().endpoints())
}

fn api() -> Api<Arc<About>> {
    let open = |path, summary| Endpoint::get(path, summary).open().answers(&[200]);
    let ready = |path, summary| Endpoint::get(path, summary).open().answers(&[200, 503]);
    let api = Api::new(PAGES)
        .add(open("/health/live", "The program runs"), live)
        .add(ready("/health/ready", "Everything it needs answers"), all_ready)
        .add(ready("/health", "As /health/ready"), all_ready)
        .add(open("/metrics", "Counts and times"), metrics)
        .add(open("/openapi.json", "This document"), document)
        .add(open("/{service}/health/live", "The service runs"), live_of)
        .add(ready("/{service}/health/ready", "Everything that the service needs"), ready_of)
        .add(open("/{service}/metrics", "Counts and times of the service"), metrics_of)
        .add(open("/{service}/openapi.json", "The service's document"), document_of);
    management(api)
}

fn management(api: Api<Arc<About>>) -> Api<Arc<About>> {
    const FAULTS: &str = "/{service}/local/faults";
    api.add(
        Endpoint::get("/{service}/local/about", "Version, health and requests")
            .answers(&[200, 404]),
        told,
    )
    .add(Endpoint::get(FAULTS, "The faults that are asked for").answers(&[200, 404]), faults)
    .add(
        Endpoint::put(FAULTS, "Replaces the faults").takes::<Rules>().answers(&[200, 400, 404]),
        set_faults,
    )
    .add(
        Endpoint::post(FAULTS, "Adds a fault").takes::<Rule>().answers(&[200, 400, 404]),
        add_fault,
    )
    .add(Endpoint::delete(FAULTS, "Clears the faults").answers(&[200, 404]), clear_faults)
}

type Its = State<Arc<About>>;

async fn live() -> Json<Value> {
    Json(json!({ "status": "Healthy" }))
}

async fn live_of(State(about): Its, Path(name): Path<String>) -> Result<Json<Value>, Fault> {
    about.served(&name)?;
    Ok(live().await)
}

async fn all_ready(State(about): Its) -> (StatusCode, Json<Value>) {
    about.ready(None).await
}

async fn ready_of(State(about): Its, Path(name): Path<String>) -> Result<Response, Fault> {
    let name = about.served(&name)?.name;
    Ok(about.ready(Some(name)).await.into_response())
}

async fn metrics(State(about): Its) -> Response {
    page(about.metrics.text(|_| true, None))
}

async fn metrics_of(State(about): Its, Path(name): Path<String>) -> Result<Response, Fault> {
    let name = about.served(&name)?.name;
    Ok(page(about.metrics.text(|route| about.is_of(route, name), Some(name))))
}

fn page(text: String) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

async fn document(State(about): Its) -> Json<Value> {
    Json(about.document.clone())
}

async fn document_of(State(about): Its, Path(name): Path<String>) -> Result<Json<Value>, Fault> {
    about.served(&name).map(|served| Json(served.document.clone()))
}

async fn told(
    State(about): Its,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Fault> {
    let served = about.managed(&name, &headers)?;
    let (_, Json(health)) = about.ready(Some(served.name)).await;
    Ok(Json(json!({
        "service": served.name,
        "version": env!("CARGO_PKG_VERSION"),
        "since": about.since,
        "health": health,
        "requests": about.metrics.answers(|route| about.is_of(route, served.name)),
        "faults": served.faults.told().len(),
    })))
}

async fn faults(
    State(about): Its,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Fault> {
    about.managed(&name, &headers).map(shown)
}

async fn set_faults(
    State(about): Its,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Json<Rules>, Fault>,
) -> Result<Json<Value>, Fault> {
    let served = about.managed(&name, &headers)?;
    served.faults.set(body?.0.rules)?;
    Ok(shown(served))
}

async fn add_fault(
    State(about): Its,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Json<Rule>, Fault>,
) -> Result<Json<Value>, Fault> {
    let served = about.managed(&name, &headers)?;
    served.faults.add(body?.0)?;
    Ok(shown(served))
}

async fn clear_faults(
    State(about): Its,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Fault> {
    let served = about.managed(&name, &headers)?;
    let gone = shown(served);
    served.faults.set(Vec::new())?;
    Ok(gone)
}

fn shown(served: &Served) -> Json<Value> {
    let rules: Vec<Told> = served.faults.told();
    Json(json!({
        "service": served.name,
        "rules": rules,
        "lasts": "until the service ends; rules are kept in memory",
    }))
}
