//! The table of routes. The router is made from it, the guard asks it, and the security tests walk over it, so no
//! route can be added without all three.

use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodRouter, get, post};
use axum::{Router, middleware};

use super::guard::{Face, Guard, guard};
use super::problem::Problem;
use super::{Shared, control, devops, stream};

/// The longest body that is read, in bytes.
const LONGEST_BODY: usize = 1 << 20;

/// What a request over TCP must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: the answer is the same for everybody.
    Open,
    /// A single-use code in the body.
    Code,
    /// The bearer token.
    Token,
}

/// One row of the table.
pub struct Route {
    /// GET or POST.
    pub method: Method,
    /// The path, without parameters.
    pub path: &'static str,
    /// What it takes to be let in over TCP.
    pub access: Access,
    handler: fn() -> MethodRouter<Shared>,
}

const fn row(
    method: Method,
    path: &'static str,
    access: Access,
    handler: fn() -> MethodRouter<Shared>,
) -> Route {
    Route { method, path, access, handler }
}

/// All routes there are.
#[must_use]
pub fn routes() -> &'static [Route] {
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    static ROUTES: &[Route] = &[
        row(GET, "/", Access::Open, || get(control::page)),
        row(GET, "/health", Access::Open, || get(control::health)),
        row(GET, "/api/v1/version", Access::Token, || get(control::version)),
        row(GET, "/api/v1/state", Access::Token, || get(control::state)),
        row(GET, "/api/v1/events", Access::Token, || get(stream::events)),
        row(GET, "/api/v1/logs", Access::Token, || get(stream::logs)),
        row(POST, "/api/v1/actions/up", Access::Token, || post(control::up)),
        row(POST, "/api/v1/actions/down", Access::Token, || post(control::down)),
        row(POST, "/api/v1/actions/deploy", Access::Token, || post(control::deploy)),
        row(POST, "/api/v1/actions/stop", Access::Token, || post(control::stop)),
        row(POST, "/api/v1/session", Access::Code, || post(control::session)),
        row(POST, "/api/v1/session/code", Access::Token, || post(control::code)),
    ];
    ROUTES
}

/// What it takes to ask for a path; what is not in the table takes the token, so that nobody learns the table.
pub(super) fn access(method: &Method, path: &str) -> Access {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    routes()
        .iter()
        .find(|route| route.method == *method && route.path == path)
        .map_or(Access::Token, |route| route.access)
}

/// The application with the rules of one face.
pub fn app(shared: Shared, face: Face) -> Router {
    let devops = devops::Desk::new(&shared, face);
    let guarded = Guard { face, token: shared.token.clone() };
    let router = routes()
        .iter()
        .fold(Router::new(), |router, route| router.route(route.path, (route.handler)()));
    router
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "there is nothing here"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not with this method")
        })
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(guarded, guard))
        .layer(middleware::from_fn_with_state(devops, devops::divert))
        .with_state(shared)
}
