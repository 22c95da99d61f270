//! What inboxes do with instances (`platform-api.md` §1.7): only what has no other endpoint.

use axum::extract::State;
use axum::http::StatusCode;

use super::instances::deleted;
use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::query::Query;
use crate::kit::token::Bearer;
use crate::storage::Storage;
use crate::storage::access::{At, author};
use crate::storage::model::InstanceEvent;

pub(super) async fn undelete(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    at: At,
) -> Result<Json<bool>, Fault> {
    storage.allowed(&claims, &["delete"], &at).await?;
    let author = author(&claims)?;
    storage
        .change(&at, |work| {
            let status = work.whole.instance.status();
            if status.is_hard_deleted {
                let text = "Instance was permanently deleted.";
                return Err(Fault::words(StatusCode::NOT_FOUND, text));
            }
            if status.is_soft_deleted {
                status.is_soft_deleted = false;
                status.soft_deleted = None;
                work.whole.instance.touch(Date::now(), &author);
                let instance = &work.whole.instance;
                work.events.push(InstanceEvent::new("Undeleted", instance, None, &claims));
            }
            Ok(())
        })
        .await?;
    Ok(Json(true))
}

pub(super) async fn delete(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    at: At,
    query: Query,
) -> Result<Json<bool>, Fault> {
    let hard = query.flag("hard")?.unwrap_or(false);
    deleted(&storage, &claims, &at, hard).await?;
    Ok(Json(true))
}
