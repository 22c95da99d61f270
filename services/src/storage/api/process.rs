//! The process of an instance (`platform-api.md` §1.6).

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::data::blob;
use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::origin::Origin;
use crate::kit::pdp::Place;
use crate::kit::query::Query;
use crate::kit::token::{Bearer, Claims};
use crate::storage::Storage;
use crate::storage::access::{At, author, next_actions, owns, present, subject};
use crate::storage::metadata::Work;
use crate::storage::model::process::{
    ProcessHistory, ProcessHistoryItem, ProcessState, ProcessStateUpdate,
};
use crate::storage::model::{Instance, InstanceEvent, PlatformUser};

pub(super) async fn put(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
    Json(state): Json<ProcessState>,
) -> Result<Json<Instance>, Fault> {
    moved(&storage, &claims, &at, &origin, state, Vec::new(), false).await
}

pub(super) async fn put_with_events(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    at: At,
    query: Query,
    Json(update): Json<ProcessStateUpdate>,
) -> Result<Json<Instance>, Fault> {
    let clear = query.flag("deleteGeneratedElements")?.unwrap_or(true);
    let bad = |text: &str| Fault::words(StatusCode::BAD_REQUEST, text);
    let state = update.state.ok_or_else(|| bad("The process state is missing."))?;
    let mut events = update.events;
    for event in &mut events {
        if !event.user.as_ref().is_some_and(PlatformUser::is_somebody) {
            return Err(bad("Missing parameter values: event user must be set"));
        }
        let id = event.instance_id.as_deref().unwrap_or_default();
        if id.rsplit('/').next().and_then(|guid| guid.parse().ok()) != Some(at.guid) {
            return Err(bad("Missing parameter values: instanceId must be that of the path"));
        }
        event.id = Some(Uuid::new_v4().to_string());
        event.created.get_or_insert_with(Date::now);
    }
    moved(&storage, &claims, &at, &origin, state, events, clear).await
}

async fn moved(
    storage: &Storage,
    claims: &Claims,
    at: &At,
    origin: &Origin,
    state: ProcessState,
    events: Vec<InstanceEvent>,
    clear: bool,
) -> Result<Json<Instance>, Fault> {
    let whole = storage.found(at).await?;
    demand_next(storage, claims, &whole.instance, &state).await?;
    let author = author(claims)?;
    let org = whole.instance.org.clone().unwrap_or_default();
    let from = whole.instance.process.as_ref().and_then(ProcessState::task).map(str::to_owned);
    let change = storage.change(at, |work| {
        // Who came first has moved it on; the decision was about the task of then.
        let now_in = work.whole.instance.process.as_ref().and_then(ProcessState::task);
        if now_in != from.as_deref() {
            return Err(Fault::forbidden());
        }
        let now = Date::now();
        let gone = if clear { generated(work, state.task()) } else { Vec::new() };
        let kind = step(&mut work.whole.instance, state.clone());
        work.whole.instance.touch(now, &author);
        work.events.extend(events.iter().cloned());
        if kind == Step::ToSigning {
            work.events.push(InstanceEvent::new("SentToSign", &work.whole.instance, None, claims));
        }
        if let Some(told) = kind.told(state.task()) {
            work.told.extend(storage.to_tell(&told, &work.whole.instance, origin));
        }
        Ok(gone)
    });
    let (gone, whole) = change.await?;
    storage.written();
    for path in gone {
        // The elements are gone already; bytes that stay behind only take up room.
        let _ = storage.0.blobs.remove(&org, &path).await;
    }
    let all = owns(claims, &whole.instance);
    Ok(Json(present(whole, origin, all)))
}

/// What a new state means for an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Same,
    ToTask,
    ToSigning,
    End,
}

impl Step {
    fn told(self, task: Option<&str>) -> Option<String> {
        match self {
            Self::Same => None,
            Self::ToTask | Self::ToSigning => {
                Some(format!("app.instance.process.movedTo.{}", task.unwrap_or_default()))
            }
            Self::End => Some("app.instance.process.completed".to_owned()),
        }
    }
}

