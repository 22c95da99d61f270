//! Documents in tables (`platform-api.md` §1.9). The columns beside a document repeat what queries look at.

use std::fmt::Write as _;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use sqlx::Row;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::{Bound, Filter, Moment, Order, Page, Whole, Work};
use crate::kit::database::{Change, Database, Migrations, Value, lost};
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::storage::model::{DataElement, Instance, InstanceEvent};

static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("migrations/storage/postgres");
static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("migrations/storage/sqlite");

/// Storage's tables.
pub struct Sql(pub(super) Database);

const READ: &str = "SELECT i.id, i.instance::text AS instance, i.lock::text AS lock,
    d.element::text AS element
    FROM instances i LEFT JOIN dataelements d ON d.instanceinternalid = i.id";

/// Values of the columns beside the document, in the order of `INSERT` and `UPDATE` below.
const COLUMNS: usize = 16;

impl Sql {
    /// Tables at `postgres://…` or `sqlite:FILE`.
    pub fn new(url: &str) -> Result<Self, String> {
        let migrations = Migrations { postgres: &POSTGRES, sqlite: &SQLITE };
        Database::new(url, "storage", &migrations).map(Self)
    }

    pub(super) async fn answers(&self) -> Result<(), String> {
        self.0.answers().await
    }

    pub(super) async fn close(&self) {
        self.0.close().await;
    }

