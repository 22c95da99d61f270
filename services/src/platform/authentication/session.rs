//! The session in the browser: its cookies, its renewal, its end (`platform-api.md` §5.3, §5.4).

use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::super::Platform;
use super::issue::LIFETIME;
use crate::kit::fault::Fault;
use crate::kit::origin::Origin;
use crate::kit::query::Query;
use crate::kit::token::{Bearer, MaybeBearer, bearer};
use crate::kit::words::Words;

/// Cookie of the token.
const TOKEN: &str = "AltinnStudioRuntime";
/// Cookie of the party that the user acts for; the app's frontend reads it.
const PARTY: &str = "AltinnPartyId";

pub(super) async fn refresh(
    State(platform): State<Platform>,
    Bearer(claims): Bearer,
    origin: Origin,
) -> Result<Words, Fault> {
    platform.issue(claims, &origin).map(Words)
}

/// Sends on who is logged in, and to the log-in page who is not.
pub(super) async fn authenticate(
    State(platform): State<Platform>,
    MaybeBearer(claims): MaybeBearer,
    origin: Origin,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let goto = query.get("goto").filter(|url| may_go(&platform, &origin, url));
    let Some(claims) = claims else {
        let page = match goto {
            Some(goto) => {
                let query: String = form_urlencoded::Serializer::new(String::new())
                    .append_pair("goto", goto)
                    .finish();
                format!("/?{query}")
            }
            None => "/".to_owned(),
        };
        return found(&origin.url(&page));
    };
    let mut response = found(goto.unwrap_or(&origin.url("/")));
    if let Some(token) = bearer::token(&headers) {
        log_in(&platform, &origin, &mut response, &token, claims.party_id());
    }
    response
}

pub(super) async fn logout(State(platform): State<Platform>, origin: Origin) -> Response {
    let mut response = found(&origin.url("/"));
    log_out(&platform, &origin, &mut response);
    response
}

pub(super) async fn frontchannel(State(platform): State<Platform>, origin: Origin) -> Response {
    let mut response = StatusCode::OK.into_response();
    log_out(&platform, &origin, &mut response);
    response
}

/// 302, as ASP.NET redirects.
#[must_use]
pub fn found(url: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    // A URL that is no header value cannot come from a URL that was parsed.
    let url = HeaderValue::from_str(url).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, url);
    response
}

/// Whether the browser may be sent there after the log-in: over http or https, to our own domain.
pub(in crate::platform) fn may_go(platform: &Platform, origin: &Origin, url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    if !matches!(scheme, "http" | "https") || authority.as_str().contains('@') {
        return false;
    }
    let (host, domain) = (authority.host().to_ascii_lowercase(), domain(platform, origin));
    host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

/// Sets the cookies of a log-in.
pub(in crate::platform) fn log_in(
    platform: &Platform,
    origin: &Origin,
    response: &mut Response,
    token: &str,
    party: Option<i64>,
) {
    let domain = attribute(platform, origin);
    let secure = if origin.secure() { "; Secure" } else { "" };
    let common = format!("; Path=/{domain}; SameSite=Lax; Max-Age={LIFETIME}{secure}");
    set(response, &format!("{TOKEN}={token}{common}; HttpOnly"));
    if let Some(party) = party {
        set(response, &format!("{PARTY}={party}{common}"));
    }
}

fn log_out(platform: &Platform, origin: &Origin, response: &mut Response) {
    let domain = attribute(platform, origin);
    for name in [TOKEN, PARTY] {
        set(response, &format!("{name}=; Path=/{domain}; SameSite=Lax; Max-Age=0"));
    }
}

fn set(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// Browsers take a domain attribute only for names with a dot, and never for addresses.
fn attribute(platform: &Platform, origin: &Origin) -> String {
    let domain = domain(platform, origin);
    let address =
        origin.host().parse::<std::net::IpAddr>().is_ok() || origin.host().starts_with('[');
    if address || !domain.contains('.') { String::new() } else { format!("; Domain={domain}") }
}

/// The domain that apps and platform share: the one that was set, else the host without its `platform.`.
fn domain(platform: &Platform, origin: &Origin) -> String {
    let host = origin.host().to_ascii_lowercase();
    match platform.domain() {
        Some(domain) => domain.to_ascii_lowercase(),
        None => host.strip_prefix("platform.").map_or(host.clone(), str::to_owned),
    }
}
