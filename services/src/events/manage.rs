//! The management surface: what is kept is told, forgotten, given away and taken back.
//!
//! What is still to be pushed is left out of archives: whoever takes one in would push it a second time.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use sqlx::Row;

use super::Events;
use super::cloud::{APP, CloudEvent};
use super::store::{Store, document, subscription, text};
use super::subscriptions::Subscription;
use crate::kit::api::{Api, Endpoint};
use crate::kit::body;
use crate::kit::database::{Change, Value, lost};
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::management::Manager;
use crate::kit::management::archive::{self, Entry, Reader, Writer, malformed};
use crate::kit::management::scope::{QUERY, Scope};
use crate::kit::query::Query;

/// The service's name in archives.
const NAME: &str = "events";
/// Data may come and go slowly.
const LONG: Duration = Duration::from_hours(1);
/// Events that are read at once.
const PAGE: i64 = 500;

/// How much there is.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Tally {
    events: i64,
    subscriptions: i64,
    deliveries: i64,
}

/// A line of an archive.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Line {
    Event { registered: Date, document: Map<String, Json> },
    Subscription { document: Subscription },
}

pub(super) fn endpoints(api: Api<Events>) -> Api<Events> {
    const DATA: &str = "/events/local/data";
    api.add(
        Endpoint::get(DATA, "How much there is")
            .query(QUERY)
            .gives::<Tally>(200)
            .answers(&[400, 404]),
        tally,
    )
    .add(
        Endpoint::delete(DATA, "Removes events, subscriptions and deliveries")
            .query(QUERY)
            .gives::<Tally>(200)
            .answers(&[400, 404])
            .time(LONG),
        forget,
    )
    .add(
        Endpoint::get("/events/local/data/export", "All of it as an archive")
            .query(QUERY)
            .answers(&[200, 400, 404])
            .time(LONG),
        give,
    )
    .add(
        Endpoint::post("/events/local/data/import", "Takes an archive in, all or nothing")
            .takes_kind(archive::KIND)
            .answers(&[200, 400, 404, 409])
            .time(LONG),
        take,
    )
}

async fn tally(
    State(events): State<Events>,
    _: Manager,
    query: Query,
) -> Result<body::Json<Tally>, Fault> {
    events.0.store.tally(&Scope::read(&query)?).await.map(body::Json)
}

async fn forget(
    State(events): State<Events>,
    _: Manager,
    query: Query,
) -> Result<body::Json<Tally>, Fault> {
    events.0.store.forget(&Scope::read(&query)?).await.map(body::Json)
}

async fn give(State(events): State<Events>, _: Manager, query: Query) -> Result<Response, Fault> {
    let scope = Scope::read(&query)?;
    // A store that is away is told before the answer begins.
    events.0.store.tally(&scope).await?;
    let body = archive::body(NAME, &scope.clone(), |writer| events.give(scope, writer));
    Ok(([(CONTENT_TYPE, archive::KIND)], body).into_response())
}

async fn take(
    State(events): State<Events>,
    _: Manager,
    request: Request,
) -> Result<body::Json<Json>, Fault> {
    let mut bytes = request.into_body().into_data_stream();
    let taken = events.take(&mut bytes).await;
    if taken.is_err() {
        archive::drain(&mut bytes).await;
    }
    taken.map(body::Json)
}

/// The resources of a scope, as `LIKE` and as equality see them.
fn resources(scope: &Scope) -> Value {
    match scope {
        Scope::All => "%".into(),
        // An underscore stands for itself.
        Scope::Org(org) => format!("{}{org}\\_%", APP.replace('_', "\\_")).into(),
        Scope::App(app) => {
            format!("{}{}\\_{}", APP.replace('_', "\\_"), app.org(), app.app()).into()
        }
    }
}

impl Store {
    async fn tally(&self, scope: &Scope) -> Result<Tally, Fault> {
        let own = "SELECT id FROM subscription WHERE resourcefilter LIKE $1 ESCAPE '\\'";
        Ok(Tally {
            events: self.count("events WHERE resource LIKE $1 ESCAPE '\\'", scope).await?,
            subscriptions: self
                .count("subscription WHERE resourcefilter LIKE $1 ESCAPE '\\'", scope)
                .await?,
            deliveries: self
                .count(&format!("delivery WHERE subscription IN ({own})"), scope)
                .await?,
        })
    }

    async fn count(&self, rows: &str, scope: &Scope) -> Result<i64, Fault> {
        let sql = format!("SELECT COUNT(*) AS number FROM {rows}");
        let rows = self.0.rows(&sql, vec![resources(scope)]).await?;
        rows.first().map_or(Ok(0), |row| row.try_get("number").map_err(lost))
    }