    pub(super) async fn create(&self, work: &Work) -> Result<(), Fault> {
        let mut change = self.0.change().await?;
        let mut values = columns(&work.whole.instance)?;
        values.push(guid(&work.whole.instance)?.into());
        let sql = "INSERT INTO instances (partyid, org, appid, taskid, created, lastchanged, ended,
            duebefore, visibleafter, isarchived, issoftdeleted, isharddeleted, confirmed,
            confirmedby, searchtext, instance, alternateid)
            VALUES ($1, $2, $3, $4, $5::timestamptz, $6::timestamptz, $7::timestamptz,
            $8::timestamptz, $9::timestamptz, $10, $11, $12, $13, $14, $15, $16::jsonb, $17::uuid)";
        change.run(sql, values).await?;
        append(&mut change, work).await?;
        change.commit().await
    }

    pub(super) async fn whole(&self, guid: Uuid) -> Result<Option<Whole>, Fault> {
        let sql = format!("{READ} WHERE i.alternateid = $1::uuid ORDER BY d.id");
        let rows = self.0.rows(&sql, vec![guid.into()]).await?;
        Ok(wholes(&rows)?.pop().map(|(_, whole)| whole))
    }

    pub(super) async fn change<T: Send>(
        &self,
        guid: Uuid,
        mut by: impl FnMut(&mut Work) -> Result<T, Fault> + Send,
    ) -> Result<Option<(T, Whole)>, Fault> {
        let mut change = self.0.change().await?;
        let lock = "SELECT id FROM instances WHERE alternateid = $1::uuid FOR UPDATE";
        if change.rows(lock, vec![guid.into()]).await?.is_empty() {
            return Ok(None);
        }
        let sql = format!("{READ} WHERE i.alternateid = $1::uuid ORDER BY d.id");
        let rows = change.rows(&sql, vec![guid.into()]).await?;
        let Some((id, before)) = wholes(&rows)?.pop() else { return Ok(None) };
        let mut work = Work { whole: before.clone(), ..Work::default() };
        let answer = by(&mut work)?;
        if work.whole.instance != before.instance || work.whole.lock != before.lock {
            let mut values = columns(&work.whole.instance)?;
            values.push(work.whole.lock.as_ref().map(text).transpose()?.into());
            values.push(id.into());
            let sql = "UPDATE instances SET partyid = $1, org = $2, appid = $3, taskid = $4,
                created = $5::timestamptz, lastchanged = $6::timestamptz, ended = $7::timestamptz,
                duebefore = $8::timestamptz, visibleafter = $9::timestamptz, isarchived = $10,
                issoftdeleted = $11, isharddeleted = $12, confirmed = $13, confirmedby = $14,
                searchtext = $15, instance = $16::jsonb, lock = $17::jsonb WHERE id = $18";
            change.run(sql, values).await?;
        }
        elements(&mut change, id, &before.elements, &work.whole.elements).await?;
        append(&mut change, &work).await?;
        change.commit().await?;
        Ok(Some((answer, work.whole)))
    }

    pub(super) async fn find(&self, filter: &Filter) -> Result<Page, Fault> {
        let (wanted, mut values) = conditions(filter);
        let direction = if filter.order == Order::Latest { "DESC" } else { "ASC" };
        values.push(filter.size.into());
        let join = if filter.elements { "d.instanceinternalid = i.id" } else { "1 = 0" };
        let sql = format!(
            "SELECT i.id, i.instance::text AS instance, i.lock::text AS lock,
             d.element::text AS element FROM (SELECT * FROM instances WHERE {wanted}
             ORDER BY lastchanged {direction}, id {direction} LIMIT ${}) i
             LEFT JOIN dataelements d ON {join}
             ORDER BY i.lastchanged {direction}, i.id {direction}, d.id",
            values.len()
        );
        let hits = wholes(&self.0.rows(&sql, values).await?)?;
        let full = i64::try_from(hits.len()).is_ok_and(|found| found == filter.size);
        let next = match hits.last() {
            Some((id, whole)) if full => whole.instance.last_changed.map(|date| (date, *id)),
            _ => None,
        };
        Ok(Page { hits: hits.into_iter().map(|(_, whole)| whole).collect(), next })
    }

    pub(super) async fn events(
        &self,
        guid: Uuid,
        types: &[String],
        between: Option<(Date, Date)>,
    ) -> Result<Vec<InstanceEvent>, Fault> {
        let mut sql = "SELECT event::text AS document FROM instanceevents
            WHERE instance = $1::uuid"
            .to_owned();
        let mut values = vec![guid.into()];
        if let Some((from, to)) = between {
            sql.push_str(" AND created >= $2::timestamptz AND created <= $3::timestamptz");
            values.extend([from.into(), to.into()]);
        }
        if !types.is_empty() {
            let first = values.len() + 1;
            let marks: Vec<String> =
                (first..first + types.len()).map(|number| format!("${number}")).collect();
            let _ = write!(sql, " AND lower(eventtype) IN ({})", marks.join(", "));
            values.extend(types.iter().map(|kind| Value::from(kind.to_lowercase())));
        }
        sql.push_str(" ORDER BY created, id");
        self.documents(&sql, values).await
    }

    pub(super) async fn has_element(&self, id: Uuid) -> Result<bool, Fault> {
        let sql = "SELECT id FROM dataelements WHERE alternateid = $1::uuid";
        Ok(!self.0.rows(sql, vec![id.into()]).await?.is_empty())
    }

    pub(super) async fn documents<T: DeserializeOwned>(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<T>, Fault> {
        self.0.rows(sql, values).await?.iter().map(|row| document(row, "document")).collect()
    }

    pub(super) async fn application(&self, id: &AppId) -> Result<Option<Json>, Fault> {
        let sql = "SELECT application::text AS document FROM applications
            WHERE org = $1 AND app = $2";
        Ok(self.documents(sql, vec![id.org().into(), id.app().into()]).await?.pop())
    }

    pub(super) async fn applications(&self, org: Option<&str>) -> Result<Vec<Json>, Fault> {
        let sql = "SELECT application::text AS document FROM applications
            WHERE org = $1 OR $1 = '' ORDER BY org, app";
        self.documents(sql, vec![org.unwrap_or_default().into()]).await
    }

    pub(super) async fn put_application(&self, id: &AppId, document: &Json) -> Result<(), Fault> {
        let sql = "INSERT INTO applications (org, app, application) VALUES ($1, $2, $3::jsonb)
            ON CONFLICT (org, app) DO UPDATE SET application = excluded.application";
        let values = vec![id.org().into(), id.app().into(), text(document)?.into()];
        self.0.run(sql, values).await.map(drop)
    }

    pub(super) async fn drop_application(&self, id: &AppId) -> Result<bool, Fault> {
        let values: Vec<Value> = vec![id.org().into(), id.app().into()];
        let mut change = self.0.change().await?;
        change.run("DELETE FROM texts WHERE org = $1 AND app = $2", values.clone()).await?;
        let sql = "DELETE FROM applications WHERE org = $1 AND app = $2";
        let touched = change.run(sql, values).await?;
        change.commit().await?;
        Ok(touched > 0)
    }

    pub(super) async fn texts(&self, id: &AppId, language: &str) -> Result<Option<Json>, Fault> {
        let sql = "SELECT textresource::text AS document FROM texts
            WHERE org = $1 AND app = $2 AND language = $3";
        let values = vec![id.org().into(), id.app().into(), language.into()];
        Ok(self.documents(sql, values).await?.pop())
    }

    pub(super) async fn put_texts(
        &self,
        id: &AppId,
        language: &str,
        texts: &Json,
    ) -> Result<(), Fault> {
        let sql = "INSERT INTO texts (org, app, language, textresource)
            VALUES ($1, $2, $3, $4::jsonb)
            ON CONFLICT (org, app, language) DO UPDATE SET textresource = excluded.textresource";
        let values = vec![id.org().into(), id.app().into(), language.into(), text(texts)?.into()];
        self.0.run(sql, values).await.map(drop)
    }

    pub(super) async fn drop_texts(&self, id: &AppId, language: &str) -> Result<bool, Fault> {
        let sql = "DELETE FROM texts WHERE org = $1 AND app = $2 AND language = $3";
        let values = vec![id.org().into(), id.app().into(), language.into()];
        self.0.run(sql, values).await.map(|touched| touched > 0)
    }

    pub(super) async fn to_tell(&self) -> Result<Vec<(i64, Json)>, Fault> {
        let sql = "SELECT id, event::text AS document FROM outbox ORDER BY id LIMIT 100";
        let rows = self.0.rows(sql, Vec::new()).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("id").map_err(lost)?, document(row, "document")?)))
            .collect()
    }

    pub(super) async fn was_told(&self, number: i64) -> Result<(), Fault> {
        self.0.run("DELETE FROM outbox WHERE id = $1", vec![number.into()]).await.map(drop)
    }
}

