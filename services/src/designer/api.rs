//! What Designer's pages ask of the user's apps, beside the contract of the real Designer: `/designer/api/v1/…`.

use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH,
    IF_NONE_MATCH,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Designer;
use super::gitea::GiteaUser;
use super::session::User;
use super::template;
use super::work::files::{self, Contents, Expected, Listed};
use super::work::place::Place;
use super::work::tell::{Branches, Commit, Diff, State as CopyState};
use crate::kit::body::{Json, Raw};
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::query::Query;

/// As many commits are told.
const COMMITS: usize = 50;
/// The longest message of a commit, in bytes.
const MESSAGE: usize = 5_000;

type AppPath = Path<(String, String)>;

/// An app of the list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct App {
    org: String,
    app: String,
    description: String,
    updated: String,
    /// Whether the user may change it.
    may_change: bool,
    /// Where Gitea shows it.
    url: String,
}

/// Who may own an app.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnerOf {
    name: String,
    full_name: String,
}

/// A new app.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct NewApp {
    org: String,
    app: String,
}

/// The message of a commit.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Message {
    message: String,
}

/// A branch to go to.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Branch {
    name: String,
    /// Whether it is to be made from where the copy is.
    #[serde(default)]
    create: bool,
}

/// A file to move.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Move {
    from: String,
    to: String,
}

/// Which changes to take back: one file's, or all.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Discard {
    #[serde(default)]
    path: Option<String>,
}

/// Which side of a conflict to take.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Resolve {
    path: String,
    take: Side,
}

/// A side of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Side {
    Mine,
    Theirs,
}

/// The name of an app in a path; 404 for what can be none.
pub(super) fn app_id(org: &str, app: &str) -> Result<AppId, Fault> {
    AppId::new(org, app).map_err(|error| {
        Fault::problem(StatusCode::NOT_FOUND, error.to_string()).with("code", "no-app")
    })
}

/// GET user/current.
pub(super) async fn me(User(session): User) -> Json<GiteaUser> {
    Json(session.user.clone())
}

/// GET owners: the user and their organisations.
pub(super) async fn owners(
    State(designer): State<Designer>,
    User(session): User,
) -> Result<Json<Vec<OwnerOf>>, Fault> {
    let token = designer.token(&session).await?;
    let organisations = designer.0.gitea.organisations(&token).await?;
    let mut owners: Vec<OwnerOf> = organisations
        .into_iter()
        .map(|found| OwnerOf { name: found.username, full_name: found.full_name })
        .collect();
    owners.push(OwnerOf {
        name: session.user.login.clone(),
        full_name: session.user.full_name.clone(),
    });
    owners.retain(|owner| AppId::new(&owner.name, "a").is_ok());
    Ok(Json(owners))
}

/// GET apps: all that the user may see, newest change first.
pub(super) async fn apps(
    State(designer): State<Designer>,
    User(session): User,
    query: Query,
) -> Result<Json<Vec<App>>, Fault> {
    let token = designer.token(&session).await?;
    let found = designer.0.gitea.search(&token, query.get("query").unwrap_or_default()).await?;
    let apps = found
        .into_iter()
        // Other repositories have names that no app can have, or belong to the platform.
        .filter(|found| AppId::new(&found.owner.login, &found.name).is_ok())
        .filter(|found| !found.name.ends_with("-gitops") && !found.name.ends_with("-content"))
        .map(|found| App {
            url: format!("{}/{}/{}", designer.0.gitea_public, found.owner.login, found.name),
            org: found.owner.login,
            app: found.name,
            description: found.description,
            updated: found.updated_at,
            may_change: found.permissions.push,
        })
        .collect();
    Ok(Json(apps))
}

