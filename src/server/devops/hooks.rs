//! News of pushes and pull requests, from Gitea and signed by it: they start the quality build.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Desk;
use super::fault::Fault;
use crate::model::{Definition, RunStatus};
use crate::pipeline::{Asker, PUSH, Pipeline, Request};

/// What a branch that was deleted is told to be at.
const NOWHERE: &str = "0000000000000000000000000000000000000000";
/// Pushes come in bursts, of which the newest is built.
const SETTLE: Duration = Duration::from_secs(2);

/// Hears one piece of news.
pub(super) fn heard(desk: &Desk, headers: &HeaderMap, body: &[u8]) -> Result<Response, Fault> {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_signed(&desk.keys.hook, body, header("x-gitea-signature")) {
        return Err(Fault::unauthorized());
    }
    let news: Value = serde_json::from_slice(body)
        .map_err(|error| Fault::invalid(format!("the body is not news: {error}")))?;
    let wanted = match header("x-gitea-event") {
        "push" => pushed(&news),
        "pull_request" => proposed(&news),
        _ => None,
    };
    let Some(wanted) = wanted else { return Ok(Json(json!({"queued": null})).into_response()) };
    let pipeline = desk.engine.pipeline();
    supersede(pipeline, &wanted);
    pipeline.settle(SETTLE);
    let run = pipeline.queue(Request {
        definition: Definition::Quality,
        parameters: wanted,
        asker: Asker::Owner,
        reason: reason(&news),
    })?;
    Ok(Json(json!({"queued": run.id})).into_response())
}

fn is_signed(secret: &str, body: &[u8], signature: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    let digits: Option<Vec<u8>> = (0..signature.len() / 2)
        .map(|place| u8::from_str_radix(signature.get(2 * place..2 * place + 2)?, 16).ok())
        .collect();
    !secret.is_empty() && digits.is_some_and(|digits| mac.verify_slice(&digits).is_ok())
}

fn text<'a>(news: &'a Value, pointer: &str) -> &'a str {
    news.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn parameters(news: &Value, commit: &str, branch: &str) -> Option<BTreeMap<String, String>> {
    let (owner, repository) =
        (text(news, "/repository/owner/username"), text(news, "/repository/name"));
    if commit.is_empty() || commit == NOWHERE || owner.is_empty() {
        return None;
    }
    let parameters = [
        ("APP_OWNER", owner),
        ("APP_REPO", repository),
        ("APP_COMMIT_ID", commit),
        ("BRANCH", branch),
    ];
    Some(parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

/// A push to the branch that is released from; others get their build with their pull request.
fn pushed(news: &Value) -> Option<BTreeMap<String, String>> {
    let branch = text(news, "/ref").strip_prefix("refs/heads/")?;
    (branch == text(news, "/repository/default_branch")).then_some(())?;
    parameters(news, text(news, "/after"), branch)
}

fn proposed(news: &Value) -> Option<BTreeMap<String, String>> {
    matches!(text(news, "/action"), "opened" | "reopened" | "synchronized" | "synchronize")
        .then_some(())?;
    parameters(news, text(news, "/pull_request/head/sha"), text(news, "/pull_request/head/ref"))
}

fn reason(news: &Value) -> String {
    match news["number"].as_u64() {
        Some(number) => format!("pull request {number}"),
        None => format!("{PUSH}{}", text(news, "/ref").trim_start_matches("refs/heads/")),
    }
}

/// Of the pushes to one branch the newest counts: builds of older ones that have not begun are given up, and say so.
fn supersede(pipeline: &Pipeline, wanted: &BTreeMap<String, String>) {
    let same = |name: &str, other: &BTreeMap<String, String>| wanted.get(name) == other.get(name);
    let older = pipeline.list(
        |run| {
            run.definition == Definition::Quality
                && run.status == RunStatus::NotStarted
                && ["APP_OWNER", "APP_REPO", "BRANCH"]
                    .iter()
                    .all(|name| same(name, &run.parameters))
        },
        usize::MAX,
    );
    for run in older {
        if pipeline.cancel(run.id, Some("a newer push came".to_owned())).is_err() {
            tracing::warn!(run = run.id, "an older build was not given up");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_signed_is_heard() {
        // Computed with `openssl dgst -sha256 -hmac secret`.
        let signature = "dc46983557fea127b43af721467eb9b3fde2338fe3e14f51952aa8478c13d355";
        assert!(is_signed("secret", b"body", signature));
        for (secret, body, signature) in [
            ("secret", &b"body2"[..], signature),
            ("other", b"body", signature),
            ("secret", b"body", ""),
            ("secret", b"body", "æ"),
            ("", b"body", signature),
        ] {
            assert!(!is_signed(secret, body, signature));
        }
    }

    #[test]
    fn pushes_to_the_default_branch_and_pull_requests_are_built() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let repository =
            json!({"name": "demo", "default_branch": "master", "owner": {"username": "ttd"}});
        let push = |branch: &str, after: &str| json!({"ref": branch, "after": after, "repository": repository});
        assert_eq!(pushed(&push("refs/heads/master", commit)).unwrap()["APP_COMMIT_ID"], commit);
        assert_eq!(pushed(&push("refs/heads/other", commit)), None);
        assert_eq!(pushed(&push("refs/tags/v1", commit)), None);
        assert_eq!(pushed(&push("refs/heads/master", NOWHERE)), None);
        let pull = |action: &str| {
            json!({"action": action, "number": 3, "repository": repository,
                "pull_request": {"head": {"sha": commit, "ref": "feature"}}})
        };
        assert_eq!(proposed(&pull("opened")).unwrap()["BRANCH"], "feature");
        assert_eq!(proposed(&pull("closed")), None);
        assert_eq!(reason(&pull("opened")), "pull request 3");
    }
}