/// Writes the events of a change.
async fn append(change: &mut Change<'_>, work: &Work) -> Result<(), Fault> {
    let instance = guid(&work.whole.instance)?;
    for event in &work.events {
        let sql = "INSERT INTO instanceevents (alternateid, instance, created, eventtype, event)
            VALUES ($1::uuid, $2::uuid, $3::timestamptz, $4, $5::jsonb)";
        let values = vec![
            event.id.clone().into(),
            instance.into(),
            event.created.unwrap_or_else(Date::now).into(),
            event.event_type.clone().unwrap_or_default().into(),
            text(event)?.into(),
        ];
        change.run(sql, values).await?;
    }
    for event in &work.told {
        let sql = "INSERT INTO outbox (event) VALUES ($1::jsonb)";
        change.run(sql, vec![text(event)?.into()]).await?;
    }
    Ok(())
}

/// Writes what differs between the elements of before and after.
async fn elements(
    change: &mut Change<'_>,
    id: i64,
    before: &[DataElement],
    after: &[DataElement],
) -> Result<(), Fault> {
    for gone in before.iter().filter(|old| !after.iter().any(|new| new.id == old.id)) {
        let sql = "DELETE FROM dataelements WHERE alternateid = $1::uuid";
        change.run(sql, vec![gone.id.as_str().into()]).await?;
    }
    for element in after {
        let sql = match before.iter().find(|old| old.id == element.id) {
            Some(old) if old == element => continue,
            Some(_) => {
                "UPDATE dataelements SET element = $3::jsonb
                 WHERE alternateid = $1::uuid AND instanceinternalid = $2"
            }
            None => {
                "INSERT INTO dataelements (alternateid, instanceinternalid, element)
                 VALUES ($1::uuid, $2, $3::jsonb)"
            }
        };
        change.run(sql, vec![element.id.as_str().into(), id.into(), text(element)?.into()]).await?;
    }
    Ok(())
}

pub(super) fn columns(instance: &Instance) -> Result<Vec<Value>, Fault> {
    let status = instance.status.clone().unwrap_or_default();
    let process = instance.process.as_ref();
    let org = instance.org.clone().unwrap_or_default();
    let confirmed: Vec<&str> = instance
        .complete_confirmations
        .iter()
        .flatten()
        .map(|confirmation| confirmation.stakeholder_id.as_str())
        .collect();
    let texts = instance.presentation_texts.iter().flatten();
    let search: Vec<String> =
        texts.filter_map(|(_, text)| text.as_deref()).map(str::to_lowercase).collect();
    let created = instance.created.unwrap_or_else(Date::now);
    let values = vec![
        Value::Number(instance.party()),
        org.as_str().into(),
        instance.app_id.clone().unwrap_or_default().into(),
        process.and_then(|process| process.task()).map(str::to_owned).into(),
        created.into(),
        instance.last_changed.unwrap_or(created).into(),
        process.and_then(|process| process.ended).into(),
        instance.due_before.into(),
        instance.visible_after.into(),
        status.is_archived.into(),
        status.is_soft_deleted.into(),
        status.is_hard_deleted.into(),
        confirmed.contains(&org.as_str()).into(),
        confirmed.iter().fold(";".to_owned(), |all, one| format!("{all}{one};")).into(),
        search.join("\n").into(),
        text(instance)?.into(),
    ];
    debug_assert_eq!(values.len(), COLUMNS);
    Ok(values)
}