fn step(instance: &mut Instance, state: ProcessState) -> Step {
    let before = instance.process.replace(state).unwrap_or_default();
    let after = instance.process.clone().unwrap_or_default();
    if let Some(ended) = after.ended
        && before.ended.is_none()
    {
        let status = instance.status();
        status.is_archived = true;
        status.archived = Some(ended);
        return Step::End;
    }
    if after.task() == before.task() {
        return Step::Same;
    }
    let signing = after.task_type() == Some("signing") && before.task_type() != Some("signing");
    if signing { Step::ToSigning } else { Step::ToTask }
}

/// Removes the elements that were made in the task to be entered; tells their blobs.
fn generated(work: &mut Work, task: Option<&str>) -> Vec<String> {
    let Some(task) = task else { return Vec::new() };
    let (gone, kept) = std::mem::take(&mut work.whole.elements)
        .into_iter()
        .partition::<Vec<_>, _>(|element| element.is_from(task));
    work.whole.elements = kept;
    gone.iter().filter_map(|element| blob(element).ok()).collect()
}

/// The next-step rule.
async fn demand_next(
    storage: &Storage,
    claims: &Claims,
    instance: &Instance,
    state: &ProcessState,
) -> Result<(), Fault> {
    let process = instance.process.as_ref();
    // The first task comes with the instance itself.
    let Some(task) = process.and_then(|process| process.current_task.as_ref()) else {
        return Err(Fault::forbidden());
    };
    let kind = task.altinn_task_type.as_deref();
    let target = state.current_task.as_ref();
    let mut about = subject(instance)?;
    let actions = match target.and_then(|target| target.flow_type.as_deref()) {
        Some("AbandonCurrentMoveToNext") => vec!["reject"],
        None | Some("CompleteCurrentMoveToNext") => next_actions(kind),
        Some(_) => {
            about.place = state.task().map(|task| Place::Task(task.to_owned()));
            next_actions(state.task_type())
        }
    };
    storage.0.pdp.demand_any(claims, &actions, &about).await
}

pub(super) async fn history(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    at: At,
) -> Result<Json<ProcessHistory>, Fault> {
    storage.allowed(&claims, &["read"], &at).await?;
    let kinds: Vec<String> = KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    let events = storage.0.metadata.events(at.guid, &kinds, None).await?;
    Ok(Json(ProcessHistory { process_history: lines(&events) }))
}

const KINDS: [&str; 5] = [
    "process_StartEvent",
    "process_EndEvent",
    "process_StartTask",
    "process_EndTask",
    "process_AbandonTask",
];

/// The lines of a history: one for the start, one for each stay in a task, one for the end.
fn lines(events: &[InstanceEvent]) -> Vec<ProcessHistoryItem> {
    let mut lines: Vec<ProcessHistoryItem> = Vec::new();
    for event in events {
        let kind = event.event_type.as_deref().unwrap_or_default();
        let process = event.process_info.clone().unwrap_or_default();
        let performer = event.user.as_ref().map(PlatformUser::performer).unwrap_or_default();
        let task = process.task().map(str::to_owned);
        let line = ProcessHistoryItem {
            event_type: kind.to_owned(),
            performed_by: performer,
            ..ProcessHistoryItem::default()
        };
        if kind.eq_ignore_ascii_case("process_StartEvent") {
            let element_id = process.start_event;
            lines.push(ProcessHistoryItem { element_id, occured: event.created, ..line });
        } else if kind.eq_ignore_ascii_case("process_EndEvent") {
            let element_id = process.end_event;
            lines.push(ProcessHistoryItem { element_id, occured: event.created, ..line });
        } else if kind.eq_ignore_ascii_case("process_StartTask") {
            lines.push(ProcessHistoryItem { element_id: task, started: event.created, ..line });
        } else {
            let open = lines.iter_mut().rev().find(|line| {
                line.element_id == task && line.started.is_some() && line.ended.is_none()
            });
            match open {
                Some(open) => {
                    open.ended = event.created;
                    open.performed_by = line.performed_by;
                }
                None => {
                    lines.push(ProcessHistoryItem {
                        element_id: task,
                        ended: event.created,
                        ..line
                    });
                }
            }
        }
    }
    lines
}

pub(super) async fn auth_info(
    State(storage): State<Storage>,
    at: At,
) -> Result<Json<Value>, Fault> {
    let whole = storage.found(&at).await?;
    Ok(Json(json!({ "process": whole.instance.process, "appId": whole.instance.app_id })))
}
