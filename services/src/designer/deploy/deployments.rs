//! Deployments: a release into an environment, an app out of one.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::environments::{Environment, Running};
use super::model::{Build, Deployment, DeploymentType, Outcome, Status};
use super::pipeline::GITOPS;
use super::releases::TOKEN;
use crate::designer::Designer;
use crate::designer::api::app_id;
use crate::designer::session::{Session, User};
use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;

/// The body of POST, as the real Designer's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Wanted {
    env_name: String,
    tag_name: String,
}

/// The body of POST undeploy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Unwanted {
    environment: String,
}

/// The answer of GET.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Deployments {
    /// Newest first.
    pipeline_deployment_list: Vec<Deployment>,
    /// What runs, by the clusters' own word.
    kubernetes_deployment_list: Vec<Running>,
}

/// An environment with the app's address in it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Target {
    #[serde(flatten)]
    environment: Environment,
    app_url: String,
}

/// GET environments of an app.
pub(in crate::designer) async fn targets(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): Path<(String, String)>,
) -> Result<Json<Vec<Target>>, Fault> {
    let app = app_id(&org, &app)?;
    designer.repository(&session, &app).await?;
    let all = designer.0.environments.all().await?;
    let target = |environment: Environment| {
        let app_url = environment.url(&app);
        Target { environment, app_url }
    };
    Ok(Json(all.into_iter().map(target).collect()))
}

/// GET: an app's deployments.
pub(in crate::designer) async fn list(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): Path<(String, String)>,
) -> Result<Json<Deployments>, Fault> {
    let app = app_id(&org, &app)?;
    designer.repository(&session, &app).await?;
    let (pipeline_deployment_list, kubernetes_deployment_list) =
        (designer.0.store.deployments(&app).await?, designer.0.environments.running(&app).await?);
    Ok(Json(Deployments { pipeline_deployment_list, kubernetes_deployment_list }))
}

/// GET permissions: the environments that the user's teams `Deploy-<ENV>` allow; `Owners` stands for being an owner, who
/// sees all environments but deploys only where a team allows it.
pub(in crate::designer) async fn permissions(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): Path<(String, String)>,
) -> Result<Json<Vec<String>>, Fault> {
    let app = app_id(&org, &app)?;
    designer.permitted(&session, app.org()).await.map(Json)
}

/// POST: has a release deployed.
pub(in crate::designer) async fn create(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): Path<(String, String)>,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, Json<Deployment>), Fault> {
    let app = app_id(&org, &app)?;
    designer.repository(&session, &app).await?;
    let environment = designer.allowed(&session, &app, &wanted.env_name).await?;
    let releases = designer.0.store.releases(&app).await?;
    let built = releases.iter().any(|release| {
        release.tag_name == wanted.tag_name && release.build.result == Outcome::Succeeded
    });
    if !built {
        let told = "There is no release of this version that was built.";
        return Err(Fault::invalid("tagName", told));
    }
    let deployment = deployment(&session, &app, &environment, Some(wanted.tag_name));
    let deployment = designer.send(&session, &app, &environment, deployment).await?;
    Ok((StatusCode::CREATED, Json(deployment)))
}

/// POST undeploy: has an app taken out of an environment.
pub(in crate::designer) async fn undeploy(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): Path<(String, String)>,
    Json(unwanted): Json<Unwanted>,
) -> Result<(StatusCode, Json<Deployment>), Fault> {
    let app = app_id(&org, &app)?;
    designer.repository(&session, &app).await?;
    let environment = designer.allowed(&session, &app, &unwanted.environment).await?;
    let deployment = deployment(&session, &app, &environment, None);
    let deployment = designer.send(&session, &app, &environment, deployment).await?;
    Ok((StatusCode::ACCEPTED, Json(deployment)))
}

fn deployment(
    session: &Session,
    app: &AppId,
    environment: &Environment,
    tag_name: Option<String>,
) -> Deployment {
    let deployment_type = match tag_name {
        Some(_) => DeploymentType::Deploy,
        None => DeploymentType::Decommission,
    };
    Deployment {
        id: 0,
        tag_name,
        env_name: environment.name.clone(),
        deployment_type,
        org: app.org().to_owned(),
        app: app.app().to_owned(),
        created: Date::now(),
        created_by: session.user.login.clone(),
        build: Build { status: Status::NotStarted, ..Build::default() },
        events: Vec::new(),
    }
}

impl Designer {
    async fn permitted(&self, session: &Session, org: &str) -> Result<Vec<String>, Fault> {
        let token = self.token(session).await?;
        let teams = self.0.gitea.teams(&token).await?;
        let own = teams.into_iter().filter(|team| {
            let organisation = team.organization.as_ref();
            organisation.is_some_and(|found| found.username.eq_ignore_ascii_case(org))
        });
        Ok(own.filter_map(|team| environment_of(&team.name)).collect())
    }

