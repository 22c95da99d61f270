//! Events, subscriptions and deliveries in tables (`platform-api.md` §6.4).

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::cloud::CloudEvent;
use super::subscriptions::Subscription;
use crate::kit::database::{Change, Database, Migrations, Value, lost};
use crate::kit::date::Date;
use crate::kit::fault::Fault;

static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("migrations/events/postgres");
static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("migrations/events/sqlite");

/// The tables.
pub(super) struct Store(pub(super) Database);

/// What is asked for of the events.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub(super) resource: Option<String>,
    pub(super) after: Option<String>,
    pub(super) from: Option<Date>,
    pub(super) to: Option<Date>,
    pub(super) subject: Option<String>,
    pub(super) alternative: Option<String>,
    pub(super) types: Vec<String>,
    pub(super) sources: Vec<String>,
    pub(super) size: i64,
}

/// Something to be pushed.
pub(super) struct Delivery {
    pub(super) id: i64,
    pub(super) attempt: i64,
    pub(super) subscription: Subscription,
    pub(super) event: CloudEvent,
}

impl Store {
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let migrations = Migrations { postgres: &POSTGRES, sqlite: &SQLITE };
        Database::new(url, "events", &migrations).map(Self)
    }

    pub(super) async fn answers(&self) -> Result<(), String> {
        self.0.answers().await
    }

    pub(super) async fn close(&self) {
        self.0.close().await;
    }

    /// Keeps an event, and a delivery for each subscription that wants it.
    pub(super) async fn publish(&self, event: &CloudEvent) -> Result<(), Fault> {
        let mut change = self.0.change().await?;
        let now = Date::now();
        insert(&mut change, event, now).await?;
        let sql = "SELECT id, validated, subscription::text AS document FROM subscription
            WHERE resourcefilter = $1 AND validated = $2";
        let rows = change.rows(sql, vec![event.word("resource").into(), true.into()]).await?;
        for row in &rows {
            let subscription = subscription(row)?;
            if subscription.wants(event) {
                deliver(&mut change, subscription.id, event, now).await?;
            }
        }
        change.commit().await
    }

    /// A page of events, in order of arrival.
    pub(super) async fn find(&self, filter: &Filter) -> Result<Vec<CloudEvent>, Fault> {
        let mut sql = "SELECT cloudevent::text AS document FROM events WHERE 1 = 1".to_owned();
        let mut values: Vec<Value> = Vec::new();
        let mut add = |condition: &str, value: Value| {
            values.push(value);
            sql.push_str(" AND ");
            sql.push_str(&condition.replace('?', &format!("${}", values.len())));
        };
        for (condition, value) in [
            ("resource = ?", &filter.resource),
            ("subject = ?", &filter.subject),
            ("alternativesubject = ?", &filter.alternative),
            // An id that is not known stands before all others.
            (
                "sequenceno > (SELECT COALESCE(MAX(sequenceno), 0) FROM events WHERE id = ?)",
                &filter.after,
            ),
        ] {
            if let Some(value) = value {
                add(condition, value.as_str().into());
            }
        }
        for (condition, date) in [
            ("registeredtime >= ?::timestamptz", filter.from),
            ("registeredtime <= ?::timestamptz", filter.to),
        ] {
            if let Some(date) = date {
                add(condition, date.into());
            }
        }
        let mut any = |column: &str, patterns: &[String]| {
            if patterns.is_empty() {
                return;
            }
            let marks: Vec<String> = patterns
                .iter()
                .map(|pattern| {
                    values.push(pattern.to_lowercase().replace('\\', "\\\\").into());
                    format!("lower({column}) LIKE ${} ESCAPE '\\'", values.len())
                })
                .collect();
            let _ = write!(sql, " AND ({})", marks.join(" OR "));
        };
        any("type", &filter.types);
        any("source", &filter.sources);
        values.push(filter.size.into());
        let _ = write!(sql, " ORDER BY sequenceno LIMIT ${}", values.len());
        let rows = self.0.rows(&sql, values).await?;
        rows.iter().map(|row| document(row).map(CloudEvent)).collect()
    }

    /// Keeps a subscription and the delivery of its validation event; an equal one of the same consumer is used again.
    pub(super) async fn subscribe(
        &self,
        mut wanted: Subscription,
        validation: impl Fn(&Subscription) -> CloudEvent,
    ) -> Result<Subscription, Fault> {
        let mut change = self.0.change().await?;
        let sql = "SELECT id, validated, subscription::text AS document FROM subscription
            WHERE resourcefilter = $1 AND consumer = $2 ORDER BY id";
        let key = [wanted.resource_filter.as_str(), wanted.consumer.as_str()];
        let rows = change.rows(sql, key.map(Value::from).to_vec()).await?;
        let known: Vec<Subscription> = rows.iter().map(subscription).collect::<Result<_, _>>()?;
        if let Some(same) = known.into_iter().find(|known| known.is_same(&wanted)) {
            wanted = same;
        } else {
            let sql = "INSERT INTO subscription (resourcefilter, consumer, validated, subscription)
                VALUES ($1, $2, $3, $4::jsonb) RETURNING id";
            let mut values = key.map(Value::from).to_vec();
            values.extend([false.into(), text(&wanted)?.into()]);
            let rows = change.rows(sql, values).await?;
            let row = rows.first().ok_or_else(|| Fault::internal("no id was given"))?;
            wanted.id = row.try_get("id").map_err(lost)?;
        }
        deliver(&mut change, wanted.id, &validation(&wanted), Date::now()).await?;
        change.commit().await?;
        Ok(wanted)
    }

    pub(super) async fn subscription(&self, id: i64) -> Result<Option<Subscription>, Fault> {
        let sql = "SELECT id, validated, subscription::text AS document FROM subscription
            WHERE id = $1";
        self.0.rows(sql, vec![id.into()]).await?.first().map(subscription).transpose()
    }

    pub(super) async fn subscriptions(&self, consumer: &str) -> Result<Vec<Subscription>, Fault> {
        let sql = "SELECT id, validated, subscription::text AS document FROM subscription
            WHERE consumer = $1 ORDER BY id";
        self.0.rows(sql, vec![consumer.into()]).await?.iter().map(subscription).collect()
    }

    pub(super) async fn unsubscribe(&self, id: i64) -> Result<(), Fault> {
        let mut change = self.0.change().await?;
        change.run("DELETE FROM delivery WHERE subscription = $1", vec![id.into()]).await?;
        change.run("DELETE FROM subscription WHERE id = $1", vec![id.into()]).await?;
        change.commit().await
    }

    pub(super) async fn validate(&self, id: i64) -> Result<(), Fault> {
        let sql = "UPDATE subscription SET validated = $1 WHERE id = $2";
        self.0.run(sql, vec![true.into(), id.into()]).await.map(drop)
    }

    /// What is due, oldest first.
    pub(super) async fn due(&self) -> Result<Vec<Delivery>, Fault> {
        let sql = "SELECT d.id AS delivery, d.attempt, d.cloudevent::text AS event, s.id,
            s.validated, s.subscription::text AS document
            FROM delivery d JOIN subscription s ON s.id = d.subscription
            WHERE d.due <= $1::timestamptz ORDER BY d.due, d.id LIMIT 50";
        let rows = self.0.rows(sql, vec![Date::now().into()]).await?;
        rows.iter()
            .map(|row| {
                let event: String = row.try_get("event").map_err(lost)?;
                Ok(Delivery {
                    id: row.try_get("delivery").map_err(lost)?,
                    attempt: row.try_get("attempt").map_err(lost)?,
                    subscription: subscription(row)?,
                    event: CloudEvent(serde_json::from_str(&event).map_err(Fault::internal)?),
                })
            })
            .collect()
    }

    /// When the next delivery is due.
    pub(super) async fn next_due(&self) -> Result<Option<Date>, Fault> {
        let sql = "SELECT cloudevent::text AS document, due::text AS due FROM delivery
            WHERE due IS NOT NULL ORDER BY due LIMIT 1";
        let rows = self.0.rows(sql, Vec::new()).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let due: String = row.try_get("due").map_err(lost)?;
        // PostgreSQL writes `2024-01-02 03:04:05.678+00`.
        let due = due.replace(' ', "T").replace("+00", "Z");
        Ok(due.parse().ok())
    }

    pub(super) async fn delivered(&self, id: i64) -> Result<(), Fault> {
        self.0.run("DELETE FROM delivery WHERE id = $1", vec![id.into()]).await.map(drop)
    }

    /// Another attempt at this time, or none.
    pub(super) async fn again(&self, id: i64, attempt: i64, at: Option<Date>) -> Result<(), Fault> {
        let sql = "UPDATE delivery SET attempt = $1, due = $2::timestamptz WHERE id = $3";
        self.0.run(sql, vec![attempt.into(), at.into(), id.into()]).await.map(drop)
    }
}

