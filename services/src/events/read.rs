//! Reading (`platform-api.md` §6.2). Events are not held back here: one process writes them in order.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::Events;
use super::cloud::{APP, CloudEvent, RESOURCE};
use super::store::Filter;
use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::origin::Origin;
use crate::kit::page;
use crate::kit::query::Query;
use crate::kit::register::{self, Number};
use crate::kit::token::{Bearer, Claims};

/// Who may read what is not an app's.
pub(super) const SCOPE: &str = "altinn:events.subscribe";

pub(super) async fn of_app(
    State(events): State<Events>,
    Bearer(claims): Bearer,
    origin: Origin,
    headers: HeaderMap,
    query: Query,
    Path((org, app)): Path<(String, String)>,
) -> Result<Response, Fault> {
    if claims.org().is_none() {
        return Err(Fault::unauthorized());
    }
    let id = AppId::new(&org, &app).map_err(|_| Fault::not_found())?;
    let mut filter = filter(&query)?;
    filter.resource = Some(format!("{APP}{}_{}", id.org(), id.app()));
    if owner(&events, &headers, &query, &mut filter).await? == Owner::Unknown {
        return Err(bad("The party is not known."));
    }
    page(&events, &claims, &origin, &query, &format!("app/{id}"), &filter).await
}

pub(super) async fn of_party(
    State(events): State<Events>,
    Bearer(claims): Bearer,
    origin: Origin,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Fault> {
    let mut filter = filter(&query)?;
    match owner(&events, &headers, &query, &mut filter).await? {
        Owner::Known => {}
        Owner::None => return Err(bad("Party, unit or person is needed.")),
        Owner::Unknown => return Err(bad("The party is not known.")),
    }
    page(&events, &claims, &origin, &query, "app/party", &filter).await
}

pub(super) async fn generic(
    State(events): State<Events>,
    Bearer(claims): Bearer,
    origin: Origin,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Fault> {
    if !claims.has_scope(SCOPE) {
        return Err(Fault::forbidden());
    }
    let resource = query.get("resource").unwrap_or_default();
    if !resource.starts_with(RESOURCE) {
        return Err(bad(format!("The 'resource' must begin with '{RESOURCE}'.")));
    }
    let after = query.get("after").ok_or_else(|| bad("The 'after' parameter is needed."))?;
    let alternative = headers.get("altinn-alternativesubject");
    let alternative = alternative.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let subject = query.get("subject").map(str::to_owned);
    if alternative.is_some() && subject.is_some() {
        return Err(bad("Only one of subject and alternative subject may be given."));
    }
    let filter = Filter {
        resource: Some(resource.to_owned()),
        after: Some(after.to_owned()),
        subject,
        alternative,
        types: query.all("type").map(str::to_owned).collect(),
        size: size(&query)?,
        ..Filter::default()
    };
    let mut response = page(&events, &claims, &origin, &query, "events", &filter).await?;
    let kind = HeaderValue::from_static("application/cloudevents+json; charset=utf-8");
    response.headers_mut().insert(axum::http::header::CONTENT_TYPE, kind);
    Ok(response)
}

fn bad(text: impl Into<String>) -> Fault {
    Fault::words(StatusCode::BAD_REQUEST, text)
}

fn size(query: &Query) -> Result<i64, Fault> {
    match query.parsed::<i64>("size")?.unwrap_or(50) {
        size @ 1..=1000 => Ok(size),
        _ => Err(bad("The 'size' parameter must be between 1 and 1000.")),
    }
}

fn filter(query: &Query) -> Result<Filter, Fault> {
    let date = |name: &str| match query.get(name) {
        None => Ok(None),
        // Only what names its zone.
        Some(text) if text.parse::<jiff::Timestamp>().is_err() => {
            Err(bad(format!("The '{name}' parameter must be a date with a time zone.")))
        }
        Some(text) => text.parse::<Date>().map(Some).map_err(|error| bad(error.to_string())),
    };
    let after = query.get("after").map(str::to_owned);
    let (from, to) = (date("from")?, date("to")?);
    if after.is_none() && from.is_none() {
        return Err(bad("The 'from' or the 'after' parameter must be defined."));
    }
    Ok(Filter {
        after,
        from,
        to,
        types: query.all("type").map(str::to_owned).collect(),
        sources: query.all("source").map(str::to_owned).collect(),
        size: size(query)?,
        ..Filter::default()
    })
}

#[derive(PartialEq, Eq)]
enum Owner {
    None,
    Known,
    Unknown,
}

/// Whose events: `party`, `unit` or header `person`.
async fn owner(
    events: &Events,
    headers: &HeaderMap,
    query: &Query,
    filter: &mut Filter,
) -> Result<Owner, Fault> {
    let party = query.parsed::<i64>("party")?.filter(|party| *party != 0);
    let unit = query.get("unit");
    let person = headers.get("person").and_then(|value| value.to_str().ok());
    let person = person.filter(|person| !person.trim().is_empty());
    let number = match (party, unit, person) {
        (Some(party), None, None) => {
            filter.subject = Some(format!("/party/{party}"));
            return Ok(Owner::Known);
        }
        (None, None, None) => return Ok(Owner::None),
        (None, Some(unit), None) => Number::organisation(unit),
        (None, None, Some(person)) => Number::person(person),
        _ => return Err(bad("Only one of party, unit and person can be defined.")),
    };
    let number = number.ok_or_else(|| bad("The number is not valid."))?;
    match register::party(&events.0.platform, headers, &number).await? {
        Some(party) => {
            filter.subject = Some(format!("/party/{party}"));
            Ok(Owner::Known)
        }
        None => Ok(Owner::Unknown),
    }
}

/// Answers with the events that the caller may read; `next` is in a header.
async fn page(
    events: &Events,
    claims: &Claims,
    origin: &Origin,
    query: &Query,
    path: &str,
    filter: &Filter,
) -> Result<Response, Fault> {
    let found = events.0.store.find(filter).await?;
    let last = found.last().map(|event| event.word("id").to_owned());
    let mut kept: Vec<Value> = Vec::with_capacity(found.len());
    for event in found {
        if events.may(claims, "read", event.word("resource"), Some(&event)).await? {
            let CloudEvent(event) = event;
            kept.push(Value::Object(event));
        }
    }
    let mut response = Json(kept).into_response();
    if let Some(last) = last {
        let next = page::next(origin, &format!("/events/api/v1/{path}"), query, "after", &last);
        if let Ok(next) = next.parse() {
            response.headers_mut().insert("next", next);
        }
    }
    Ok(response)
}
