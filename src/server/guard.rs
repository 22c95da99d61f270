//! Who may pass. Any page in any tab can make the browser send requests to 127.0.0.1, under any name that resolves
//! there; what it cannot do is name our host, send our token, or lie in `Origin` and `Sec-Fetch-Site`.

use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;

use super::problem::Problem;
use super::routes::{Access, access};
use super::token::Token;

/// The names under which the TCP port may be asked for. No name of an app is among them, since a page under our
/// own name would pass for us.
const HOSTS: &[&str] = &["127.0.0.1", "[::1]", "localhost", "dashboard.localhost"];

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Over which way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// The socket of the command line: the kernel said that it is the same user.
    Socket,
    /// 127.0.0.1, with this port.
    Tcp(u16),
    /// The stack's router, through the tunnel: the pipeline alone is served there.
    Tunnel,
}

/// What the guard needs to know.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) face: Face,
    pub(super) token: std::sync::Arc<Token>,
}

/// The middleware in front of every route, known or not.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = if let Err(problem) = check(&guard, &parts) {
        problem.into_response()
    } else {
        let answer = AssertUnwindSafe(next.run(Request::from_parts(parts, body)));
        answer.catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a handler panicked");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of ours").into_response()
        })
    };
    harden(response.headers_mut());
    response
}

fn check(guard: &Guard, parts: &Parts) -> Result<(), Problem> {
    if guard.face == Face::Tunnel {
        return Err(Problem::new(StatusCode::NOT_FOUND, "there is nothing here"));
    }
    let access = access(&parts.method, parts.uri.path());
    if let Face::Tcp(port) = guard.face {
        check_host(parts, port)?;
        check_origin(&parts.headers, port)?;
        if access != Access::Open {
            check_site(&parts.headers)?;
        }
        if access == Access::Token {
            check_token(&parts.headers, &guard.token)?;
        }
    }
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    if reads || is_json(&parts.headers) {
        return Ok(());
    }
    // A form or a plain text is what a foreign page can post without asking; JSON is not.
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the content type must be application/json",
    ))
}

/// Name and port must be ours, both in `Host` and in a request target of absolute form.
fn check_host(parts: &Parts, port: u16) -> Result<(), Problem> {
    let host = once(&parts.headers, &header::HOST);
    let named = matches!(host, Once::Text(host) if is_ours(host, port));
    let target = parts.uri.authority();
    if named && target.is_none_or(|target| is_ours(target.as_str(), port)) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "this host is not served here"))
}

fn check_origin(headers: &HeaderMap, port: u16) -> Result<(), Problem> {
    let ours =
        |origin: &str| origin.strip_prefix("http://").is_some_and(|host| is_ours(host, port));
    match once(headers, &header::ORIGIN) {
        Once::Absent => Ok(()),
        Once::Text(origin) if ours(origin) => Ok(()),
        _ => Err(Problem::new(StatusCode::FORBIDDEN, "this origin may not ask")),
    }
}

pub(super) fn check_site(headers: &HeaderMap) -> Result<(), Problem> {
    match once(headers, &SEC_FETCH_SITE) {
        Once::Absent | Once::Text("same-origin" | "none") => Ok(()),
        _ => Err(Problem::new(StatusCode::FORBIDDEN, "this site may not ask")),
    }
}

fn check_token(headers: &HeaderMap, token: &Token) -> Result<(), Problem> {
    match once(headers, &header::AUTHORIZATION) {
        Once::Text(given) if given.strip_prefix("Bearer ").is_some_and(|it| token.matches(it)) => {
            Ok(())
        }
        _ => Err(Problem::new(StatusCode::UNAUTHORIZED, "a bearer token is needed")),
    }
}

fn is_ours(authority: &str, port: u16) -> bool {
    authority.rsplit_once(':').is_some_and(|(host, given)| {
        given == port.to_string() && HOSTS.iter().any(|ours| ours.eq_ignore_ascii_case(host))
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = once(headers, &header::CONTENT_TYPE);
    matches!(given, Once::Text(given) if given.eq_ignore_ascii_case("application/json"))
}

/// A header that may be there once.
enum Once<'a> {
    Absent,
    Text(&'a str),
    /// It is there several times, or is not text.
    Odd,
}

fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Once<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Once::Absent,
        (Some(value), None) => value.to_str().map_or(Once::Odd, Once::Text),
        _ => Once::Odd,
    }
}

/// What every answer says, refusals included: nobody may frame, embed, sniff or keep it.
fn harden(headers: &mut HeaderMap) {
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_names_with_our_port() {
        for (authority, ours) in [
            ("127.0.0.1:8810", true),
            ("[::1]:8810", true),
            ("LocalHost:8810", true),
            ("dashboard.localhost:8810", true),
            ("localhost", false),
            ("localhost:8811", false),
            ("localhost.:8810", false),
            ("localhost:08810", false),
            ("ttd.apps.altinn.localhost:8810", false),
            ("user@localhost:8810", false),
            ("evil.example:8810", false),
            ("127.0.0.1:8810:8810", false),
            ("", false),
        ] {
            assert_eq!(is_ours(authority, 8810), ours, "{authority}");
        }
    }
}