/// Writes an event.
pub(super) async fn insert(
    change: &mut Change<'_>,
    event: &CloudEvent,
    registered: Date,
) -> Result<(), Fault> {
    let sql = "INSERT INTO events (id, resource, source, type, subject, alternativesubject,
        registeredtime, cloudevent) VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz, $8::jsonb)";
    let mut values: Vec<Value> =
        ["id", "resource", "source", "type", "subject", "alternativesubject"]
            .map(|name| event.word(name).into())
            .to_vec();
    values.extend([registered.into(), text(&event.0)?.into()]);
    change.run(sql, values).await.map(drop)
}

async fn deliver(
    change: &mut Change<'_>,
    subscription: i64,
    event: &CloudEvent,
    due: Date,
) -> Result<(), Fault> {
    let sql = "INSERT INTO delivery (subscription, attempt, due, cloudevent)
        VALUES ($1, $2, $3::timestamptz, $4::jsonb)";
    let values = vec![subscription.into(), 0_i64.into(), due.into(), text(&event.0)?.into()];
    change.run(sql, values).await.map(drop)
}

pub(super) fn subscription(row: &AnyRow) -> Result<Subscription, Fault> {
    let text: String = row.try_get("document").map_err(lost)?;
    let mut subscription: Subscription = serde_json::from_str(&text).map_err(Fault::internal)?;
    subscription.id = row.try_get("id").map_err(lost)?;
    // SQLite has no type of its own for truth values.
    subscription.validated = row
        .try_get::<bool, _>("validated")
        .or_else(|_| row.try_get::<i64, _>("validated").map(|number| number != 0))
        .map_err(lost)?;
    Ok(subscription)
}

pub(super) fn document(row: &AnyRow) -> Result<Map<String, Json>, Fault> {
    let text: String = row.try_get("document").map_err(lost)?;
    serde_json::from_str(&text).map_err(Fault::internal)
}

pub(super) fn text<T: serde::Serialize>(document: &T) -> Result<String, Fault> {
    serde_json::to_string(document)
        .map(|text| text.replace("\\u0000", "\\ufffd"))
        .map_err(Fault::internal)
}
