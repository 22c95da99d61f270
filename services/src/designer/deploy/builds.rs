//! How builds go on: the pipeline's webhook, asking while they run, their log and steps.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::model::{Build, Outcome, Status};
use super::pipeline::Step;
use crate::designer::Designer;
use crate::designer::api::app_id;
use crate::designer::session::User;
use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::query::Query;

/// The real Designer asks every 10 s; people sit before this one and wait.
const ASK: Duration = Duration::from_secs(2);
/// When nothing is under way; the webhook and new builds wake it sooner.
const REST: Duration = Duration::from_mins(1);
/// A document without a build's number is being queued; after this, who queued it has died.
const QUEUED: SignedDuration = SignedDuration::from_mins(2);

/// The webhook's body. Names in any case of the first letter, as the pipeline and its mock write them.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::designer) struct Hook {
    #[serde(alias = "Resource")]
    resource: Resource,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(alias = "BuildNumber")]
    build_number: Number,
    /// The organisation. What it says is not needed: numbers of builds are the pipeline's own.
    #[serde(alias = "ResourceOwner", default)]
    #[expect(dead_code, reason = "belongs to the contract")]
    resource_owner: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Number {
    Text(String),
    Number(i64),
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        match number {
            Number::Text(text) => text,
            Number::Number(number) => number.to_string(),
        }
    }
}

/// POST of the pipeline when a build begins or ends. It is told nothing and believed nothing: the pipeline is asked.
pub(in crate::designer) async fn hook(
    State(designer): State<Designer>,
    Json(hook): Json<Hook>,
) -> Result<StatusCode, Fault> {
    let id = String::from(hook.resource.build_number);
    if let Some(mut release) = designer.0.store.release_of_build(&id).await? {
        if release.build.is_open() {
            release.build = designer.asked(&release.build).await?;
            designer.0.store.put_release(&release).await?;
        }
        return Ok(StatusCode::OK);
    }
    if designer.0.store.deployment_of_build(&id).await?.is_some() {
        designer.0.wake.notify_one();
    }
    Ok(StatusCode::OK)
}

/// A part of a build's log, with how the build stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::designer) struct Told {
    build: Build,
    steps: Vec<Step>,
    /// From the line on that was asked for.
    lines: Vec<String>,
    /// Where to go on.
    next: usize,
}

/// GET: a build's log from line `from` on.
pub(in crate::designer) async fn log(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app, id)): Path<(String, String, String)>,
    query: Query,
) -> Result<Json<Told>, Fault> {
    let app = app_id(&org, &app)?;
    designer.repository(&session, &app).await?;
    let kept = designer.build_of(&app, &id).await?;
    let from = query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0);
    // The state is asked for before the log: a log that is read after the end is whole.
    let build = if kept.is_open() { designer.asked(&kept).await? } else { kept };
    let lines = designer.0.pipeline.log(&id, from).await?;
    let steps = designer.0.pipeline.steps(&id).await.unwrap_or_default();
    let next = from + lines.len();
    Ok(Json(Told { build, steps, lines, next }))
}

/// POST: gives a build up.
pub(in crate::designer) async fn cancel(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app, id)): Path<(String, String, String)>,
) -> Result<Json<Build>, Fault> {
    let app = app_id(&org, &app)?;
    designer.writable(&session, &app).await?;
    designer.build_of(&app, &id).await?;
    let build = designer.0.pipeline.cancel(&id).await?;
    designer.0.wake.notify_one();
    Ok(Json(build))
}

impl Designer {
    /// A build of this app; those of others are not to be seen by its number.
    async fn build_of(&self, app: &AppId, id: &str) -> Result<Build, Fault> {
        let is = |org: &str, name: &str| org == app.org() && name == app.app();
        let release = self.0.store.release_of_build(id).await?;
        if let Some(release) = release.filter(|release| is(&release.org, &release.app)) {
            return Ok(release.build);
        }
        let deployment = self.0.store.deployment_of_build(id).await?;
        let deployment = deployment.filter(|found| is(&found.org, &found.app));
        deployment.map(|found| found.build).ok_or_else(Fault::not_found)
    }

    /// How a build stands by the pipeline's word. One that the pipeline does not know any more has failed.
    async fn asked(&self, build: &Build) -> Result<Build, Fault> {
        Ok(self.0.pipeline.build(&build.id).await?.unwrap_or_else(|| lost(build)))
    }

    /// Follows builds until told to stop. A pipeline that does not answer is asked again; nothing is guessed.
    pub async fn follow(self, closing: CancellationToken) {
        loop {
            let wait = match self.look().await {
                Ok(true) => ASK,
                Ok(false) => REST,
                Err(_) => ASK * 2,
            };
            tokio::select! {
                () = closing.cancelled() => return,
                () = self.0.wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Asks for all builds that are under way; whether there are any still.
    async fn look(&self) -> Result<bool, Fault> {
        let mut open = false;
        for mut release in self.0.store.open_releases().await? {
            if let Some(build) = self.news(&release.build, release.created).await? {
                release.build = build;
                self.0.store.put_release(&release).await?;
            }
            open |= release.build.is_open();
        }
        for mut deployment in self.0.store.open_deployments().await? {
            if let Some(build) = self.news(&deployment.build, deployment.created).await? {
                deployment.build = build;
                self.0.store.put_deployment(&deployment).await?;
            }
            open |= deployment.build.is_open();
        }
        Ok(open)
    }

    /// What is new of a build, if anything.
    async fn news(&self, build: &Build, created: Date) -> Result<Option<Build>, Fault> {
        if build.id.is_empty() {
            return Ok((created.age() > QUEUED).then(|| lost(build)));
        }
        let now = self.asked(build).await?;
        Ok((now != *build).then_some(now))
    }
}

fn lost(build: &Build) -> Build {
    Build {
        status: Status::Completed,
        result: Outcome::Failed,
        finished: Some(Date::now()),
        ..build.clone()
    }
}