/// POST apps: an app from the template, in a repository of its own. A try that was cut off goes on where it was.
pub(super) async fn create(
    State(designer): State<Designer>,
    User(session): User,
    Json(new): Json<NewApp>,
) -> Result<(StatusCode, Json<App>), Fault> {
    let app = AppId::new(&new.org, &new.app).map_err(|_| {
        let told = "A name has small letters, digits and `-`, and begins with a letter.";
        Fault::invalid("app", told)
    })?;
    if app.app().len() > 30 || app.app().ends_with('-') {
        return Err(Fault::invalid(
            "app",
            "A name has at most 30 letters and ends with none of `-`.",
        ));
    }
    let token = designer.token(&session).await?;
    match designer.0.gitea.repository(&token, &app).await? {
        Some(found) if !found.empty => {
            let detail = format!("There is an app {app} already.");
            return Err(Fault::problem(StatusCode::CONFLICT, detail).with("code", "app-exists"));
        }
        Some(_) => {}
        None => {
            let own = app.org().eq_ignore_ascii_case(&session.user.login);
            designer.0.gitea.create(&token, &app, own).await?;
        }
    }
    Designer::forget(&session, &app);
    let files = template::files(&app);
    designer
        .change(&session, &app, move |desk| {
            for file in &files {
                let place = Place::new(&file.path)?;
                let path = place.under(&desk.root)?;
                files::put(&path, &file.contents)?;
            }
            desk.copy.commit(&desk.author, "The app, from the template")?;
            desk.copy.push(&desk.author)
        })
        .await?;
    let url = format!("{}/{app}", designer.0.gitea_public);
    let app = App {
        org: new.org,
        app: new.app,
        description: String::new(),
        updated: crate::kit::date::Date::now().to_string(),
        may_change: true,
        url,
    };
    Ok((StatusCode::CREATED, Json(app)))
}

/// GET one app.
pub(super) async fn app(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
) -> Result<Json<App>, Fault> {
    let app = app_id(&org, &app)?;
    let found = designer.repository(&session, &app).await?;
    Ok(Json(App {
        url: format!("{}/{app}", designer.0.gitea_public),
        org: app.org().to_owned(),
        app: app.app().to_owned(),
        description: found.description,
        updated: found.updated_at,
        may_change: found.permissions.push,
    }))
}

/// GET files.
pub(super) async fn list(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
) -> Result<Json<Vec<Listed>>, Fault> {
    let app = app_id(&org, &app)?;
    designer.work(&session, &app, |desk| files::list(&desk.root)).await.map(Json)
}

fn place(query: &Query) -> Result<Place, Fault> {
    Place::new(query.get("path").unwrap_or_default())
}

/// GET file.
pub(super) async fn read(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
    query: Query,
) -> Result<Json<Contents>, Fault> {
    let (app, place) = (app_id(&org, &app)?, place(&query)?);
    designer.work(&session, &app, move |desk| files::read(&desk.root, &place)).await.map(Json)
}

/// GET raw: a file as it is. Pages show images by it; whoever opens its address gets a file to save, never a page or a
/// script of this origin.
pub(super) async fn raw(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
    query: Query,
) -> Result<Response, Fault> {
    let (app, place) = (app_id(&org, &app)?, place(&query)?);
    let kind = image(place.as_str());
    let bytes = designer.work(&session, &app, move |desk| files::bytes(&desk.root, &place)).await?;
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_DISPOSITION, "attachment"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, bytes).into_response())
}

fn image(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        _ => "application/octet-stream",
    }
}

/// What the writer believes to be there: `If-Match: "etag"`, or `If-None-Match: *` for a new file.
fn expected(headers: &HeaderMap) -> Result<Expected, Fault> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(etag) = text(IF_MATCH) {
        return Ok(Expected::Etag(etag.trim().trim_matches('"').to_owned()));
    }
    if text(IF_NONE_MATCH) == Some("*") {
        return Ok(Expected::Nothing);
    }
    let detail = "Say which version you replace: If-Match with its etag, or If-None-Match: *.";
    Err(Fault::problem(StatusCode::PRECONDITION_REQUIRED, detail))
}

