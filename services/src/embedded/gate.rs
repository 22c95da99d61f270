//! Which host and path mean what, as the router and the public localtest have it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{HOST, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};

use super::forward::Forward;
use crate::kit::front::Front;
use crate::kit::name::AppId;

/// Hosts of the services; beside the paths of services they have those of apps.
const SERVICES: [&str; 5] =
    ["platform.altinn.localhost", "local.altinn.cloud", "localhost", "127.0.0.1", "[::1]"];
/// What the hosts of apps end with, after the organisation's name.
const APPS: &str = ".apps.altinn.localhost";

/// Answers for all hosts. Cheap to copy.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    front: Front,
    forward: Forward,
    port: u16,
}

/// What a host and a path mean.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Services,
    App,
    /// The short form of an app's address, and the whole one.
    Short(String),
    Nowhere,
}

impl Gate {
    pub(super) fn new(front: Front, forward: Forward, port: u16) -> Self {
        Self(Arc::new(Inner { front, forward, port }))
    }

    pub(super) async fn answer(&self, mut request: Request<Body>) -> Response {
        let Inner { front, forward, port } = &*self.0;
        let host = host(&request);
        let name = host.as_deref().map(without_port).unwrap_or_default();
        match place(&name, request.uri().path(), |path| front.owns(path)) {
            Place::Services => {
                told(request.headers_mut(), host.as_deref());
                front.answer(request).await
            }
            Place::App => {
                told(request.headers_mut(), host.as_deref());
                forward.answer(request).await
            }
            Place::Short(path) => (StatusCode::FOUND, [(LOCATION, path)]).into_response(),
            Place::Nowhere => nowhere(*port),
        }
    }
}

/// The host that is asked for, with its port.
fn host(request: &Request<Body>) -> Option<String> {
    let named = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    let absolute = request.uri().authority().map(axum::http::uri::Authority::as_str);
    absolute.or(named).map(str::to_owned)
}

fn without_port(host: &str) -> String {
    let end = if host.starts_with('[') { host.find(']').map(|at| at + 1) } else { host.find(':') };
    host[..end.unwrap_or(host.len())].trim_end_matches('.').to_ascii_lowercase()
}

/// Says where the caller stands, whatever the caller says of that, as the router does.
fn told(headers: &mut HeaderMap, host: Option<&str>) {
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
    let host = host.and_then(|host| HeaderValue::from_str(host).ok());
    if let Some(host) = host {
        headers.insert("x-forwarded-host", host);
    }
    let before = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let chain = before.map_or("127.0.0.1".to_owned(), |before| format!("{before}, 127.0.0.1"));
    if let Ok(chain) = HeaderValue::from_str(&chain) {
        headers.insert("x-forwarded-for", chain);
    }
}

fn place(host: &str, path: &str, of_services: impl Fn(&str) -> bool) -> Place {
    if SERVICES.contains(&host) {
        let app = app_of(path).filter(|_| !of_services(path));
        return if app.is_some() { Place::App } else { Place::Services };
    }
    let Some(org) = host.strip_suffix(APPS).filter(|org| AppId::new(org, "app").is_ok()) else {
        return Place::Nowhere;
    };
    let whole = path.trim_matches('/');
    match AppId::new(org, whole) {
        Ok(app) if whole != org => Place::Short(format!("/{app}")),
        _ => Place::App,
    }
}

/// The app that a path begins with. What a service would have there is none, though this process has no such service.
fn app_of(path: &str) -> Option<AppId> {
    let mut words = path.strip_prefix('/')?.split('/');
    let id = AppId::new(words.next()?, words.next()?).ok()?;
    (id.app() != "api").then_some(id)
}

fn nowhere(port: u16) -> Response {
    let text = format!(
        "no route for this host. Hosts of this stack:\n  \
         http://platform.altinn.localhost:{port}/\n  \
         http://ORG.apps.altinn.localhost:{port}/ORG/APP\n  \
         http://local.altinn.cloud:{port}/\n  \
         http://localhost:{port}/\n\
         Studio and Gitea are not here: they run in containers, by `altinn-local up`.\n"
    );
    (StatusCode::NOT_FOUND, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_paths_mean_what_the_router_means() {
        let services = |path: &str| path.starts_with("/storage/") || path == "/";
        let short = |path: &str| Place::Short(path.to_owned());
        for (host, path, expected) in [
            ("platform.altinn.localhost:8800", "/storage/api/v1/instances", Place::Services),
            ("platform.altinn.localhost:8800", "/", Place::Services),
            ("platform.altinn.localhost:8800", "/notifications/api/v1/orders", Place::Services),
            ("PLATFORM.altinn.localhost.", "/ttd/my-app/instances", Place::App),
            ("local.altinn.cloud", "/ttd/my-app", Place::App),
            ("localhost:8800", "/storage/x", Place::Services),
            ("127.0.0.1:8800", "/Home", Place::Services),
            ("[::1]:8800", "/ttd/my-app/", Place::App),
            ("ttd.apps.altinn.localhost:8800", "/ttd/my-app/api/v1", Place::App),
            ("ttd.apps.altinn.localhost:8800", "/my-app/", short("/ttd/my-app")),
            ("ttd.apps.altinn.localhost:8800", "/ttd", Place::App),
            ("ttd.apps.altinn.localhost:8800", "/", Place::App),
            ("ttd.apps.altinn.localhost:8800", "/storage/x", Place::App),
            ("a.b.apps.altinn.localhost", "/", Place::Nowhere),
            ("studio.localhost:8800", "/", Place::Nowhere),
            ("evil.example", "/storage/api/v1/instances", Place::Nowhere),
            ("", "/", Place::Nowhere),
        ] {
            assert_eq!(place(&without_port(host), path, services), expected, "{host}{path}");
        }
    }

    #[test]
    fn what_a_caller_says_of_its_place_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-host", HeaderValue::from_static("evil.example"));
        headers.insert("x-forwarded-for", HeaderValue::from_static("10.0.0.1"));
        told(&mut headers, Some("localhost:1"));
        assert_eq!(headers["x-forwarded-host"], "localhost:1");
        assert_eq!(headers["x-forwarded-proto"], "http");
        assert_eq!(headers["x-forwarded-for"], "10.0.0.1, 127.0.0.1");
    }
}
