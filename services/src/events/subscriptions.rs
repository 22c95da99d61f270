//! Subscriptions (`platform-api.md` §6.3).
//!
//! Endpoints and sources may be plain `http` here: apps and receivers on a workstation have no certificates.

use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use uuid::Uuid;

use super::cloud::{APP, CloudEvent, RESOURCE};
use super::read::SCOPE;
use super::{Events, cloud};
use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::origin::Origin;
use crate::kit::register::{self, Number};
use crate::kit::token::access::App;
use crate::kit::token::{Bearer, Claims};

/// Type of the event that an endpoint proves itself by.
pub(super) const VALIDATION: &str = "platform.events.validatesubscription";

/// The body of POST.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Wanted {
    end_point: Option<String>,
    source_filter: Option<String>,
    resource_filter: Option<String>,
    subject_filter: Option<String>,
    alternative_subject_filter: Option<String>,
    type_filter: Option<String>,
    #[serde(default)]
    include_subunits: Option<bool>,
}

/// A subscription.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Subscription {
    pub(super) id: i64,
    pub(super) end_point: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_filter: Option<String>,
    pub(super) resource_filter: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject_filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alternative_subject_filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) type_filter: Option<String>,
    pub(super) include_subunits: bool,
    pub(super) consumer: String,
    pub(super) created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<Date>,
    pub(super) validated: bool,
}

/// The answer of GET.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Subscriptions {
    count: usize,
    subscriptions: Vec<Subscription>,
}

impl Subscription {
    /// Whether it asks for the same, for the same consumer.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let rest = |all: &Self| Self {
            id: 0,
            created: None,
            created_by: String::new(),
            validated: false,
            ..all.clone()
        };
        rest(self) == rest(other)
    }

    /// Whether it asks for this event; the resource is known to fit.
    pub(super) fn wants(&self, event: &CloudEvent) -> bool {
        let equal = |filter: &Option<String>, word: &str| {
            filter.as_deref().is_none_or(|filter| filter == event.word(word))
        };
        let below = self.source_filter.as_deref().is_none_or(|filter| {
            event.word("source").strip_prefix(filter).is_some_and(|rest| {
                rest.is_empty() || filter.ends_with('/') || rest.starts_with(['/', '?'])
            })
        });
        equal(&self.subject_filter, "subject") && equal(&self.type_filter, "type") && below
    }

    /// Who it stands for, as a token would say.
    pub(super) fn claims(&self) -> Claims {
        let (kind, id) = self.consumer.trim_start_matches('/').split_once('/').unwrap_or_default();
        let mut claims = match kind {
            "org" => json!({ "urn:altinn:org": id }),
            "user" => json!({ "urn:altinn:userid": id }),
            "systemuser" => json!({ "authorization_details": { "systemuser_id": [id] } }),
            _ => json!({ "consumer": { "ID": format!("0192:{id}") } }),
        };
        claims["urn:altinn:authlevel"] = json!(4);
        Claims(claims.as_object().cloned().unwrap_or_default())
    }
}

