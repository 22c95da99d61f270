//! Logs a browser in that the command line opens.
//!
//! Whoever holds the key gets a code for a person; the page takes the code from behind the `#` of its address, which is
//! neither sent nor logged, and posts it. So a GET changes nothing, a code works once, and no page of another site can
//! choose who the developer is.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::Platform;
use super::super::authentication::issue::{self, USER_SCOPES};
use super::super::authentication::session;
use crate::kit::api::{Api, Endpoint};
use crate::kit::body::{Json, Raw};
use crate::kit::fault::Fault;
use crate::kit::management::Manager;
use crate::kit::origin::Origin;
use crate::kit::query::Query;

/// Where the page is.
const PATH: &str = "/Home/Enter";
const PAGE: &str = include_str!("enter.html");
const SCRIPT: &str = include_str!("enter.js");
/// How long a code works.
const LIFETIME: Duration = Duration::from_mins(1);
/// Codes at once; more are asked for by a program gone wrong.
const MOST: usize = 100;

/// Codes that were not used yet.
#[derive(Default)]
pub(in super::super) struct Codes(Mutex<HashMap<Uuid, Entrance>>);

/// Who enters, and where to.
struct Entrance {
    made: Instant,
    user: i64,
    party: i64,
    level: i64,
    goto: Option<String>,
}

/// Who is to be logged in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    user_id: i64,
    /// Whom the user acts for; themselves when left out.
    #[serde(default)]
    party_id: Option<i64>,
    #[serde(default)]
    level: Option<i64>,
    /// A page of an app; the log-in page when left out.
    #[serde(default)]
    goto: Option<String>,
}

pub(super) fn endpoints(api: Api<Platform>) -> Api<Platform> {
    api.add(
        Endpoint::post("/platform/local/login", "A code that logs a browser in, once")
            .takes::<Wanted>()
            .answers(&[200, 400, 404]),
        code,
    )
    .add(Endpoint::get(PATH, "The page that takes a code").open().answers(&[200]), show)
    .add(
        Endpoint::post(PATH, "Logs in by a code")
            .takes_kind("application/x-www-form-urlencoded")
            .open()
            .answers(&[302, 400, 403]),
        enter,
    )
}

async fn code(
    State(platform): State<Platform>,
    _: Manager,
    origin: Origin,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Value>, Fault> {
    let people = platform.people();
    let person = people.user(wanted.user_id).ok_or_else(|| bad("There is no such user."))?;
    let party = wanted.party_id.unwrap_or(person.party_id);
    if !person.represents(party) {
        return Err(bad("The user may not act for this party."));
    }
    let level = wanted.level.unwrap_or(2);
    if !(0..=4).contains(&level) {
        return Err(Fault::invalid("level", "The level must be between 0 and 4."));
    }
    let goto = wanted.goto.filter(|url| session::may_go(&platform, &origin, url));
    let entrance = Entrance { made: Instant::now(), user: person.user(), party, level, goto };
    let code = platform.0.codes.make(entrance)?;
    Ok(Json(json!({ "url": origin.url(&format!("{PATH}#code={}", code.simple())) })))
}

fn bad(text: &str) -> Fault {
    Fault::problem(StatusCode::BAD_REQUEST, text)
}

/// Only the page's own script runs, and its form goes to us and from there to an app.
async fn show() -> Response {
    let script = STANDARD.encode(digest(&SHA256, SCRIPT.as_bytes()).as_ref());
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{script}'; frame-ancestors 'none'; base-uri 'none'"
    );
    let headers = [
        (CONTENT_TYPE.as_str(), "text/html; charset=utf-8"),
        ("content-security-policy", policy.as_str()),
        ("referrer-policy", "no-referrer"),
    ];
    (headers, PAGE.replace("{{script}}", SCRIPT)).into_response()
}

async fn enter(
    State(platform): State<Platform>,
    origin: Origin,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Fault> {
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Err(Fault::forbidden());
    }
    let form = Query::parse(&String::from_utf8_lossy(&body));
    let code = form.parsed::<Uuid>("code")?;
    let entrance = code.and_then(|code| platform.0.codes.take(code)).ok_or_else(|| {
        let text = "The code was used, or is older than a minute.";
        Fault::words(StatusCode::BAD_REQUEST, text)
    })?;
    let people = platform.people();
    let person = people.user(entrance.user).ok_or_else(|| bad("There is no such user."))?;
    let token = platform.issue(issue::user(person, entrance.level, USER_SCOPES), &origin)?;
    let mut response = session::found(entrance.goto.as_deref().unwrap_or(&origin.url("/")));
    session::log_in(&platform, &origin, &mut response, &token, Some(entrance.party));
    Ok(response)
}

impl Codes {
    fn make(&self, entrance: Entrance) -> Result<Uuid, Fault> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, known| known.made.elapsed() < LIFETIME);
        if codes.len() >= MOST {
            return Err(Fault::unavailable("the log-in", "too many codes"));
        }
        // 122 bits from the system.
        let code = Uuid::new_v4();
        codes.insert(code, entrance);
        Ok(code)
    }

    fn take(&self, code: Uuid) -> Option<Entrance> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.remove(&code).filter(|known| known.made.elapsed() < LIFETIME)
    }
}