/// PUT file: the body is the new contents.
pub(super) async fn write(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
    query: Query,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Fault> {
    let (app, place, expected) = (app_id(&org, &app)?, place(&query)?, expected(&headers)?);
    let etag = designer
        .change(&session, &app, move |desk| {
            let etag = files::write(&desk.root, &place, &expected, &body)?;
            desk.copy.chosen(&place)?;
            Ok(etag)
        })
        .await?;
    Ok((StatusCode::NO_CONTENT, [(ETAG, format!("\"{etag}\""))]).into_response())
}

/// DELETE file.
pub(super) async fn delete(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
    query: Query,
    headers: HeaderMap,
) -> Result<StatusCode, Fault> {
    let (app, place, expected) = (app_id(&org, &app)?, place(&query)?, expected(&headers)?);
    designer
        .change(&session, &app, move |desk| {
            files::delete(&desk.root, &place, &expected)?;
            desk.copy.chosen(&place)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// POST move.
pub(super) async fn rename(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
    Json(wanted): Json<Move>,
) -> Result<StatusCode, Fault> {
    let app = app_id(&org, &app)?;
    let (from, to) = (Place::new(&wanted.from)?, Place::new(&wanted.to)?);
    designer.change(&session, &app, move |desk| files::rename(&desk.root, &from, &to)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// GET status. `fetch=true` asks Gitea first what others sent.
pub(super) async fn status(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
    query: Query,
) -> Result<Json<CopyState>, Fault> {
    let app = app_id(&org, &app)?;
    let fetch = query.get("fetch") == Some("true");
    designer
        .work(&session, &app, move |desk| {
            if fetch {
                desk.copy.fetch(&desk.author)?;
            }
            desk.copy.state()
        })
        .await
        .map(Json)
}

/// GET diff of one file.
pub(super) async fn diff(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
    query: Query,
) -> Result<Json<Diff>, Fault> {
    let (app, place) = (app_id(&org, &app)?, place(&query)?);
    designer.work(&session, &app, move |desk| desk.copy.diff(&place)).await.map(Json)
}

/// GET commits, newest first.
pub(super) async fn commits(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
) -> Result<Json<Vec<Commit>>, Fault> {
    let app = app_id(&org, &app)?;
    designer.work(&session, &app, |desk| desk.copy.commits(COMMITS)).await.map(Json)
}

/// POST commits: all that differs.
pub(super) async fn commit(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
    Json(wanted): Json<Message>,
) -> Result<(StatusCode, Json<CopyState>), Fault> {
    let app = app_id(&org, &app)?;
    let message = wanted.message.trim().to_owned();
    if message.is_empty() || message.len() > MESSAGE {
        return Err(Fault::invalid("message", "Say in some words what was changed."));
    }
    let state = designer.change(&session, &app, move |desk| {
        desk.copy.commit(&desk.author, &message)?;
        desk.copy.state()
    });
    Ok((StatusCode::CREATED, Json(state.await?)))
}

/// POST push.
pub(super) async fn push(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
) -> Result<Json<CopyState>, Fault> {
    let app = app_id(&org, &app)?;
    let state = designer.change(&session, &app, |desk| {
        desk.copy.push(&desk.author)?;
        desk.copy.state()
    });
    state.await.map(Json)
}

/// POST pull.
pub(super) async fn pull(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
) -> Result<Json<CopyState>, Fault> {
    let app = app_id(&org, &app)?;
    let state = designer.work(&session, &app, |desk| {
        desk.copy.pull(&desk.author)?;
        desk.copy.state()
    });
    state.await.map(Json)
}

/// POST discard: takes uncommitted changes back.
pub(super) async fn discard(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
    Json(wanted): Json<Discard>,
) -> Result<Json<CopyState>, Fault> {
    let app = app_id(&org, &app)?;
    let place = wanted.path.as_deref().map(Place::new).transpose()?;
    let state = designer.work(&session, &app, move |desk| {
        desk.copy.discard(place.as_ref().map(Place::as_str))?;
        desk.copy.state()
    });
    state.await.map(Json)
}

/// POST resolve: takes one side of a conflict.
pub(super) async fn resolve(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
    Json(wanted): Json<Resolve>,
) -> Result<StatusCode, Fault> {
    let app = app_id(&org, &app)?;
    let place = Place::new(&wanted.path)?;
    let mine = wanted.take == Side::Mine;
    designer.change(&session, &app, move |desk| desk.copy.resolve(&place, mine)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// POST abort: gives a merge up.
pub(super) async fn abort(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
) -> Result<Json<CopyState>, Fault> {
    let app = app_id(&org, &app)?;
    let state = designer.work(&session, &app, |desk| {
        desk.copy.abort()?;
        desk.copy.state()
    });
    state.await.map(Json)
}

/// GET branches.
pub(super) async fn branches(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
) -> Result<Json<Branches>, Fault> {
    let app = app_id(&org, &app)?;
    let told = designer.work(&session, &app, |desk| {
        desk.copy.fetch(&desk.author)?;
        desk.copy.branches()
    });
    told.await.map(Json)
}

/// PUT branch: goes to another branch, or makes one.
pub(super) async fn switch(
    State(designer): State<Designer>,
    User(session): User,
    Path((org, app)): AppPath,
    Json(wanted): Json<Branch>,
) -> Result<Json<CopyState>, Fault> {
    let app = app_id(&org, &app)?;
    let state = designer.work(&session, &app, move |desk| {
        desk.copy.switch(&wanted.name, wanted.create)?;
        desk.copy.state()
    });
    state.await.map(Json)
}