pub(super) async fn post(
    State(events): State<Events>,
    Bearer(claims): Bearer,
    origin: Origin,
    headers: HeaderMap,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Fault> {
    let consumer = consumer(&claims)?;
    let mut subscription = checked(wanted, &claims)?;
    if subscription.resource_filter.starts_with(APP) {
        alternative(&events, &headers, &mut subscription).await?;
        if claims.org().is_none() && subscription.subject_filter.is_none() {
            return Err(bad("A valid subject to the authenticated identity is required"));
        }
    }
    if !events.may(&claims, "subscribe", &subscription.resource_filter, None).await? {
        let text = "Not authorized to subscribe to the resource";
        return Err(Fault::words(StatusCode::FORBIDDEN, text));
    }
    subscription.consumer.clone_from(&consumer);
    subscription.created_by = consumer;
    subscription.created = Some(Date::now());
    let kept = events.0.store.subscribe(subscription, |kept| validation(kept, &origin)).await?;
    events.0.written.notify_one();
    let link = format!("/events/api/v1/subscription/{}", kept.id);
    Ok((StatusCode::CREATED, [(LOCATION, link)], Json(kept)).into_response())
}

fn validation(subscription: &Subscription, origin: &Origin) -> CloudEvent {
    let source = origin.url(&format!("/events/api/v1/subscriptions/{}", subscription.id));
    let mut event = Map::new();
    event.insert("specversion".to_owned(), json!("1.0"));
    event.insert("id".to_owned(), json!(Uuid::new_v4().to_string()));
    event.insert("source".to_owned(), json!(source));
    event.insert("type".to_owned(), json!(VALIDATION));
    CloudEvent(event)
}

fn bad(text: impl Into<String>) -> Fault {
    Fault::words(StatusCode::BAD_REQUEST, text)
}

/// Holds what is wanted against the rules, and fills in the resource.
fn checked(wanted: Wanted, claims: &Claims) -> Result<Subscription, Fault> {
    let some = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let url =
        |text: &str| Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let end_point = some(wanted.end_point).unwrap_or_default();
    if url(&end_point).is_none() {
        return Err(bad("Missing or invalid endpoint to push events towards"));
    }
    let source_filter = some(wanted.source_filter);
    let mut resource = some(wanted.resource_filter);
    if let Some(source) = &source_filter {
        let path = url(source).ok_or_else(|| bad("SourceFilter must be an absolute URI"))?;
        let app = path.path().trim_matches('/').parse::<AppId>();
        let app = app.map_err(|_| bad("SourceFilter must be the URI of an app"))?;
        let derived = format!("{APP}{}_{}", app.org(), app.app());
        if resource.as_ref().is_some_and(|resource| *resource != derived) {
            return Err(bad("SourceFilter and ResourceFilter do not name the same app"));
        }
        resource = Some(derived);
    }
    let resource = resource.unwrap_or_default();
    let generic = !resource.starts_with(APP);
    if !resource.starts_with(RESOURCE) || (!generic && cloud::app_of(&resource).is_none()) {
        return Err(bad(format!("ResourceFilter must begin with {RESOURCE}")));
    }
    let alternative_subject_filter = some(wanted.alternative_subject_filter);
    if generic && !claims.has_scope(SCOPE) {
        return Err(Fault::forbidden());
    }
    if generic && alternative_subject_filter.is_some() {
        return Err(bad(
            "AlternativeSubject is not supported for subscriptions on generic event sources",
        ));
    }
    Ok(Subscription {
        end_point,
        source_filter,
        resource_filter: resource,
        subject_filter: some(wanted.subject_filter),
        alternative_subject_filter,
        type_filter: some(wanted.type_filter),
        include_subunits: wanted.include_subunits.unwrap_or(false),
        ..Subscription::default()
    })
}

/// Turns an alternative subject into the party that it names.
async fn alternative(
    events: &Events,
    headers: &HeaderMap,
    subscription: &mut Subscription,
) -> Result<(), Fault> {
    let Some(alternative) = &subscription.alternative_subject_filter else { return Ok(()) };
    let number = match alternative.trim_start_matches('/').split_once('/') {
        Some(("org" | "organisation", number)) => Number::organisation(number),
        Some(("person", number)) => Number::person(number),
        _ => None,
    };
    let number = number.ok_or_else(|| bad("AlternativeSubjectFilter is not valid"))?;
    let party = register::party(&events.0.platform, headers, &number).await?;
    let party = party.ok_or_else(|| bad("AlternativeSubjectFilter names nobody"))?;
    let subject = format!("/party/{party}");
    if subscription.subject_filter.as_ref().is_some_and(|given| *given != subject) {
        return Err(bad("SubjectFilter and AlternativeSubjectFilter do not name the same party"));
    }
    subscription.subject_filter = Some(subject);
    Ok(())
}

/// Who subscribes.
fn consumer(claims: &Claims) -> Result<String, Fault> {
    if let Some(org) = claims.org() {
        return Ok(format!("/org/{org}"));
    }
    if let Some(user) = claims.user_id() {
        return Ok(format!("/user/{user}"));
    }
    if let Some(system) = claims.system_user() {
        return Ok(format!("/systemuser/{}", system.id));
    }
    let number = claims.org_number().ok_or_else(Fault::unauthorized)?;
    Ok(format!("/organisation/{number}"))
}

pub(super) async fn list(
    State(events): State<Events>,
    Bearer(claims): Bearer,
) -> Result<Json<Subscriptions>, Fault> {
    let subscriptions = events.0.store.subscriptions(&consumer(&claims)?).await?;
    Ok(Json(Subscriptions { count: subscriptions.len(), subscriptions }))
}

async fn own(events: &Events, claims: &Claims, id: &str) -> Result<Subscription, Fault> {
    let id = id.parse().map_err(|_| Fault::not_found())?;
    let found = events.0.store.subscription(id).await?.ok_or_else(Fault::not_found)?;
    if found.created_by == consumer(claims)? { Ok(found) } else { Err(Fault::forbidden()) }
}

pub(super) async fn get(
    State(events): State<Events>,
    Bearer(claims): Bearer,
    Path(id): Path<String>,
) -> Result<Json<Subscription>, Fault> {
    own(&events, &claims, &id).await.map(Json)
}

pub(super) async fn delete(
    State(events): State<Events>,
    Bearer(claims): Bearer,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    let found = own(&events, &claims, &id).await?;
    events.0.store.unsubscribe(found.id).await?;
    Ok(StatusCode::OK)
}

pub(super) async fn validate(
    State(events): State<Events>,
    App(_): App,
    Path(id): Path<String>,
) -> Result<Json<Subscription>, Fault> {
    let id = id.parse().map_err(|_| Fault::not_found())?;
    events.0.store.validate(id).await?;
    events.0.store.subscription(id).await?.map(Json).ok_or_else(Fault::not_found)
}
