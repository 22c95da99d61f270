//! What the management surface needs of the tables: counts, pages in the order of arrival, removal and import.

use serde_json::Value as Json;
use sqlx::Row;
use uuid::Uuid;

use super::sql::{Sql, columns, document, guid, text, wholes};
use super::{Import, Tally, Whole};
use crate::kit::database::{Value, lost};
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::management::scope::Scope;
use crate::kit::name::AppId;
use crate::storage::model::{Instance, InstanceEvent};

/// Instances of a scope: `$1` its organisation, `$2` its app.
const OF: &str = "(org = $1 OR $1 = '') AND (appid = $2 OR $2 = '')";
/// The same where organisation and app stand apart.
const OF_APP: &str = "(org = $1 OR $1 = '') AND (app = $2 OR $2 = '')";

fn of(scope: &Scope) -> Vec<Value> {
    let app = if let Scope::App(app) = scope { app.to_string() } else { String::new() };
    vec![scope.org().into(), app.into()]
}

fn of_app(scope: &Scope) -> Vec<Value> {
    vec![scope.org().into(), scope.app().into()]
}

impl Sql {
    pub(super) async fn tally(&self, scope: &Scope) -> Result<Tally, Fault> {
        let guids = format!("SELECT alternateid FROM instances WHERE {OF}");
        let ids = format!("SELECT id FROM instances WHERE {OF}");
        Ok(Tally {
            applications: self
                .count(&format!("applications WHERE {OF_APP}"), of_app(scope))
                .await?,
            texts: self.count(&format!("texts WHERE {OF_APP}"), of_app(scope)).await?,
            instances: self.count(&format!("instances WHERE {OF}"), of(scope)).await?,
            files: self
                .count(&format!("dataelements WHERE instanceinternalid IN ({ids})"), of(scope))
                .await?,
            events: self
                .count(&format!("instanceevents WHERE instance IN ({guids})"), of(scope))
                .await?,
        })
    }

    async fn count(&self, rows: &str, values: Vec<Value>) -> Result<i64, Fault> {
        let rows = self.0.rows(&format!("SELECT COUNT(*) AS number FROM {rows}"), values).await?;
        rows.first().map_or(Ok(0), |row| row.try_get("number").map_err(lost))
    }

    pub(super) async fn page(
        &self,
        scope: &Scope,
        after: i64,
        size: i64,
    ) -> Result<Vec<(i64, Whole)>, Fault> {
        let sql = format!(
            "SELECT i.id, i.instance::text AS instance, i.lock::text AS lock,
             d.element::text AS element FROM (SELECT * FROM instances WHERE {OF} AND id > $3
             ORDER BY id LIMIT $4) i
             LEFT JOIN dataelements d ON d.instanceinternalid = i.id ORDER BY i.id, d.id"
        );
        let mut values = of(scope);
        values.extend([after.into(), size.into()]);
        wholes(&self.0.rows(&sql, values).await?)
    }

    pub(super) async fn all_applications(&self, scope: &Scope) -> Result<Vec<Json>, Fault> {
        let sql = format!(
            "SELECT application::text AS document FROM applications WHERE {OF_APP} ORDER BY id"
        );
        self.documents(&sql, of_app(scope)).await
    }

    pub(super) async fn all_texts(
        &self,
        scope: &Scope,
    ) -> Result<Vec<(AppId, String, Json)>, Fault> {
        let sql = format!(
            "SELECT org, app, language, textresource::text AS document FROM texts
             WHERE {OF_APP} ORDER BY id"
        );
        let rows = self.0.rows(&sql, of_app(scope)).await?;
        rows.iter()
            .map(|row| {
                let word = |name: &str| row.try_get::<String, _>(name).map_err(lost);
                let id = AppId::new(&word("org")?, &word("app")?).map_err(Fault::internal)?;
                Ok((id, word("language")?, document(row, "document")?))
            })
            .collect()
    }

    pub(super) async fn forget(&self, instances: &[(i64, Uuid)]) -> Result<(), Fault> {
        let mut change = self.0.change().await?;
        for (id, guid) in instances {
            for (sql, value) in [
                ("DELETE FROM instanceevents WHERE instance = $1::uuid", Value::from(*guid)),
                ("DELETE FROM dataelements WHERE instanceinternalid = $1", Value::from(*id)),
                ("DELETE FROM instances WHERE id = $1", Value::from(*id)),
            ] {
                change.run(sql, vec![value]).await?;
            }
        }
        change.commit().await
    }

