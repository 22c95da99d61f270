//! The pipeline's own surface: the build API of Azure DevOps as Designer, the official clients and our own command
//! line use it (contract: `azure-devops-wire.md`), and what Designer reads about environments and clusters.
//!
//! Paths are matched here and not by the router, because a collection and a project may stand in front of
//! `/_apis`, in any case.

mod builds;
mod clusters;
mod discovery;
mod fault;
mod filter;
mod hooks;
mod shape;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Shared;
use super::guard::{Face, check_site};
use super::token::same;
use crate::engine::EngineHandle;
use crate::model::Stack;
use fault::Fault;

/// The longest body that is read, in bytes: news of a push names its commits.
const LONGEST: usize = 4 << 20;

/// What opens the pipeline.
#[derive(Clone)]
pub struct Keys {
    /// The token that Designer and other clients send.
    pub token: String,
    /// What Gitea signs the news of pushes with.
    pub hook: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// What the pipeline is served with, on one face.
#[derive(Clone)]
pub(super) struct Desk {
    engine: EngineHandle,
    keys: std::sync::Arc<Keys>,
    face: Face,
}

impl Desk {
    pub(super) fn new(shared: &Shared, face: Face) -> Self {
        Self { engine: shared.engine.clone(), keys: shared.pipeline.clone(), face }
    }
}

/// A request to the pipeline.
struct Asked<'a> {
    desk: &'a Desk,
    method: Method,
    /// What follows `_apis`, in lower case.
    path: Vec<String>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
    /// The address up to `_apis`, for links.
    base: String,
}

/// Answers what is the pipeline's, and passes on all else.
pub(super) async fn divert(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let api = path.split('/').position(|part| part.eq_ignore_ascii_case("_apis"));
    // A collection and a project at most.
    let api = api.filter(|place| (1..=3).contains(place));
    let mut response = match (api, desk.face) {
        (Some(place), _) => api_call(&desk, place, request).await,
        (None, Face::Tunnel) => {
            let (parts, body) = request.into_parts();
            open_call(&desk, &parts, body).await
        }
        (None, _) => return next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}

async fn api_call(desk: &Desk, place: usize, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(fault) = admit(desk, &parts) {
        return fault.into_response();
    }
    let segments: Vec<&str> = parts.uri.path().split('/').collect();
    let rest = segments[place + 1..].iter().filter(|part| !part.is_empty());
    let host =
        parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let Ok(body) = to_bytes(body, LONGEST).await else {
        return Fault::invalid("the body is too long").into_response();
    };
    let asked = Asked {
        desk,
        path: rest.map(|part| part.to_lowercase()).collect(),
        base: format!("http://{host}{}", segments[..place].join("/")),
        query: Query::try_from_uri(&parts.uri).map(|Query(pairs)| pairs).unwrap_or_default(),
        method: parts.method,
        headers: parts.headers,
        body,
    };
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    let answer = match path.as_slice() {
        _ if asked.method == Method::OPTIONS => Ok(discovery::locations()),
        ["resourceareas", ..] => Ok(discovery::areas()),
        ["connectiondata"] => Ok(discovery::connection()),
        ["projects", ..] => Ok(discovery::projects(&asked.base)),
        ["build", rest @ ..] => builds::answer(&asked, rest),
        _ => Err(Fault::nothing()),
    };
    answer.unwrap_or_else(Fault::into_response)
}

/// What is no secret, as in production: lists of environments and organisations, and what runs in a cluster; and news
/// of pushes, which are signed.
async fn open_call(desk: &Desk, parts: &Parts, body: Body) -> Response {
    if let Err(fault) = same_site(&parts.headers) {
        return fault.into_response();
    }
    let segments: Vec<&str> = parts.uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let answer = match (&parts.method, segments.as_slice()) {
        (&Method::POST, ["hooks", "gitea"]) => match to_bytes(body, LONGEST).await {
            Ok(body) => hooks::heard(desk, &parts.headers, &body),
            Err(_) => Err(Fault::invalid("the body is too long")),
        },
        (&(Method::GET | Method::HEAD), path) => clusters::answer(desk, parts, path).await,
        (&Method::POST, ["clusters", _, _, "runtime", "gateway", .., "reconcile"]) => {
            Ok(StatusCode::ACCEPTED.into_response())
        }
        _ => Err(Fault::nothing()),
    };
    answer.unwrap_or_else(Fault::into_response)
}

/// Over the socket the kernel said that it is the same user; all others show the token. No page of another site gets
/// in, whatever it shows.
fn admit(desk: &Desk, parts: &Parts) -> Result<(), Fault> {
    if desk.face == Face::Socket {
        return Ok(());
    }
    let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if !named.is_some_and(|host| is_ours(desk.face, host)) {
        return Err(Fault::new(StatusCode::MISDIRECTED_REQUEST, "this host is not served here"));
    }
    same_site(&parts.headers)?;
    // As in Azure DevOps, what tells a client how to ask is told to everybody.
    if parts.method == Method::OPTIONS {
        return Ok(());
    }
    let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given.is_some_and(|given| opens(&desk.keys.token, given)) {
        return Ok(());
    }
    Err(Fault::unauthorized())
}

fn same_site(headers: &HeaderMap) -> Result<(), Fault> {
    if headers.contains_key(header::ORIGIN) || check_site(headers).is_err() {
        return Err(Fault::new(StatusCode::FORBIDDEN, "this site may not ask"));
    }
    Ok(())
}

fn is_ours(face: Face, authority: &str) -> bool {
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    match face {
        Face::Socket => true,
        Face::Tunnel => host.eq_ignore_ascii_case(Stack::PIPELINE_HOST),
        Face::Tcp(own) => {
            port == own.to_string()
                && ["127.0.0.1", "localhost"].iter().any(|ours| host.eq_ignore_ascii_case(ours))
        }
    }
}

/// A personal access token is the password of Basic, with any name; Bearer is taken as well.
fn opens(token: &str, given: &str) -> bool {
    let shown = match given.split_once(' ') {
        Some((scheme, value)) if scheme.eq_ignore_ascii_case("bearer") => {
            Some(value.trim().to_owned())
        }
        Some((scheme, value)) if scheme.eq_ignore_ascii_case("basic") => STANDARD
            .decode(value.trim())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|pair| pair.split_once(':').map(|(_, password)| password.to_owned())),
        _ => None,
    };
    shown.is_some_and(|shown| !token.is_empty() && same(&shown, token))
}
