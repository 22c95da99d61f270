//! The lock of an instance (`platform-api.md` §1.3, §1.5).

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::SignedDuration;

use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::token::Bearer;
use crate::storage::Storage;
use crate::storage::access::{At, author, task_actions};
use crate::storage::model::lock::{Lock, LockRequest, LockResponse, LockToken};

/// Header of the token.
const HEADER: &str = "altinn-storage-lock-token";

pub(super) async fn take(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    at: At,
    Json(request): Json<LockRequest>,
) -> Result<Json<LockResponse>, Fault> {
    let time = time(&request)?;
    let by = author(&claims)?;
    let whole = storage.found(&at).await.map_err(told)?;
    let actions = task_actions(whole.instance.process.as_ref());
    storage.demand(&claims, &actions, &whole.instance).await.map_err(told)?;
    let (token, _) = storage
        .change(&at, |work| {
            let now = Date::now();
            let last = work.whole.lock.as_ref();
            if last.is_some_and(|lock| lock.until > now) {
                let text = "Lock is already held for this instance.";
                return Err(Fault::problem(StatusCode::CONFLICT, text));
            }
            let token = LockToken::new(last.map_or(1, |lock| lock.id + 1))
                .ok_or_else(|| Fault::internal("no random bytes"))?;
            let until = now.after(time);
            let lock = Lock { id: token.id, until, by: by.clone(), hash: token.hash() };
            work.whole.lock = Some(lock);
            Ok(token)
        })
        .await?;
    Ok(Json(LockResponse { lock_token: token.text() }))
}

pub(super) async fn keep(
    State(storage): State<Storage>,
    Bearer(_): Bearer,
    at: At,
    headers: HeaderMap,
    Json(request): Json<LockRequest>,
) -> Result<StatusCode, Fault> {
    let token = headers.get(HEADER).and_then(|value| LockToken::read(value.to_str().ok()?));
    let token = token
        .ok_or_else(|| Fault::problem(StatusCode::BAD_REQUEST, "Could not parse lock token."))?;
    let time = time(&request)?;
    storage.found(&at).await.map_err(told)?;
    storage
        .change(&at, |work| {
            let now = Date::now();
            let refuse = |status, text: &str| Err(Fault::problem(status, text));
            match &mut work.whole.lock {
                // A number that was given before: that lock ended when a later one was taken.
                Some(lock) if token.id > 0 && token.id < lock.id => {
                    refuse(StatusCode::UNPROCESSABLE_ENTITY, "Lock has expired.")
                }
                Some(lock) if token.id == lock.id => {
                    if token.hash() != lock.hash {
                        return refuse(StatusCode::FORBIDDEN, "Lock token is invalid.");
                    }
                    if lock.until <= now {
                        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "Lock has expired.");
                    }
                    lock.until = now.after(time);
                    Ok(())
                }
                _ => refuse(StatusCode::NOT_FOUND, "Lock not found."),
            }
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn time(request: &LockRequest) -> Result<SignedDuration, Fault> {
    if request.ttl_seconds < 0 {
        return Err(Fault::problem(StatusCode::BAD_REQUEST, "TtlSeconds cannot be negative."));
    }
    // A day is longer than any step of a process.
    Ok(SignedDuration::from_secs(request.ttl_seconds.min(86_400)))
}

/// This resource refuses with problem details.
fn told(fault: Fault) -> Fault {
    match fault.status() {
        StatusCode::NOT_FOUND => Fault::problem(StatusCode::NOT_FOUND, "Instance not found."),
        StatusCode::FORBIDDEN => {
            Fault::problem(StatusCode::FORBIDDEN, "Not authorized to acquire instance lock.")
        }
        _ => fault,
    }
}
