//! Who may do what: the instance that a path names, and the actions that Authorization is asked for
//! (`platform-api.md` §1.3, §1.6).

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use uuid::Uuid;

use super::Storage;
use super::metadata::{Whole, Work};
use super::model::{Application, DataElement, DataType, Instance, ProcessState, ReadStatus};
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::origin::Origin;
use crate::kit::pdp::{Place, Subject};
use crate::kit::token::Claims;

/// Scopes that pass the policies for reading, writing and deleting.
const SYNC: [&str; 2] =
    ["altinn:storage/instances.syncadapter", "altinn:serviceowner/instances.syncadapter"];

/// The instance that a path names, and perhaps its element or event. What is no number or guid is no route.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// `{party}`, where the path has one.
    pub party: Option<i64>,
    /// `{guid}`.
    pub guid: Uuid,
    /// `{element}`, where the path has one; else nil.
    pub element: Uuid,
}

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let names = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Fault::not_found())?;
        let mut at = Self { party: None, guid: Uuid::nil(), element: Uuid::nil() };
        for (name, value) in &names {
            let id = || value.parse::<Uuid>().map_err(|_| Fault::not_found());
            match name {
                "party" => at.party = Some(value.parse().map_err(|_| Fault::not_found())?),
                "guid" => at.guid = id()?,
                "element" => at.element = id()?,
                _ => {}
            }
        }
        Ok(at)
    }
}

impl At {
    /// The 404 that names the instance that was asked for.
    #[must_use]
    pub fn missing(&self) -> Fault {
        Fault::words(StatusCode::NOT_FOUND, format!("Unable to find instance {}", self.guid))
    }

    /// The 404 that names the element.
    #[must_use]
    pub fn no_element(&self) -> Fault {
        let text = format!("Unable to find any data element with id: {}.", self.element);
        Fault::words(StatusCode::NOT_FOUND, text)
    }
}

impl Storage {
    /// The instance that a path names. One of another party is as unknown as none.
    pub(crate) async fn found(&self, at: &At) -> Result<Whole, Fault> {
        let whole = self.0.metadata.whole(at.guid).await?.ok_or_else(|| at.missing())?;
        if at.party.is_some() && at.party != whole.instance.party() {
            return Err(at.missing());
        }
        Ok(whole)
    }

    /// Changes the instance that was found.
    pub(crate) async fn change<T: Send>(
        &self,
        at: &At,
        by: impl FnMut(&mut Work) -> Result<T, Fault> + Send,
    ) -> Result<(T, Whole), Fault> {
        self.0.metadata.change(at.guid, by).await?.ok_or_else(|| at.missing())
    }

    /// Passes when the caller may do one of these to the instance.
    pub(crate) async fn demand(
        &self,
        claims: &Claims,
        actions: &[&str],
        instance: &Instance,
    ) -> Result<(), Fault> {
        if syncs(claims)
            && actions.iter().any(|action| ["read", "write", "delete"].contains(action))
        {
            return Ok(());
        }
        self.0.pdp.demand_any(claims, actions, &subject(instance)?).await
    }

    /// The instance, when the caller may do one of these to it.
    pub(crate) async fn allowed(
        &self,
        claims: &Claims,
        actions: &[&str],
        at: &At,
    ) -> Result<Whole, Fault> {
        let whole = self.found(at).await?;
        self.demand(claims, actions, &whole.instance).await?;
        Ok(whole)
    }

    /// What Storage knows of an app; 404 when nothing.
    pub(crate) async fn application(&self, instance: &Instance) -> Result<Application, Fault> {
        let id = app(instance)?;
        let found = self.0.metadata.application(&id).await?.ok_or_else(|| no_app(&id))?;
        serde_json::from_value(found).map_err(Fault::internal)
    }

    /// Passes when the data type's own action, if it has one, is allowed, too.
    pub(crate) async fn demand_type(
        &self,
        claims: &Claims,
        action: Option<&String>,
        instance: &Instance,
    ) -> Result<(), Fault> {
        match action.filter(|action| !action.is_empty()) {
            Some(action) => self.demand(claims, &[action.as_str()], instance).await,
            None => Ok(()),
        }
    }
}

