//! Releases: a commit, a version, and the build that makes its image.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::model::{Build, Release, Results, Status};
use super::pipeline::BUILD;
use crate::designer::Designer;
use crate::designer::api::app_id;
use crate::designer::session::{Session, User};
use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;

/// As long is a token good that a build is given, at least.
pub(super) const TOKEN: Duration = Duration::from_mins(30);
/// The longest notes, in bytes.
const NOTES: usize = 20_000;

/// The body of POST, as the real Designer's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Wanted {
    /// The version: a tag of the image.
    tag_name: String,
    #[serde(default)]
    name: String,
    /// Notes.
    #[serde(default)]
    body: String,
    /// The commit, in full.
    target_commitish: String,
}

/// GET: an app's releases, newest first.
pub(in crate::designer) async fn list(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): Path<(String, String)>,
) -> Result<Json<Results<Release>>, Fault> {
    let app = app_id(&org, &app)?;
    designer.repository(&session, &app).await?;
    Ok(Json(Results { results: designer.0.store.releases(&app).await? }))
}

/// POST: keeps a release and has it built.
pub(in crate::designer) async fn create(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): Path<(String, String)>,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, Json<Release>), Fault> {
    let app = app_id(&org, &app)?;
    designer.writable(&session, &app).await?;
    check(&wanted)?;
    let token = designer.token(&session).await?;
    if !designer.0.gitea.has_commit(&token, &app, &wanted.target_commitish).await? {
        let told = "Gitea does not have this commit: push it first.";
        return Err(Fault::invalid("targetCommitish", told));
    }
    let mut release = Release {
        id: 0,
        name: if wanted.name.is_empty() { wanted.tag_name.clone() } else { wanted.name },
        tag_name: wanted.tag_name,
        body: wanted.body,
        target_commitish: wanted.target_commitish,
        org: app.org().to_owned(),
        app: app.app().to_owned(),
        created: Date::now(),
        created_by: session.user.login.clone(),
        build: Build { status: Status::NotStarted, ..Build::default() },
    };
    // Kept before it is built: of two at once with the same version, one is refused here.
    let Some(id) = designer.0.store.add_release(&release).await? else {
        let detail = format!("There is a release {} already.", release.tag_name);
        return Err(Fault::problem(StatusCode::CONFLICT, detail).with("code", "release-exists"));
    };
    release.id = id;
    match designer.build(&session, &app, &release).await {
        Ok(build) => release.build = build,
        Err(fault) => {
            designer.0.store.remove_release(id).await?;
            return Err(fault);
        }
    }
    designer.0.store.put_release(&release).await?;
    designer.0.wake.notify_one();
    Ok((StatusCode::CREATED, Json(release)))
}

fn check(wanted: &Wanted) -> Result<(), Fault> {
    let tag = &wanted.tag_name;
    let letter = |c: char| c.is_ascii_alphanumeric();
    let fits = tag.len() <= 128
        && tag.starts_with(letter)
        && tag.chars().all(|c| letter(c) || ".-_".contains(c));
    if !fits {
        let told = "A version has letters, digits, `.`, `-` and `_`, as 1.0.0.";
        return Err(Fault::invalid("tagName", told));
    }
    let commit = &wanted.target_commitish;
    if commit.len() != 40 || !commit.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(Fault::invalid(
            "targetCommitish",
            "A commit is named by 40 hexadecimal digits.",
        ));
    }
    if wanted.body.len() > NOTES {
        return Err(Fault::invalid("body", "The notes are too long."));
    }
    Ok(())
}

impl Designer {
    async fn build(
        &self,
        session: &Session,
        app: &AppId,
        release: &Release,
    ) -> Result<Build, Fault> {
        let token = self.token_for(session, TOKEN).await?;
        let mut parameters = self.parameters(app, &token);
        parameters.extend([
            ("APP_COMMIT_ID", Some(release.target_commitish.as_str())),
            ("TAGNAME", Some(&release.tag_name)),
            ("APP_MASKINPORTEN_SCOPES", Some("[]")),
            ("PUSH_APPS_OCI_IMAGE", Some("true")),
            ("PUSH_SYNCROOT_GITOPS_IMAGE", Some("false")),
        ]);
        self.0.pipeline.queue(BUILD, &parameters).await
    }

    /// What every build of an app is told. The token is one of Gitea's own, which git takes as a password, so no
    /// `APP_AUTH_HEADER_NAME` goes with it: that is how the real Designer sends a personal access token.
    pub(super) fn parameters<'a>(
        &'a self,
        app: &'a AppId,
        token: &'a str,
    ) -> Vec<(&'static str, Option<&'a str>)> {
        let bare = |url: &'a str| url.split_once("://").map_or(url, |(_, rest)| rest);
        vec![
            ("APP_OWNER", Some(app.org())),
            ("APP_REPO", Some(app.app())),
            ("APP_DEPLOY_TOKEN", Some(token)),
            ("ALTINN_STUDIO_HOSTNAME", Some(bare(&self.0.public))),
            ("GITEA_ENVIRONMENT", Some(bare(&self.0.gitea_public))),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_commits() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        for (tag, commit, body, accepted) in [
            ("1.0.0", sha, "", true),
            ("v2-rc_1", sha, "notes", true),
            ("", sha, "", false),
            (".1", sha, "", false),
            ("1 0", sha, "", false),
            ("1/0", sha, "", false),
            (&"1".repeat(129), sha, "", false),
            ("1", "master", "", false),
            ("1", &sha[1..], "", false),
            ("1", sha, &"x".repeat(NOTES + 1), false),
        ] {
            let wanted = Wanted {
                tag_name: tag.to_owned(),
                name: String::new(),
                body: body.to_owned(),
                target_commitish: commit.to_owned(),
            };
            assert_eq!(check(&wanted).is_ok(), accepted, "{tag} {commit}");
        }
    }
}
