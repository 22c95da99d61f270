//! Handlers that answer as long as the other side listens. Each reader follows the journal at its own pace; what a
//! slow one cost is bounded by the journal's ring, and a stalled one is cut by [`super::accept`].

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use super::Shared;
use super::problem::Problem;
use crate::events::{Event, EventKind};

/// How often a silent stream shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How many lines of log are sent first, unless asked otherwise.
const TAIL: usize = 200;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Since {
    since: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Logs {
    source: Option<String>,
    tail: Option<usize>,
    #[serde(default)]
    follow: bool,
}

/// Server-sent events: every event after a number, then each as it happens. `gap` says that some were forgotten:
/// the reader asks for the state anew.
pub(super) async fn events(
    State(shared): State<Shared>,
    query: Result<Query<Since>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|_| unreadable())?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let (since, gap) = place(&shared, last.or(query.since).unwrap_or(0));
    let first = stream::iter(gap.then(|| "event: gap\ndata: {}\n\n".to_owned()));
    let rest = follow(&shared, since, permit(&shared)?).map(|batch| match batch {
        Some(events) => events.iter().map(frame).collect(),
        None => "event: heartbeat\ndata: {}\n\n".to_owned(),
    });
    Ok(streamed("text/event-stream", first.chain(rest)))
}

/// Lines of output as NDJSON events, the last ones first; with `follow`, each new one. An empty line is a heartbeat.
pub(super) async fn logs(
    State(shared): State<Shared>,
    query: Result<Query<Logs>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|_| unreadable())?;
    let tail = query.tail.unwrap_or(TAIL);
    let newest = shared.engine.journal().newest();
    let mut kept = VecDeque::new();
    for event in shared.engine.journal().since(0) {
        if event.seq <= newest && is_line_of(&event, query.source.as_deref()) {
            kept.push_back(json_line(&event));
            if kept.len() > tail {
                kept.pop_front();
            }
        }
    }
    let first = stream::iter(kept);
    if !query.follow {
        return Ok(streamed("application/x-ndjson", first));
    }
    let source = query.source;
    let rest = follow(&shared, newest, permit(&shared)?).map(move |batch| match batch {
        Some(events) => events
            .iter()
            .filter(|event| is_line_of(event, source.as_deref()))
            .map(json_line)
            .collect(),
        None => "\n".to_owned(),
    });
    Ok(streamed("application/x-ndjson", first.chain(rest)))
}

/// Where to start for a reader who saw events up to a number, and whether it missed some: those the ring forgot,
/// or all when the number is of another agent's life.
fn place(shared: &Shared, since: u64) -> (u64, bool) {
    let journal = shared.engine.journal();
    if since > journal.newest() {
        return (0, true);
    }
    let next = journal.since(since).first().map(|event| event.seq);
    (since, next.is_some_and(|next| next > since + 1))
}

/// Batches of events as they come; none after each silent while. It ends with the agent.
fn follow(
    shared: &Shared,
    since: u64,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Option<Vec<Event>>> + use<> {
    let reader = shared.engine.journal().follow(since);
    let open = (reader, shared.closing.clone(), permit);
    stream::unfold(open, async |(mut reader, closing, permit)| {
        let batch = tokio::select! {
            // What happened until the end is told before the end.
            biased;
            batch = tokio::time::timeout(HEARTBEAT, reader.next()) => match batch {
                Ok(events) => Some(events?),
                Err(_) => None,
            },
            () = closing.cancelled() => return None,
        };
        Some((batch, (reader, closing, permit)))
    })
}

fn permit(shared: &Shared) -> Result<OwnedSemaphorePermit, Problem> {
    shared.streams.clone().try_acquire_owned().map_err(|_| {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many streams are open already")
    })
}

fn unreadable() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "the query does not fit")
}

fn streamed(kind: &'static str, text: impl Stream<Item = String> + Send + 'static) -> Response {
    let body = Body::from_stream(text.map(Ok::<_, Infallible>));
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
}

/// One event for the wire. JSON has no raw line break, but a frame must not depend on it.
fn frame(event: &Event) -> String {
    let mut text = format!("id: {}\n", event.seq);
    for line in json(event).split(['\r', '\n']) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text
}

fn json_line(event: &Event) -> String {
    json(event) + "\n"
}

fn json(event: &Event) -> String {
    // Plain data of ours always has a JSON form.
    serde_json::to_string(event).unwrap_or_default()
}

/// A source is named whole, by its group (`studio`), or with the step that told it (`build app.ttd.my-app`).
fn is_line_of(event: &Event, wanted: Option<&str>) -> bool {
    let EventKind::Log { source, .. } = &event.kind else {
        return false;
    };
    let named = |wanted: &str| {
        source.split(' ').any(|word| {
            let rest = word.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                || word.rsplit('.').next() == Some(wanted)
        })
    };
    wanted.is_none_or(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(source: &str, line: &str) -> Event {
        Event {
            seq: 7,
            time: "2026-01-01T00:00:00Z".to_owned(),
            kind: EventKind::Log { source: source.to_owned(), line: line.to_owned() },
        }
    }

    #[test]
    fn frames_hold_one_event_whatever_the_text() {
        let text = frame(&log("a", "x\r\ndata: forged\n\nid: 9\u{2028}"));
        assert_eq!(text.matches("\ndata: ").count(), 1, "{text}");
        assert!(text.starts_with("id: 7\ndata: {") && text.ends_with("}\n\n"));
    }

    #[test]
    fn sources_are_found_by_name_group_or_step() {
        for (source, wanted, found) in [
            ("studio.gitea", "studio.gitea", true),
            ("studio.gitea", "studio", true),
            ("studio.gitea", "gitea", true),
            ("build app.ttd.my-app", "app.ttd.my-app", true),
            ("studio.gitea", "studio.git", false),
            ("studio.gitea", "", false),
        ] {
            assert_eq!(is_line_of(&log(source, ""), Some(wanted)), found, "{source} {wanted}");
        }
    }
}
