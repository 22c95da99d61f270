//! Tokens for tests: whoever asks gets one. This service is for one workstation, and its page says so.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::Platform;
use super::super::authentication::issue::{self, ORG_SCOPES, OWNER_SCOPES, USER_SCOPES};
use super::super::people::{People, Person};
use crate::kit::body::Json;
use crate::kit::fault::Fault;
use crate::kit::origin::Origin;
use crate::kit::path::value;
use crate::kit::query::Query;
use crate::kit::token::Claims;
use crate::kit::words::Words;

/// Parameters of organisations' tokens.
pub const ORG: &[&str] = &["org", "orgNumber", "scopes", "scope", "authenticationLevel"];
/// Parameters of system users' tokens.
pub const SYSTEM: &[&str] =
    &["systemId", "systemUserId", "systemUserOrgNumber", "supplierOrgNumber", "scope"];

type Answer = Result<Words, Fault>;

pub async fn user(
    State(platform): State<Platform>,
    Path(id): Path<String>,
    origin: Origin,
    query: Query,
) -> Answer {
    let people = platform.people();
    let person = people.user(value("userId", &id)?).ok_or_else(Fault::not_found)?;
    platform.issue(of_person(person, &query)?, &origin).map(Words)
}

pub async fn user_by_query(
    State(platform): State<Platform>,
    origin: Origin,
    query: Query,
) -> Answer {
    let people = platform.people();
    let id: i64 = value("userId", query.need("userId")?)?;
    let person = people.user(id).ok_or_else(Fault::not_found)?;
    platform.issue(of_person(person, &query)?, &origin).map(Words)
}

/// A user by id, by party, or the first there is.
pub async fn any_user(State(platform): State<Platform>, origin: Origin, query: Query) -> Answer {
    let people = platform.people();
    let person = match (query.parsed::<i64>("userId")?, query.parsed::<i64>("partyId")?) {
        (Some(user), Some(party)) => people.user(user).filter(|person| person.represents(party)),
        (Some(user), None) => people.user(user),
        (None, Some(party)) => people.persons.iter().find(|person| person.party_id == party),
        (None, None) => people.persons.first(),
    };
    let person = person.ok_or_else(|| unknown("user"))?;
    platform.issue(of_person(person, &query)?, &origin).map(Words)
}

pub async fn self_identified(
    State(platform): State<Platform>,
    origin: Origin,
    query: Query,
) -> Answer {
    let people = platform.people();
    let person = people
        .by_user_name(query.need("username")?)
        .filter(|person| person.self_identified())
        .ok_or_else(|| unknown("self-identified user"))?;
    platform.issue(of_person(person, &query)?, &origin).map(Words)
}

pub async fn org(State(platform): State<Platform>, origin: Origin, query: Query) -> Answer {
    let claims = owner(&platform.people(), query.need("org")?, &query)?;
    platform.issue(claims, &origin).map(Words)
}

pub async fn org_by_path(
    State(platform): State<Platform>,
    Path(org): Path<String>,
    origin: Origin,
    query: Query,
) -> Answer {
    let claims = owner(&platform.people(), &org, &query)?;
    platform.issue(claims, &origin).map(Words)
}

pub async fn plain_org(State(platform): State<Platform>, origin: Origin, query: Query) -> Answer {
    let people = platform.people();
    let number = match query.get("orgNumber") {
        Some(number) => checked(number)?,
        None => &people.orgs.first().ok_or_else(|| unknown("organisation"))?.org_number,
    };
    let scope = query.get("scope").unwrap_or(ORG_SCOPES);
    platform.issue(issue::org(number, None, scope, 3), &origin).map(Words)
}

pub async fn service_owner(
    State(platform): State<Platform>,
    origin: Origin,
    query: Query,
) -> Answer {
    org(State(platform), origin, query).await
}