/// The app of an instance.
pub(crate) fn app(instance: &Instance) -> Result<AppId, Fault> {
    instance.app_id.as_deref().unwrap_or_default().parse().map_err(Fault::internal)
}

/// The 404 of an app that is not there.
pub(crate) fn no_app(id: &AppId) -> Fault {
    Fault::words(StatusCode::NOT_FOUND, format!("Did not find application with appId={id}"))
}

/// The data type of an element, 400 when the app declares none of that name.
pub(crate) fn data_type<'a>(app: &'a Application, name: &str) -> Result<&'a DataType, Fault> {
    app.data_type(name).ok_or_else(|| {
        let text = format!(
            "Requested element type is not declared in application metadata. DataType: {name}"
        );
        Fault::words(StatusCode::BAD_REQUEST, text)
    })
}

/// Whether the token passes the policies for reading, writing and deleting.
pub(crate) fn syncs(claims: &Claims) -> bool {
    SYNC.iter().any(|scope| claims.has_scope(scope))
}

/// Whether the caller is the organisation that owns the app.
pub(crate) fn owns(claims: &Claims, instance: &Instance) -> bool {
    claims.org().is_some() && claims.org() == instance.org
}

/// Who changes are put down to; a token without anybody is refused.
pub(crate) fn author(claims: &Claims) -> Result<String, Fault> {
    claims.author().ok_or_else(Fault::unauthorized)
}

/// What Authorization is asked about.
pub(crate) fn subject(instance: &Instance) -> Result<Subject, Fault> {
    let place = instance.process.as_ref().and_then(|process| match process.task() {
        Some(task) => Some(Place::Task(task.to_owned())),
        None => process.end_event.clone().map(Place::Ended),
    });
    Ok(Subject {
        app: app(instance)?,
        party: instance.party(),
        instance: instance.id.clone(),
        place,
    })
}

/// Any of these lets the process go on from a task of this kind.
pub(crate) fn next_actions(kind: Option<&str>) -> Vec<&str> {
    match kind {
        None | Some("data" | "feedback" | "pdf" | "eFormidling" | "fiksArkiv" | "subformPdf") => {
            vec!["write"]
        }
        Some("payment") => vec!["pay", "write"],
        Some("confirmation") => vec!["confirm"],
        Some("signing") => vec!["sign", "write"],
        Some(other) => vec![other],
    }
}

/// Any of these lets texts, values and locks be changed.
pub(crate) fn task_actions(process: Option<&ProcessState>) -> Vec<&str> {
    let mut actions = next_actions(process.and_then(ProcessState::task_type));
    actions.push("reject");
    actions
}

/// An instance as it is answered. `all` shows the elements that are marked as deleted, too.
pub(crate) fn present(whole: Whole, origin: &Origin, all: bool) -> Instance {
    let Whole { mut instance, mut elements, .. } = whole;
    let link = format!("/storage/api/v1/instances/{}", instance.id.as_deref().unwrap_or_default());
    elements.retain(|element| all || !element.is_deleted());
    let unread = elements.iter().filter(|element| !element.is_read).count();
    if let Some(status) = &mut instance.status
        && status.read_status == ReadStatus::Read
        && unread > 0
    {
        status.read_status = if unread == elements.len() {
            ReadStatus::Unread
        } else {
            ReadStatus::UpdatedSinceLastReview
        };
    }
    for element in &mut elements {
        link_element(element, &link, origin);
    }
    instance.self_links.get_or_insert_default().platform = Some(origin.url(&link));
    instance.data = Some(elements);
    instance
}

/// An element as it is answered.
pub(crate) fn present_element(mut element: DataElement, id: &str, origin: &Origin) -> DataElement {
    link_element(&mut element, &format!("/storage/api/v1/instances/{id}"), origin);
    element
}

fn link_element(element: &mut DataElement, instance: &str, origin: &Origin) {
    let link = origin.url(&format!("{instance}/data/{}", element.id));
    element.self_links.get_or_insert_default().platform = Some(link);
    super::upload::scan(element);
}
