//! The log-in page: the test people, each with the parties that they may act for.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::super::Platform;
use super::super::authentication::issue::{self, USER_SCOPES};
use super::super::authentication::session;
use super::super::people::{People, Person};
use crate::kit::body::Raw;
use crate::kit::fault::Fault;
use crate::kit::origin::Origin;
use crate::kit::query::Query;
use crate::kit::token::{Claims, MaybeBearer};

const FRAME: &str = include_str!("page.html");
/// Nothing is loaded, nothing runs; forms go to us and from there to an app.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

pub(super) async fn show(
    State(platform): State<Platform>,
    MaybeBearer(claims): MaybeBearer,
    query: Query,
    origin: Origin,
) -> Response {
    let goto = query.get("goto").filter(|url| session::may_go(&platform, &origin, url));
    let page = FRAME
        .replace("{{session}}", &session_of(&platform.people(), claims.as_ref()))
        .replace("{{faults}}", &faults(&platform.people()))
        .replace("{{people}}", &cards(&platform.people(), goto));
    (
        [
            (CONTENT_TYPE.as_str(), "text/html; charset=utf-8"),
            ("content-security-policy", POLICY),
            ("referrer-policy", "no-referrer"),
        ],
        page,
    )
        .into_response()
}

/// `UserSelect` is `user.party` as in the public localtest, or a user alone. `action=reauthenticate` sets the cookies
/// and goes nowhere.
pub(super) async fn log_in(
    State(platform): State<Platform>,
    origin: Origin,
    query: Query,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Fault> {
    // A page of another site must not choose who the developer is.
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Err(Fault::forbidden());
    }
    let form = Query::parse(&String::from_utf8_lossy(&body));
    let chosen = form.need("UserSelect")?;
    let (user, party) = chosen.split_once('.').unwrap_or((chosen, ""));
    let people = platform.people();
    let person = user
        .parse()
        .ok()
        .and_then(|user| people.user(user))
        .ok_or_else(|| Fault::words(StatusCode::BAD_REQUEST, "User not found"))?;
    let party = party.parse().unwrap_or(person.party_id);
    if !person.represents(party) {
        return Err(Fault::words(StatusCode::BAD_REQUEST, "The user may not act for this party"));
    }
    let level = form.parsed::<i64>("AuthenticationLevel")?.unwrap_or(2);
    if !(0..=4).contains(&level) {
        return Err(Fault::invalid("AuthenticationLevel", "The level must be between 0 and 4."));
    }
    let token = platform.issue(issue::user(person, level, USER_SCOPES), &origin)?;
    let mut response =
        if query.get("action").or_else(|| form.get("action")) == Some("reauthenticate") {
            StatusCode::NO_CONTENT.into_response()
        } else {
            let goto = form.get("goto").filter(|url| session::may_go(&platform, &origin, url));
            session::found(goto.unwrap_or(&origin.url("/")))
        };
    session::log_in(&platform, &origin, &mut response, &token, Some(party));
    Ok(response)
}

/// Who is logged in, so that a log-in without an app to go to shows something.
fn session_of(people: &People, claims: Option<&Claims>) -> String {
    let user = claims.and_then(Claims::user_id).and_then(|user| people.user(user));
    user.map_or_else(String::new, |person| {
        format!(
            "<p role=\"status\">You are logged in as <strong>{}</strong>. \
             <a href=\"/authentication/api/v1/logout\">Log out</a></p>",
            escape(&shown(person))
        )
    })
}

fn faults(people: &People) -> String {
    if people.faults.is_empty() {
        return String::new();
    }
    let items = people.faults.iter().fold(String::new(), |mut text, fault| {
        let _ = write!(text, "<li><code>{}</code></li>", escape(fault));
        text
    });
    format!(
        "<section class=\"fault\" role=\"alert\"><h2>Files that cannot be read</h2><ul>{items}</ul></section>"
    )
}

fn cards(people: &People, goto: Option<&str>) -> String {
    let mut text = String::new();
    for person in &people.persons {
        let goto = goto.map_or_else(String::new, |url| {
            format!("<input type=\"hidden\" name=\"goto\" value=\"{}\">", escape(url))
        });
        let _ = write!(
            text,
            "<li><form method=\"post\" action=\"/Home/LogInTestUser\">{goto}\
             <h2>{name}</h2><p>{about}</p>\
             <label>Act for <select name=\"UserSelect\">{parties}</select></label>\
             <label>Level <select name=\"AuthenticationLevel\">{levels}</select></label>\
             <button>Log in<span class=\"hidden\"> as {name}</span></button></form></li>",
            name = escape(&shown(person)),
            about = escape(&about(person)),
            parties = options(people, person),
            levels = levels(person),
        );
    }
    text
}

fn shown(person: &Person) -> String {
    let name = person.name();
    if name.is_empty() { person.user_name.clone().unwrap_or_default() } else { name }
}

fn about(person: &Person) -> String {
    let number = person.ssn.as_deref().filter(|ssn| !ssn.is_empty()).unwrap_or("self-identified");
    format!("user {} · party {} · {number}", person.user(), person.party_id)
}

fn options(people: &People, person: &Person) -> String {
    let mut text = String::new();
    for party in people.choices(person) {
        let units = party.child_parties.clone().unwrap_or_default();
        let own = (!party.only_hierarchy_element_with_no_access).then_some(party);
        for (party, mark) in
            own.iter().map(|party| (party, "")).chain(units.iter().map(|unit| (unit, "– ")))
        {
            let _ = write!(
                text,
                "<option value=\"{}.{}\">{mark}{}</option>",
                person.user(),
                party.party_id,
                escape(&party.name)
            );
        }
    }
    text
}

fn levels(person: &Person) -> String {
    let usual = if person.self_identified() { 0 } else { 2 };
    (0..=4).fold(String::new(), |mut text, level| {
        let chosen = if level == usual { " selected" } else { "" };
        let _ = write!(text, "<option{chosen}>{level}</option>");
        text
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