    /// Removes everything of a scope and tells what went.
    async fn forget(&self, scope: &Scope) -> Result<Tally, Fault> {
        let mut change = self.0.change().await?;
        let mut gone = Tally::default();
        for (count, sql) in [
            (
                &mut gone.deliveries,
                "DELETE FROM delivery WHERE subscription IN
                 (SELECT id FROM subscription WHERE resourcefilter LIKE $1 ESCAPE '\\')",
            ),
            (
                &mut gone.subscriptions,
                "DELETE FROM subscription WHERE resourcefilter LIKE $1 ESCAPE '\\'",
            ),
            (&mut gone.events, "DELETE FROM events WHERE resource LIKE $1 ESCAPE '\\'"),
        ] {
            let touched = change.run(sql, vec![resources(scope)]).await?;
            *count = i64::try_from(touched).unwrap_or(i64::MAX);
        }
        change.commit().await?;
        Ok(gone)
    }
}

impl Events {
    async fn give(self, scope: Scope, mut writer: Writer) -> Result<Writer, Fault> {
        let store = &self.0.store;
        let sql = "SELECT id, validated, subscription::text AS document FROM subscription
            WHERE resourcefilter LIKE $1 ESCAPE '\\' ORDER BY id";
        for row in store.0.rows(sql, vec![resources(&scope)]).await? {
            writer.document(&Line::Subscription { document: subscription(&row)? })?;
        }
        let mut after = 0_i64;
        loop {
            writer.flush().await?;
            let sql = "SELECT sequenceno, registeredtime::text AS registered,
                cloudevent::text AS document FROM events
                WHERE resource LIKE $1 ESCAPE '\\' AND sequenceno > $2 ORDER BY sequenceno LIMIT $3";
            let values = vec![resources(&scope), after.into(), PAGE.into()];
            let rows = store.0.rows(sql, values).await?;
            let Some(last) = rows.last() else { return Ok(writer) };
            after = last.try_get("sequenceno").map_err(lost)?;
            for row in &rows {
                let registered: String = row.try_get("registered").map_err(lost)?;
                // PostgreSQL writes `2024-01-02 03:04:05.678+00`.
                let registered = registered.replace(' ', "T").replace("+00", "Z");
                let registered = registered.parse().map_err(Fault::internal)?;
                writer.document(&Line::Event { registered, document: document(row)? })?;
            }
        }
    }

    async fn take<S, E>(&self, bytes: S) -> Result<Json, Fault>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::error::Error + 'static,
    {
        let mut reader = archive::open(NAME, bytes).await?;
        let mut change = self.0.store.0.change().await?;
        let (count, tally) = take_all(&mut reader, &mut change).await?;
        change.commit().await?;
        Ok(archive::taken(count, &json!(tally)))
    }
}

async fn take_all<S, E>(
    reader: &mut Reader<S>,
    change: &mut Change<'_>,
) -> Result<(archive::Count, Tally), Fault>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::error::Error + 'static,
{
    let mut tally = Tally::default();
    loop {
        match reader.next().await? {
            Entry::Documents(lines) => {
                for line in lines.read::<Line>() {
                    match line? {
                        (place, Line::Event { registered, document }) => {
                            tally.events += 1;
                            event(change, &place, registered, document).await?;
                        }
                        (place, Line::Subscription { document }) => {
                            tally.subscriptions += 1;
                            subscribe(change, &place, &document).await?;
                        }
                    }
                }
            }
            Entry::Blob(id) | Entry::Missing(id) => {
                return Err(malformed(&format!("blobs/{id}"), "events have no bytes"));
            }
            Entry::End(count) => return Ok((count, tally)),
        }
    }
}

async fn event(
    change: &mut Change<'_>,
    place: &str,
    registered: Date,
    document: Map<String, Json>,
) -> Result<(), Fault> {
    let event = CloudEvent::generic(document).map_err(|wrong| malformed(place, &wrong))?;
    let known = "SELECT id FROM events WHERE id = $1 AND source = $2";
    let key = [event.word("id"), event.word("source")].map(Value::from);
    if !change.rows(known, key.to_vec()).await?.is_empty() {
        let text = format!("{place}: event {} is there already", event.word("id"));
        return Err(Fault::problem(StatusCode::CONFLICT, text));
    }
    super::store::insert(change, &event, registered).await
}

async fn subscribe(
    change: &mut Change<'_>,
    place: &str,
    wanted: &Subscription,
) -> Result<(), Fault> {
    let known = "SELECT id, validated, subscription::text AS document FROM subscription
        WHERE resourcefilter = $1 AND consumer = $2";
    let key = [wanted.resource_filter.as_str(), wanted.consumer.as_str()].map(Value::from);
    let rows = change.rows(known, key.to_vec()).await?;
    let rows = rows.iter().map(subscription).collect::<Result<Vec<_>, _>>()?;
    if rows.iter().any(|row| row.is_same(wanted)) {
        let text = format!("{place}: such a subscription is there already");
        return Err(Fault::problem(StatusCode::CONFLICT, text));
    }
    if wanted.resource_filter.is_empty() || wanted.end_point.is_empty() {
        return Err(malformed(place, "the subscription has no resource or no endpoint"));
    }
    // The number is the table's own; a subscription gets the next one.
    let sql = "INSERT INTO subscription (resourcefilter, consumer, validated, subscription)
        VALUES ($1, $2, $3, $4::jsonb)";
    let mut values = key.to_vec();
    values.extend([wanted.validated.into(), text(wanted)?.into()]);
    change.run(sql, values).await.map(drop)
}
