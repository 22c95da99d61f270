//! Instances (`platform-api.md` §1.3).

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::origin::Origin;
use crate::kit::pdp::Subject;
use crate::kit::query::Query;
use crate::kit::token::{Bearer, Claims};
use crate::storage::Storage;
use crate::storage::access::{At, author, no_app, owns, present, syncs, task_actions};
use crate::storage::metadata::{Whole, Work};
use crate::storage::model::instance::{CompleteConfirmation, Substatus};
use crate::storage::model::{Instance, InstanceEvent, ReadStatus, or_default};

/// The body of `presentationtexts`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Texts {
    texts: BTreeMap<String, Option<String>>,
}

/// The body of `datavalues`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Values {
    values: BTreeMap<String, Option<String>>,
}

/// The members of a posted instance that are taken over.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Template(#[serde(deserialize_with = "or_default")] Instance);

pub(super) async fn post(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    query: Query,
    Json(Template(template)): Json<Template>,
) -> Result<Response, Fault> {
    let Some(party) = template.party() else {
        let text = "Cannot create an instance without an instanceOwner.PartyId.";
        return Err(Fault::words(StatusCode::BAD_REQUEST, text));
    };
    let id: AppId = query
        .need("appId")?
        .parse()
        .map_err(|error| Fault::invalid("appId", format!("{error}")))?;
    if storage.0.metadata.application(&id).await?.is_none() {
        return Err(no_app(&id));
    }
    let subject = Subject { app: id.clone(), party: Some(party), instance: None, place: None };
    storage.0.pdp.demand(&claims, "instantiate", &subject).await?;
    let name = format!("{party}/{}", Uuid::new_v4());
    let whole = create(&storage, &claims, &origin, &id, name, template).await?;
    let instance = present(whole, &origin, true);
    let link = instance.self_links.as_ref().and_then(|links| links.platform.clone());
    let link = link.unwrap_or_default();
    Ok((StatusCode::CREATED, [(LOCATION, link)], Json(instance)).into_response())
}

/// Makes an instance of this id, `party/guid`; who asks was looked at.
pub(in crate::storage) async fn create(
    storage: &Storage,
    claims: &Claims,
    origin: &Origin,
    app: &AppId,
    id: String,
    template: Instance,
) -> Result<Whole, Fault> {
    let instance = made(app, id, template, &author(claims)?);
    let mut work = Work::default();
    work.events.push(InstanceEvent::new("Created", &instance, None, claims));
    work.told.extend(storage.to_tell("app.instance.created", &instance, origin));
    work.whole.instance = instance;
    storage.0.metadata.create(&work).await?;
    storage.written();
    Ok(work.whole)
}

fn made(app: &AppId, id: String, template: Instance, author: &str) -> Instance {
    let now = Date::now();
    let author = Some(author.to_owned());
    Instance {
        id: Some(id),
        app_id: Some(app.to_string()),
        org: Some(app.org().to_owned()),
        instance_owner: template.instance_owner,
        due_before: template.due_before,
        visible_after: Some(template.visible_after.unwrap_or(now)),
        process: template.process,
        data_values: template.data_values,
        status: Some(template.status.unwrap_or_default()),
        created: Some(now),
        created_by: author.clone(),
        last_changed: Some(now),
        last_changed_by: author,
        ..Instance::default()
    }
}

pub(super) async fn get(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
) -> Result<Json<Instance>, Fault> {
    let whole = storage.allowed(&claims, &["read"], &at).await?;
    Ok(shown(whole, &origin, &claims))
}

fn shown(whole: Whole, origin: &Origin, claims: &Claims) -> Json<Instance> {
    let all = owns(claims, &whole.instance) || syncs(claims);
    Json(present(whole, origin, all))
}

pub(super) async fn delete(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    at: At,
    query: Query,
) -> Result<Json<Instance>, Fault> {
    let hard = query.flag("hard")?.unwrap_or(false);
    let mut instance = deleted(&storage, &claims, &at, hard).await?.instance;
    instance.data = Some(Vec::new());
    Ok(Json(instance))
}

/// Marks an instance as deleted; its data stay.
pub(super) async fn deleted(
    storage: &Storage,
    claims: &Claims,
    at: &At,
    hard: bool,
) -> Result<Whole, Fault> {
    let whole = storage.allowed(claims, &["delete"], at).await?;
    let days = storage.application(&whole.instance).await?.prevent_instance_deletion_for_days;
    let author = author(claims)?;
    let ((), whole) = storage
        .change(at, |work| {
            let now = Date::now();
            let instance = &mut work.whole.instance;
            let kept = instance.status().archived.zip(days).is_some_and(|(archived, days)| {
                archived.age()
                    < SignedDuration::from_hours(days.saturating_mul(24).clamp(0, 1_000_000))
            });
            if kept {
                let text = "Instance cannot be deleted yet due to application restrictions.";
                return Err(Fault::words(StatusCode::FORBIDDEN, text));
            }
            let status = instance.status();
            if hard {
                status.is_hard_deleted = true;
                status.hard_deleted = Some(now);
            }
            status.is_soft_deleted = true;
            if !hard || status.soft_deleted.is_none() {
                status.soft_deleted = Some(now);
            }
            instance.touch(now, &author);
            work.events.push(InstanceEvent::new("Deleted", &work.whole.instance, None, claims));
            Ok(())
        })
        .await?;
    Ok(whole)
}