pub async fn system_user(State(platform): State<Platform>, origin: Origin, query: Query) -> Answer {
    let people = platform.people();
    let scope = query.get("scope").unwrap_or(ORG_SCOPES);
    let (system, user) = match query.parsed::<Uuid>("systemUserId")? {
        Some(id) => people.system_user(id),
        None => {
            people.systems.iter().find_map(|system| Some((system, system.system_users.first()?)))
        }
    }
    .filter(|(system, _)| query.get("systemId").is_none_or(|id| id == system.id))
    .ok_or_else(|| unknown("system user"))?;
    let supplier = match query.get("supplierOrgNumber") {
        Some(number) => checked(number)?,
        None => system.id.split('_').next().unwrap_or_default(),
    };
    platform.issue(issue::system_user(supplier, system, user, scope), &origin).map(Words)
}

/// Any of them, by the number or the name of its kind.
pub async fn generate(state: State<Platform>, origin: Origin, query: Query) -> Answer {
    let kind = query.need("type")?.to_ascii_lowercase();
    match kind.as_str() {
        "1" | "user" => any_user(state, origin, query).await,
        "2" | "selfidentifieduser" => self_identified(state, origin, query).await,
        "3" | "org" => plain_org(state, origin, query).await,
        "4" | "systemuser" => system_user(state, origin, query).await,
        "5" | "serviceowner" => service_owner(state, origin, query).await,
        _ => Err(Fault::invalid("type", format!("The value '{kind}' is not valid."))),
    }
}

pub async fn info(State(platform): State<Platform>) -> Json<Value> {
    let people = platform.people();
    let user = |person: &Person| {
        json!({ "userId": person.user(), "userName": person.user_name, "partyId": person.party_id,
                "name": person.name() })
    };
    let (own, named): (Vec<&Person>, Vec<&Person>) =
        people.persons.iter().partition(|person| person.self_identified());
    Json(json!({
        "authenticationTypes": ["User", "SelfIdentifiedUser", "Org", "SystemUser", "ServiceOwner"],
        "users": named.into_iter().map(user).collect::<Vec<_>>(),
        "selfIdentifiedUsers": own.into_iter().map(user).collect::<Vec<_>>(),
        "orgs": people.orgs.iter().map(|org| {
            json!({ "orgNumber": org.org_number, "name": org.name, "org": org.org, "partyId": org.party_id })
        }).collect::<Vec<_>>(),
        "systemUsers": people.systems.iter().flat_map(|system| {
            system.system_users.iter().map(|user| {
                json!({ "systemId": system.id, "systemUserId": user.id, "orgNumber": user.org_number })
            })
        }).collect::<Vec<_>>(),
    }))
}

fn of_person(person: &Person, query: &Query) -> Result<Claims, Fault> {
    let level = level(query)?.unwrap_or(2);
    Ok(issue::user(person, level, query.get("scope").unwrap_or(USER_SCOPES)))
}

fn owner(people: &People, org: &str, query: &Query) -> Result<Claims, Fault> {
    let known = people.service_owner(org);
    let number = match (query.get("orgNumber"), known) {
        (Some(number), _) => checked(number)?,
        (None, Some(known)) => &known.org_number,
        (None, None) => {
            return Err(Fault::invalid("orgNumber", format!("The number of {org} is not known.")));
        }
    };
    if !org.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Fault::invalid("org", format!("The value '{org}' is not valid.")));
    }
    let scope = query.get("scopes").or_else(|| query.get("scope")).unwrap_or(OWNER_SCOPES);
    Ok(issue::org(number, Some(&org.to_ascii_lowercase()), scope, level(query)?.unwrap_or(3)))
}

/// Levels outside 0–4 make the app library throw.
fn level(query: &Query) -> Result<Option<i64>, Fault> {
    match query.parsed::<i64>("authenticationLevel")? {
        Some(level) if !(0..=4).contains(&level) => {
            Err(Fault::invalid("authenticationLevel", "The level must be between 0 and 4."))
        }
        level => Ok(level),
    }
}

fn checked(number: &str) -> Result<&str, Fault> {
    if number.len() == 9 && number.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(number)
    } else {
        Err(Fault::invalid("orgNumber", "The value must have 9 digits."))
    }
}

fn unknown(what: &str) -> Fault {
    Fault::problem(StatusCode::BAD_REQUEST, format!("There is no such {what} in the test data."))
}