pub(super) fn guid(instance: &Instance) -> Result<Uuid, Fault> {
    let guid = instance.guid().and_then(|guid| guid.parse().ok());
    guid.ok_or_else(|| Fault::internal("an instance without a guid"))
}

/// The condition of a query and its values.
fn conditions(filter: &Filter) -> (String, Vec<Value>) {
    let mut sql = "1 = 1".to_owned();
    let mut values: Vec<Value> = Vec::new();
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        let _ = write!(sql, " AND {}", condition.replace('?', &format!("${}", values.len())));
    };
    let texts =
        [("org = ?", &filter.org), ("appid = ?", &filter.app), ("taskid = ?", &filter.task)];
    for (condition, text) in texts {
        if let Some(text) = text {
            add(condition, text.as_str().into());
        }
    }
    if let Some(party) = filter.party {
        add("partyid = ?", party.into());
    }
    for (condition, flag) in [
        ("isarchived = ?", filter.archived),
        ("issoftdeleted = ?", filter.soft_deleted),
        ("isharddeleted = ?", filter.hard_deleted),
        ("confirmed = ?", filter.confirmed),
        ("(ended IS NOT NULL) = ?", filter.complete),
    ] {
        if let Some(flag) = flag {
            add(condition, flag.into());
        }
    }
    for (moment, bound, date) in &filter.bounds {
        add(&format!("{} {} ?::timestamptz", column(*moment), sign(*bound)), (*date).into());
    }
    if let Some(stakeholder) = &filter.unconfirmed_by {
        add("confirmedby NOT LIKE ? ESCAPE '\\'", format!("%;{};%", literal(stakeholder)).into());
    }
    if let Some(search) = &filter.search {
        let search = literal(&search.to_lowercase());
        add("searchtext LIKE ? ESCAPE '\\'", format!("%{search}%").into());
    }
    if let Some(reference) = &filter.reference {
        let end = format!("%{}", literal(&reference.to_lowercase()));
        add("alternateid::text LIKE ? ESCAPE '\\'", end.into());
    }
    if let Some((date, id)) = filter.after {
        let sign = if filter.order == Order::Latest { "<" } else { ">" };
        add(&format!("lastchanged {sign}= ?::timestamptz"), date.into());
        add(&format!("(lastchanged {sign} ?::timestamptz OR id {sign} {id})"), date.into());
    }
    if filter.complete == Some(false) {
        sql.push_str(" AND taskid IS NOT NULL");
    }
    (sql, values)
}

fn column(moment: Moment) -> &'static str {
    match moment {
        Moment::Created => "created",
        Moment::LastChanged => "lastchanged",
        Moment::Ended => "ended",
        Moment::DueBefore => "duebefore",
        Moment::VisibleAfter => "visibleafter",
    }
}

fn sign(bound: Bound) -> &'static str {
    match bound {
        Bound::After => ">",
        Bound::From => ">=",
        Bound::Before => "<",
        Bound::UpTo => "<=",
        Bound::At => "=",
    }
}

/// Text that stands for itself in `LIKE`.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// Rows of instances beside their elements, put together again; each with its number.
pub(super) fn wholes(rows: &[AnyRow]) -> Result<Vec<(i64, Whole)>, Fault> {
    let mut wholes: Vec<(i64, Whole)> = Vec::new();
    for row in rows {
        let id: i64 = row.try_get("id").map_err(lost)?;
        if wholes.last().is_none_or(|(last, _)| *last != id) {
            let lock: Option<String> = row.try_get("lock").map_err(lost)?;
            let lock = lock.map(|lock| parse(&lock)).transpose()?;
            let whole = Whole { instance: document(row, "instance")?, lock, elements: Vec::new() };
            wholes.push((id, whole));
        }
        let element: Option<String> = row.try_get("element").map_err(lost)?;
        if let (Some((_, whole)), Some(element)) = (wholes.last_mut(), element) {
            whole.elements.push(parse(&element)?);
        }
    }
    Ok(wholes)
}

pub(super) fn document<T: DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, Fault> {
    let text: String = row.try_get(column).map_err(lost)?;
    parse(&text)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(Fault::internal)
}

pub(super) fn text<T: Serialize>(document: &T) -> Result<String, Fault> {
    // PostgreSQL keeps no NUL in documents, and callers may write one into any string.
    serde_json::to_string(document)
        .map(|text| text.replace("\\u0000", "\\ufffd"))
        .map_err(Fault::internal)
}