pub(super) async fn complete(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
) -> Result<Json<Instance>, Fault> {
    storage.allowed(&claims, &["complete"], &at).await?;
    let org = claims.org().ok_or_else(Fault::forbidden)?;
    let author = author(&claims)?;
    let ((), whole) = storage
        .change(&at, |work| {
            let now = Date::now();
            let instance = &mut work.whole.instance;
            let all = instance.complete_confirmations.get_or_insert_default();
            if all.iter().any(|confirmation| confirmation.stakeholder_id == org) {
                return Ok(());
            }
            let stakeholder_id = org.clone();
            all.push(CompleteConfirmation { stakeholder_id, confirmed_on: Some(now) });
            instance.touch(now, &author);
            let event =
                InstanceEvent::new("ConfirmedComplete", &work.whole.instance, None, &claims);
            work.events.push(event);
            Ok(())
        })
        .await?;
    Ok(shown(whole, &origin, &claims))
}

pub(super) async fn read_status(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
    query: Query,
) -> Result<Json<Instance>, Fault> {
    let asked = query.get("status").unwrap_or_default();
    let status = [
        ("unread", ReadStatus::Unread),
        ("read", ReadStatus::Read),
        ("updatedsincelastreview", ReadStatus::UpdatedSinceLastReview),
    ]
    .into_iter()
    .find(|(name, _)| name.eq_ignore_ascii_case(asked));
    storage.allowed(&claims, &["read"], &at).await?;
    let Some((_, status)) = status else {
        let text = format!(
            "Invalid read status: {asked} Accepted types include: Unread, Read, UpdatedSinceLastReview"
        );
        return Err(Fault::words(StatusCode::BAD_REQUEST, text));
    };
    let ((), whole) = storage
        .change(&at, |work| {
            work.whole.instance.status().read_status = status;
            Ok(())
        })
        .await?;
    Ok(shown(whole, &origin, &claims))
}

pub(super) async fn substatus(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
    Json(substatus): Json<Substatus>,
) -> Result<Json<Instance>, Fault> {
    let whole = storage.found(&at).await?;
    if !owns(&claims, &whole.instance) {
        return Err(Fault::forbidden());
    }
    if substatus.label.as_deref().is_none_or(str::is_empty) {
        let text = "Invalid sub status: label must be defined.";
        return Err(Fault::words(StatusCode::BAD_REQUEST, text));
    }
    let number = claims.org_number().or_else(|| claims.author());
    let number = number.ok_or_else(Fault::unauthorized)?;
    let ((), whole) = storage
        .change(&at, |work| {
            let instance = &mut work.whole.instance;
            instance.status().substatus = Some(substatus.clone());
            instance.touch(Date::now(), &number);
            let instance = &work.whole.instance;
            work.events.push(InstanceEvent::new("SubstatusUpdated", instance, None, &claims));
            work.told.extend(storage.to_tell("app.instance.substatus.changed", instance, &origin));
            Ok(())
        })
        .await?;
    storage.written();
    Ok(shown(whole, &origin, &claims))
}

pub(super) async fn texts(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
    Json(Texts { texts }): Json<Texts>,
) -> Result<Json<Instance>, Fault> {
    merged(&storage, &claims, &at, &origin, |instance| {
        merge(instance.presentation_texts.get_or_insert_default(), &texts);
    })
    .await
}

pub(super) async fn values(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
    Json(Values { values }): Json<Values>,
) -> Result<Json<Instance>, Fault> {
    merged(&storage, &claims, &at, &origin, |instance| {
        merge(instance.data_values.get_or_insert_default(), &values);
    })
    .await
}

async fn merged(
    storage: &Storage,
    claims: &Claims,
    at: &At,
    origin: &Origin,
    mut by: impl FnMut(&mut Instance) + Send,
) -> Result<Json<Instance>, Fault> {
    let whole = storage.found(at).await?;
    let actions = task_actions(whole.instance.process.as_ref());
    storage.demand(claims, &actions, &whole.instance).await?;
    let author = author(claims)?;
    let ((), whole) = storage
        .change(at, |work| {
            by(&mut work.whole.instance);
            work.whole.instance.touch(Date::now(), &author);
            Ok(())
        })
        .await?;
    Ok(shown(whole, origin, claims))
}

/// Empty values remove, others replace.
fn merge(old: &mut BTreeMap<String, Option<String>>, new: &BTreeMap<String, Option<String>>) {
    for (key, value) in new {
        if value.as_deref().is_none_or(str::is_empty) {
            old.remove(key);
        } else {
            old.insert(key.clone(), value.clone());
        }
    }
}