    /// The environment, when there is one of this name and the user's teams allow it.
    async fn allowed(
        &self,
        session: &Session,
        app: &AppId,
        name: &str,
    ) -> Result<Environment, Fault> {
        let all = self.0.environments.all().await?;
        let found = all.into_iter().find(|environment| environment.name.eq_ignore_ascii_case(name));
        let Some(environment) = found else {
            return Err(Fault::invalid("envName", format!("There is no environment `{name}`.")));
        };
        let permitted = self.permitted(session, app.org()).await?;
        if permitted.iter().any(|allowed| allowed.eq_ignore_ascii_case(&environment.name)) {
            return Ok(environment);
        }
        let detail = format!(
            "You may not deploy to {name}: the team Deploy-{} of {} allows it.",
            environment.name.to_uppercase(),
            app.org()
        );
        Err(Fault::problem(StatusCode::FORBIDDEN, detail).with("code", "not-in-team"))
    }

    /// Keeps a deployment and queues it. One at a time may be on its way to an environment.
    async fn send(
        &self,
        session: &Session,
        app: &AppId,
        environment: &Environment,
        mut deployment: Deployment,
    ) -> Result<Deployment, Fault> {
        let _turn = self.0.deploying.lock().await;
        let before = self.0.store.deployments(app).await?;
        let mut before = before.iter().filter(|other| other.env_name == environment.name);
        if before.clone().any(|other| other.build.is_open()) {
            let detail = format!("A deployment to {} is under way.", environment.name);
            return Err(Fault::problem(StatusCode::CONFLICT, detail).with("code", "under-way"));
        }
        let first = !before.any(|other| other.build.result == Outcome::Succeeded);
        deployment.id = self.0.store.add_deployment(&deployment).await?;
        match self.queue(session, app, environment, &deployment, first).await {
            Ok(build) => deployment.build = build,
            Err(fault) => {
                self.0.store.remove_deployment(deployment.id).await?;
                return Err(fault);
            }
        }
        self.0.store.put_deployment(&deployment).await?;
        self.0.wake.notify_one();
        Ok(deployment)
    }

    async fn queue(
        &self,
        session: &Session,
        app: &AppId,
        environment: &Environment,
        deployment: &Deployment,
        first: bool,
    ) -> Result<Build, Fault> {
        let token = self.token_for(session, TOKEN).await?;
        let id = deployment.id.to_string();
        let truth = |yes: bool| Some(if yes { "true" } else { "false" });
        let mut parameters = self.parameters(app, &token);
        parameters.push(("APP_ENVIRONMENT", Some(&environment.name)));
        let Some(tag) = &deployment.tag_name else {
            parameters.push(("PUSH_APPS_OCI_IMAGE", truth(false)));
            parameters.push(("PUSH_SYNCROOT_GITOPS_IMAGE", truth(true)));
            return self.0.pipeline.queue(GITOPS, &parameters).await;
        };
        let releases = self.0.store.releases(app).await?;
        let commit = releases
            .iter()
            .find(|release| release.tag_name == *tag && !release.build.has_failed())
            .map(|release| release.target_commitish.as_str());
        parameters.extend([
            ("APP_COMMIT_ID", commit),
            ("TAGNAME", Some(tag.as_str())),
            ("HOSTNAME", Some(&environment.hostname)),
            ("DEPLOYMENT_ID", Some(&id)),
            ("PUSH_APPS_OCI_IMAGE", truth(true)),
            ("PUSH_SYNCROOT_GITOPS_IMAGE", truth(first)),
        ]);
        self.0.pipeline.queue(GITOPS, &parameters).await
    }
}

/// What a team allows: `Deploy-TT02` the environment `TT02`, `Owners` to look.
fn environment_of(team: &str) -> Option<String> {
    if team == "Owners" {
        return Some(team.to_owned());
    }
    let (word, environment) = team.split_once('-')?;
    (word.eq_ignore_ascii_case("deploy") && !environment.is_empty()).then(|| environment.to_owned())
}

#[cfg(test)]
mod tests {
    use super::environment_of;

    #[test]
    fn teams_allow_environments() {
        for (team, environment) in [
            ("Deploy-TT02", Some("TT02")),
            ("deploy-local", Some("local")),
            ("Owners", Some("Owners")),
            ("Deploy-", None),
            ("Devs", None),
            ("Admin-TT02", None),
        ] {
            assert_eq!(environment_of(team).as_deref(), environment, "{team}");
        }
    }
}
