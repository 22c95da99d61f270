//! Signing in through Gitea: OAuth 2, the code flow with PKCE (RFC 7636) and a state that only this browser knows.
//!
//! What is under way lives in a cookie of the browser, so that nobody can fill this service with beginnings.

use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use super::Designer;
use super::session::{COOKIE, CSRF_COOKIE, User, secret};
use crate::kit::cookie;
use crate::kit::fault::Fault;
use crate::kit::query::Query;

const UNDER_WAY: &str = "AltinnStudioSignIn";
/// The path of the real Designer; the OAuth application in Gitea names it.
const CALLBACK: &str = "/signin-oidc";

/// GET /login: sends the browser to Gitea.
pub(super) async fn begin(
    State(designer): State<Designer>,
    query: Query,
) -> Result<Response, Fault> {
    let (state, verifier) = (secret()?, secret()?);
    let back = local(query.get("redirect_to").unwrap_or("/"));
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let asked = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", designer.0.client.id.as_str()),
            ("redirect_uri", &designer.callback()),
            ("response_type", "code"),
            ("scope", "openid profile email"),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ])
        .finish();
    let to = format!("{}/login/oauth/authorize?{asked}", designer.0.gitea_public);
    let value = format!("{state}.{verifier}.{}", URL_SAFE_NO_PAD.encode(back));
    let kept = designer.cookie(UNDER_WAY, &value, "HttpOnly; Max-Age=600");
    Ok((StatusCode::FOUND, [(LOCATION, to), (SET_COOKIE, kept)]).into_response())
}

/// GET /signin-oidc: Gitea sends the browser back with a code.
pub(super) async fn end(
    State(designer): State<Designer>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Fault> {
    let under_way = cookie::read(&headers, UNDER_WAY).unwrap_or_default();
    let mut parts = under_way.split('.');
    let (state, verifier) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let back = parts.next().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let back = back.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let gone = designer.cookie(UNDER_WAY, "", "HttpOnly; Max-Age=0");
    let Some(code) = query.get("code").filter(|_| {
        !state.is_empty() && query.get("state").is_some_and(|returned| returned == state)
    }) else {
        // Refused at Gitea, a stale tab, or a link that somebody else made: the page says so and offers a new try.
        let to = "/?signin=failed".to_owned();
        return Ok((StatusCode::FOUND, [(LOCATION, to), (SET_COOKIE, gone)]).into_response());
    };
    let granted = designer
        .0
        .gitea
        .grant(&[
            ("grant_type", "authorization_code"),
            ("client_id", &designer.0.client.id),
            ("client_secret", &designer.0.client.secret),
            ("redirect_uri", &designer.callback()),
            ("code", code),
            ("code_verifier", verifier),
        ])
        .await?;
    let Some(granted) = granted else {
        let to = "/?signin=failed".to_owned();
        return Ok((StatusCode::FOUND, [(LOCATION, to), (SET_COOKIE, gone)]).into_response());
    };
    let user = designer.0.gitea.user(&granted.access_token).await?;
    // A new id for each sign-in: a session that somebody else planted ends here.
    designer.0.sessions.end(&headers);
    let (id, session) = designer.0.sessions.begin(user, granted)?;
    let cookies: [(HeaderName, String); 3] = [
        (SET_COOKIE, gone),
        (SET_COOKIE, designer.cookie(COOKIE, &id, "HttpOnly")),
        (SET_COOKIE, designer.cookie(CSRF_COOKIE, &session.csrf, "Max-Age=2592000")),
    ];
    let to = [(LOCATION, local(&back))];
    Ok((StatusCode::FOUND, to, AppendHeaders(cookies)).into_response())
}

/// POST /logout: ends the session here; Gitea's own goes on.
pub(super) async fn leave(
    State(designer): State<Designer>,
    User(_): User,
    headers: HeaderMap,
) -> Response {
    designer.0.sessions.end(&headers);
    let cookies: [(HeaderName, String); 2] = [
        (SET_COOKIE, designer.cookie(COOKIE, "", "HttpOnly; Max-Age=0")),
        (SET_COOKIE, designer.cookie(CSRF_COOKIE, "", "Max-Age=0")),
    ];
    (StatusCode::NO_CONTENT, AppendHeaders(cookies)).into_response()
}

impl Designer {
    fn callback(&self) -> String {
        format!("{}{CALLBACK}", self.0.public)
    }

    /// Cookies are for this host alone. `Secure` where the address is https.
    fn cookie(&self, name: &str, value: &str, more: &str) -> String {
        let secure = if self.0.public.starts_with("https:") { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; SameSite=Lax; {more}{secure}")
    }
}

/// A path of this host, and nothing that a browser would take for another host.
fn local(path: &str) -> String {
    let fits = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && path.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { path.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn back_to_this_host_only() {
        for path in ["/", "/editor/ttd/app/ui?x=1", "/a#b"] {
            assert_eq!(local(path), path);
        }
        for path in ["", "//evil", "/\\evil", "http://evil", "/a\r\nSet-Cookie: x", "/\tevil"] {
            assert_eq!(local(path), "/", "{path:?}");
        }
    }
}
