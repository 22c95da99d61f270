//! Releases and deployments in tables: one document each, with beside it what is asked by.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::model::{Deployment, Event, Release};
use crate::kit::database::{Database, Migrations, Value, lost};
use crate::kit::fault::Fault;
use crate::kit::name::AppId;

static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("migrations/designer/postgres");
static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("migrations/designer/sqlite");

/// As many are told of each.
const MOST: i64 = 200;
/// Of all deployments together; the oldest are not told.
const EVENTS: i64 = 2_000;

/// The tables.
pub(in crate::designer) struct Store(Database);

impl Store {
    pub(in crate::designer) fn new(url: &str) -> Result<Self, String> {
        let migrations = Migrations { postgres: &POSTGRES, sqlite: &SQLITE };
        Database::new(url, "designer", &migrations).map(Self)
    }

    pub(in crate::designer) async fn answers(&self) -> Result<(), String> {
        self.0.answers().await
    }

    /// Keeps a new release; `None` when its tag is taken by one that did not fail.
    pub(super) async fn add_release(&self, release: &Release) -> Result<Option<i64>, Fault> {
        let sql = "INSERT INTO releases (org, app, tagname, open, failed, document)
            VALUES ($1, $2, $3, $4, $5, $6::jsonb) ON CONFLICT DO NOTHING RETURNING id";
        let values = vec![
            release.org.as_str().into(),
            release.app.as_str().into(),
            release.tag_name.as_str().into(),
            true.into(),
            false.into(),
            text(release)?.into(),
        ];
        let mut change = self.0.change().await?;
        let rows = change.rows(sql, values).await?;
        change.commit().await?;
        rows.first().map(|row| row.try_get("id").map_err(lost)).transpose()
    }

    pub(super) async fn put_release(&self, release: &Release) -> Result<(), Fault> {
        let sql = "UPDATE releases SET buildid = $1, open = $2, failed = $3, document = $4::jsonb
            WHERE id = $5";
        let build = &release.build;
        let values = vec![
            build.id.as_str().into(),
            build.is_open().into(),
            build.has_failed().into(),
            text(release)?.into(),
            release.id.into(),
        ];
        self.0.run(sql, values).await.map(drop)
    }

    pub(super) async fn remove_release(&self, id: i64) -> Result<(), Fault> {
        self.0.run("DELETE FROM releases WHERE id = $1", vec![id.into()]).await.map(drop)
    }

    /// An app's releases, newest first.
    pub(super) async fn releases(&self, app: &AppId) -> Result<Vec<Release>, Fault> {
        self.releases_where("org = $1 AND app = $2", named(app)).await
    }

    pub(super) async fn release_of_build(&self, build: &str) -> Result<Option<Release>, Fault> {
        let found = self.releases_where("buildid = $1", vec![build.into()]).await?;
        Ok(found.into_iter().next())
    }

    pub(super) async fn open_releases(&self) -> Result<Vec<Release>, Fault> {
        self.releases_where("open = $1", vec![true.into()]).await
    }

    async fn releases_where(&self, which: &str, values: Vec<Value>) -> Result<Vec<Release>, Fault> {
        let sql = format!(
            "SELECT id, document::text AS document FROM releases WHERE {which}
             ORDER BY id DESC LIMIT {MOST}"
        );
        let rows = self.0.rows(&sql, values).await?;
        rows.iter()
            .map(|row| {
                let mut release: Release = document(row)?;
                release.id = row.try_get("id").map_err(lost)?;
                Ok(release)
            })
            .collect()
    }

    pub(super) async fn add_deployment(&self, deployment: &Deployment) -> Result<i64, Fault> {
        let sql = "INSERT INTO deployments (org, app, envname, open, document)
            VALUES ($1, $2, $3, $4, $5::jsonb) RETURNING id";
        let values = vec![
            deployment.org.as_str().into(),
            deployment.app.as_str().into(),
            deployment.env_name.as_str().into(),
            true.into(),
            text(deployment)?.into(),
        ];
        let mut change = self.0.change().await?;
        let rows = change.rows(sql, values).await?;
        change.commit().await?;
        let row = rows.first().ok_or_else(|| Fault::internal("no id for a deployment"))?;
        row.try_get("id").map_err(lost)
    }

