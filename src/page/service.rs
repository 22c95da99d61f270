//! What the script in pages asks for, over connections that the router makes through the tunnel.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::stream;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

use super::excerpt::excerpt;
use super::news::{Broken, News, Told};
use crate::events::{Event, Journal};
use crate::model::{AppId, Domain, Reload, short_hash};

pub(super) const SCRIPT: &str = include_str!("../../templates/page/page.js");
/// Changes with the script.
static SCRIPT_TAG: LazyLock<String> = LazyLock::new(|| format!("\"{}\"", short_hash(&SCRIPT)));
/// Tells this agent's numbers from those of the one before.
static LIFE: LazyLock<String> =
    LazyLock::new(|| jiff::Timestamp::now().as_millisecond().to_string());
/// How often a silent stream shows that it lives; one whose reader went away is noticed by that.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// What pages are told, and of which apps; clones share it.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Where everything is told.
    pub journal: Journal,
    /// The router's port, which is part of every host's name.
    pub port: u16,
    /// The rest of it.
    pub domain: Domain,
    /// The apps and their folders.
    pub apps: Arc<BTreeMap<AppId, PathBuf>>,
    /// Tell why a build failed.
    pub overlay: bool,
    /// Tell what is new.
    pub reload: bool,
}

/// Answers one connection, until it ends.
pub async fn converse(pages: Pages, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let app = axum::Router::new()
        .route("/.altinn-local/page.js", get(script))
        .route("/.altinn-local/events", get(events))
        .with_state(pages);
    let service = TowerToHyperService::new(app);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_mins(2))
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a page's connection broke");
    }
}