    pub(super) async fn forget_untold(&self) -> Result<(), Fault> {
        self.0.run("DELETE FROM outbox", Vec::new()).await.map(drop)
    }

    pub(super) async fn import(&self) -> Result<Import<'_>, Fault> {
        self.0.change().await.map(Import::Sql)
    }
}

impl Import<'_> {
    /// Puts an instance with its history in; false when one of its ids is taken.
    pub async fn instance(
        &mut self,
        whole: &Whole,
        events: &[InstanceEvent],
    ) -> Result<bool, Fault> {
        let Self::Sql(change) = self;
        let mut values = columns(&whole.instance)?;
        let guid = guid(&whole.instance)?;
        values.push(guid.into());
        values.push(whole.lock.as_ref().map(text).transpose()?.into());
        let sql = "INSERT INTO instances (partyid, org, appid, taskid, created, lastchanged, ended,
            duebefore, visibleafter, isarchived, issoftdeleted, isharddeleted, confirmed,
            confirmedby, searchtext, instance, alternateid, lock)
            VALUES ($1, $2, $3, $4, $5::timestamptz, $6::timestamptz, $7::timestamptz,
            $8::timestamptz, $9::timestamptz, $10, $11, $12, $13, $14, $15, $16::jsonb, $17::uuid,
            $18::jsonb) ON CONFLICT (alternateid) DO NOTHING RETURNING id";
        let rows = change.rows(sql, values).await?;
        let Some(row) = rows.first() else { return Ok(false) };
        let id: i64 = row.try_get("id").map_err(lost)?;
        for element in &whole.elements {
            let sql = "INSERT INTO dataelements (alternateid, instanceinternalid, element)
                VALUES ($1::uuid, $2, $3::jsonb) ON CONFLICT (alternateid) DO NOTHING";
            let values = vec![element.id.as_str().into(), id.into(), text(element)?.into()];
            if change.run(sql, values).await? == 0 {
                return Ok(false);
            }
        }
        for event in events {
            let sql =
                "INSERT INTO instanceevents (alternateid, instance, created, eventtype, event)
                VALUES ($1::uuid, $2::uuid, $3::timestamptz, $4, $5::jsonb)
                ON CONFLICT (alternateid) DO NOTHING";
            let values = vec![
                event.id.clone().into(),
                guid.into(),
                event.created.unwrap_or_else(Date::now).into(),
                event.event_type.clone().unwrap_or_default().into(),
                text(event)?.into(),
            ];
            if change.run(sql, values).await? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts an application in, in place of the one before.
    pub async fn application(&mut self, id: &AppId, document: &Json) -> Result<(), Fault> {
        let Self::Sql(change) = self;
        let sql = "INSERT INTO applications (org, app, application) VALUES ($1, $2, $3::jsonb)
            ON CONFLICT (org, app) DO UPDATE SET application = excluded.application";
        let values = vec![id.org().into(), id.app().into(), text(document)?.into()];
        change.run(sql, values).await.map(drop)
    }

    /// Puts texts in, in place of those before.
    pub async fn texts(&mut self, id: &AppId, language: &str, texts: &Json) -> Result<(), Fault> {
        let Self::Sql(change) = self;
        let sql = "INSERT INTO texts (org, app, language, textresource)
            VALUES ($1, $2, $3, $4::jsonb)
            ON CONFLICT (org, app, language) DO UPDATE SET textresource = excluded.textresource";
        let values = vec![id.org().into(), id.app().into(), language.into(), text(texts)?.into()];
        change.run(sql, values).await.map(drop)
    }

    /// Makes all of it last. Dropped instead, nothing happened.
    pub async fn commit(self) -> Result<(), Fault> {
        let Self::Sql(change) = self;
        change.commit().await
    }
}

/// The guid of an instance that is kept.
pub(crate) fn guid_of(instance: &Instance) -> Result<Uuid, Fault> {
    guid(instance)
}