    pub(super) async fn put_deployment(&self, deployment: &Deployment) -> Result<(), Fault> {
        let sql = "UPDATE deployments SET buildid = $1, open = $2, document = $3::jsonb
            WHERE id = $4";
        let values = vec![
            deployment.build.id.as_str().into(),
            deployment.build.is_open().into(),
            text(deployment)?.into(),
            deployment.id.into(),
        ];
        self.0.run(sql, values).await.map(drop)
    }

    pub(super) async fn remove_deployment(&self, id: i64) -> Result<(), Fault> {
        self.0.run("DELETE FROM deployments WHERE id = $1", vec![id.into()]).await.map(drop)
    }

    /// An app's deployments, newest first, with what the cluster told of them.
    pub(super) async fn deployments(&self, app: &AppId) -> Result<Vec<Deployment>, Fault> {
        let mut found = self.deployments_where("org = $1 AND app = $2", named(app)).await?;
        let sql = format!(
            "SELECT deployment, document::text AS document FROM events WHERE deployment IN
             (SELECT id FROM deployments WHERE org = $1 AND app = $2)
             ORDER BY id DESC LIMIT {EVENTS}"
        );
        for row in self.0.rows(&sql, named(app)).await?.iter().rev() {
            let id: i64 = row.try_get("deployment").map_err(lost)?;
            if let Some(deployment) = found.iter_mut().find(|deployment| deployment.id == id) {
                deployment.events.push(document(row)?);
            }
        }
        Ok(found)
    }

    /// Keeps what the cluster told; once, however often it is told.
    pub(super) async fn add_event(&self, deployment: i64, event: &Event) -> Result<(), Fault> {
        let sql = "INSERT INTO events (deployment, eventtype, happened, document)
            VALUES ($1, $2, $3, $4::jsonb) ON CONFLICT DO NOTHING";
        let values = vec![
            deployment.into(),
            format!("{:?}", event.event_type).into(),
            event.timestamp.micros().into(),
            text(event)?.into(),
        ];
        self.0.run(sql, values).await.map(drop)
    }

    pub(super) async fn deployment_of_build(
        &self,
        build: &str,
    ) -> Result<Option<Deployment>, Fault> {
        let found = self.deployments_where("buildid = $1", vec![build.into()]).await?;
        Ok(found.into_iter().next())
    }

    pub(super) async fn open_deployments(&self) -> Result<Vec<Deployment>, Fault> {
        self.deployments_where("open = $1", vec![true.into()]).await
    }

    async fn deployments_where(
        &self,
        which: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Deployment>, Fault> {
        let sql = format!(
            "SELECT id, document::text AS document FROM deployments WHERE {which}
             ORDER BY id DESC LIMIT {MOST}"
        );
        let rows = self.0.rows(&sql, values).await?;
        rows.iter()
            .map(|row| {
                let mut deployment: Deployment = document(row)?;
                deployment.id = row.try_get("id").map_err(lost)?;
                Ok(deployment)
            })
            .collect()
    }
}

fn named(app: &AppId) -> Vec<Value> {
    vec![app.org().into(), app.app().into()]
}

fn document<T: DeserializeOwned>(row: &AnyRow) -> Result<T, Fault> {
    let text: String = row.try_get("document").map_err(lost)?;
    serde_json::from_str(&text).map_err(Fault::internal)
}

fn text<T: Serialize>(document: &T) -> Result<String, Fault> {
    serde_json::to_string(document)
        .map(|text| text.replace("\\u0000", "\\ufffd"))
        .map_err(Fault::internal)
}