async fn script(State(pages): State<Pages>, headers: HeaderMap) -> Response {
    if !pages.apps.keys().any(|app| pages.is_host_of(app, &headers)) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    let told = [(header::CACHE_CONTROL, "no-cache"), (header::ETAG, SCRIPT_TAG.as_str())];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tag| tag.to_str().ok());
    if known.is_some_and(|tag| tag.trim_start_matches("W/") == *SCRIPT_TAG) {
        return (StatusCode::NOT_MODIFIED, told).into_response();
    }
    (told, [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

#[derive(Debug, Deserialize)]
struct Asked {
    app: String,
    since: Option<String>,
}

/// The first message: what a page missed since it last heard from us, and what stands in the way now.
#[derive(Debug, Serialize)]
struct Hello {
    reload: Option<Told>,
    broken: Option<Broken>,
}

/// Server-sent events for the pages of one app. Each has an id, by which a page that comes back is told what it missed.
async fn events(
    State(pages): State<Pages>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let Ok(app) = asked.app.parse::<AppId>() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // An organisation's apps share a host, and see each other's answers anyway; those of others are none of theirs.
    if !pages.is_host_of(&app, &headers) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    if !pages.apps.contains_key(&app) {
        return StatusCode::NO_CONTENT.into_response();
    }
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok().map(str::to_owned));
    let since = last.or(asked.since).and_then(|id| id.parse().ok());
    let body = Body::from_stream(pages.follow(app, since));
    let told = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (told, body).into_response()
}

impl Pages {
    fn is_host_of(&self, app: &AppId, headers: &HeaderMap) -> bool {
        let ours = format!("{}:{}", self.domain.apps_host(&app.org), self.port);
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next().filter(|_| hosts.next().is_none());
        host.is_some_and(|host| host.as_bytes().eq_ignore_ascii_case(ours.as_bytes()))
    }

    /// Messages, the first at once, then as things happen; an empty comment in each silent while.
    fn follow(
        self,
        app: AppId,
        since: Option<Place>,
    ) -> impl stream::Stream<Item = Result<String, Infallible>> {
        let kept = self.journal.since(0);
        let newest = kept.last().map_or(0, |event| event.seq);
        let (news, first) = self.begin(News::new(app), &kept, since);
        let open = (self.journal.follow(newest), self, news, VecDeque::from([first]));
        stream::unfold(open, async |(mut reader, pages, mut news, mut waiting)| {
            while waiting.is_empty() {
                let Ok(batch) = tokio::time::timeout(HEARTBEAT, reader.next()).await else {
                    waiting.push_back(":\n\n".to_owned());
                    break;
                };
                for event in batch? {
                    waiting.extend(pages.messages(&mut news, &event));
                }
            }
            let next = waiting.pop_front()?;
            Some((Ok(next), (reader, pages, news, waiting)))
        })
    }

    /// What happened so far, and the message that says what of it a page missed.
    fn begin(&self, mut news: News, kept: &[Event], since: Option<Place>) -> (News, String) {
        let same = since.as_ref().filter(|since| since.life == *LIFE);
        // Some of what it missed is forgotten.
        let gap = same.is_some_and(|since| kept.first().is_some_and(|old| old.seq > since.seq + 1));
        let mut missed = gap.then_some((Reload::Page, Vec::new()));
        let mut seq = 0;
        for event in kept {
            seq = event.seq;
            let told = news.apply(event);
            if same.is_some_and(|since| event.seq > since.seq) {
                missed = told.into_iter().fold(missed, more);
            }
        }
        if let Some(since) = since.filter(|since| since.life != *LIFE && !since.release.is_empty())
            && since.release != news.release
        {
            missed = Some((Reload::Page, Vec::new()));
        }
        let reload = missed.map(|(kind, files)| Told::Reload { kind, files });
        let hello = Hello {
            reload: reload.filter(|_| self.reload),
            broken: news
                .broken
                .clone()
                .filter(|_| self.overlay)
                .map(|it| self.illustrate(&news, it)),
        };
        let text = message("hello", &Place::at(seq, &news), &hello);
        (news, text)
    }

    fn messages(&self, news: &mut News, event: &Event) -> Vec<String> {
        let told = news.apply(event);
        let place = Place::at(event.seq, news);
        told.into_iter()
            .filter(|told| match told {
                Told::Reload { .. } => self.reload,
                Told::Building {} | Told::Broken(_) | Told::Mended {} => self.overlay,
            })
            .map(|told| match told {
                Told::Broken(broken) => Told::Broken(self.illustrate(news, broken)),
                told => told,
            })
            .map(|told| message(told.name(), &place, &told))
            .collect()
    }

    /// Adds the lines of source around each finding.
    fn illustrate(&self, news: &News, mut broken: Broken) -> Broken {
        if let Some(root) = self.apps.get(news.app()) {
            for found in &mut broken.findings {
                found.excerpt = excerpt(root, &found.file, found.line);
            }
        }
        broken
    }
}

/// The heavier of two ways; style sheets add up.
fn more(so_far: Option<(Reload, Vec<String>)>, told: Told) -> Option<(Reload, Vec<String>)> {
    let Told::Reload { kind, files } = told else { return so_far };
    let (before, mut all) = so_far.unwrap_or_default();
    all.extend(files);
    let kind = kind.max(before);
    Some((kind, if kind == Reload::Css { all } else { Vec::new() }))
}

/// How far a page has heard, as its event id: `<agent's life>/<number>/<release>`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    life: String,
    seq: u64,
    release: String,
}

impl Place {
    fn at(seq: u64, news: &News) -> Self {
        Self { life: LIFE.clone(), seq, release: news.release.clone() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.life, self.seq, self.release)
    }
}

impl std::str::FromStr for Place {
    type Err = ();
    fn from_str(id: &str) -> Result<Self, ()> {
        let (life, rest) = id.split_once('/').ok_or(())?;
        let (seq, release) = rest.split_once('/').ok_or(())?;
        Ok(Self {
            life: life.to_owned(),
            seq: seq.parse().map_err(|_| ())?,
            release: release.to_owned(),
        })
    }
}

/// One message for the wire; JSON has no raw line break.
fn message(name: &str, place: &Place, content: &impl Serialize) -> String {
    // Plain data of ours always has a JSON form.
    let json = serde_json::to_string(content).unwrap_or_default();
    format!("event: {name}\nid: {place}\ndata: {json}\n\n")
}
