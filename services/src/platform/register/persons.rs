//! A person by national number, for those who know the last name; guessing is cut short.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::Platform;
use super::super::people::party;
use crate::kit::body::Json;
use crate::kit::fault::Fault;
use crate::kit::token::Bearer;
use crate::kit::token::access::App;

/// Failed attempts that a user may make within [`HOUR`].
const ALLOWED: usize = 2;
const HOUR: Duration = Duration::from_hours(1);

/// When users failed.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<i64, Vec<Instant>>>);

impl Attempts {
    fn spent(&self, user: i64) -> bool {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(times) = failed.get_mut(&user) else { return false };
        times.retain(|time| time.elapsed() < HOUR);
        times.len() > ALLOWED
    }

    fn failed(&self, user: i64) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.entry(user).or_default().push(Instant::now());
    }
}

pub(super) async fn lookup(
    State(platform): State<Platform>,
    Bearer(claims): Bearer,
    _: App,
    headers: HeaderMap,
) -> Result<Json<Value>, Fault> {
    let ssn = decoded(&headers, "X-Ai-NationalIdentityNumber")?;
    let name = decoded(&headers, "X-Ai-LastName")?;
    let user = claims.user_id().ok_or_else(Fault::forbidden)?;
    if claims.level().is_none_or(|level| level < 2) {
        return Err(Fault::forbidden());
    }
    if platform.attempts().spent(user) {
        let detail = "Too many failed look-ups.";
        return Err(Fault::problem(StatusCode::TOO_MANY_REQUESTS, detail).with("code", "REG-00008"));
    }
    let people = platform.people();
    let person = people.by_ssn(&ssn);
    let person = person.filter(|person| person.last_name.to_lowercase() == name.to_lowercase());
    if let Some(person) = person {
        return Ok(Json(party::person(person)));
    }
    platform.attempts().failed(user);
    let detail = "The person was not found.";
    Err(Fault::problem(StatusCode::NOT_FOUND, detail).with("code", "REG-00009"))
}

/// Headers carry names as base64 of UTF-8.
fn decoded(headers: &HeaderMap, name: &str) -> Result<String, Fault> {
    let text = headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .filter(|value| !value.is_empty())
        .ok_or_else(|| Fault::invalid(name, format!("The {name} field is required.")))?;
    STANDARD
        .decode(text.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(|text| text.trim().to_owned())
        .ok_or_else(|| Fault::invalid(name, "The value must be base64 of UTF-8."))
}
