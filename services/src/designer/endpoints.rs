//! What is answered where.

use std::time::Duration;

use super::deploy::builds::{self, Hook};
use super::deploy::deployments::{self, Deployments, Target, Unwanted};
use super::deploy::events::{self, Happened};
use super::deploy::model::{Build, Deployment, Release, Results};
use super::deploy::releases;
use super::gitea::GiteaUser;
use super::{Designer, api, sign_in, web, work};
use crate::kit::api::{Api, Endpoint};

/// All endpoints.
pub(super) fn all() -> Api<Designer> {
    contract(changes(files(apps(pages(Api::new("designer"))))))
}

/// Pages, assets, signing in.
fn pages(api: Api<Designer>) -> Api<Designer> {
    let page = |path| Endpoint::get(path, "The page").open().answers(&[200]);
    api.add(page("/"), web::page)
        .add(page("/dashboard"), web::page)
        .add(page("/editor/{org}/{app}"), web::page)
        .add(page("/editor/{org}/{app}/{page}"), web::page)
        .add(page("/editor/{org}/{app}/{page}/{part}"), web::page)
        .add(
            Endpoint::get("/designer/assets/{file}", "An asset").open().answers(&[200, 404]),
            web::asset,
        )
        .add(
            Endpoint::get("/login", "Sends the browser to Gitea")
                .query(&["redirect_to"])
                .open()
                .answers(&[302]),
            sign_in::begin,
        )
        .add(
            Endpoint::get("/signin-oidc", "Gitea sends the browser back")
                .query(&["code", "state"])
                .open()
                .answers(&[302]),
            sign_in::end,
        )
        .add(Endpoint::post("/logout", "Ends the session").answers(&[204]), sign_in::leave)
}

/// A first look clones, and Gitea's hooks take their time.
const GIT: Duration = Duration::from_mins(2);

fn get(path: &'static str, summary: &'static str) -> Endpoint {
    Endpoint::get(path, summary).time(GIT)
}

fn post(path: &'static str, summary: &'static str) -> Endpoint {
    Endpoint::post(path, summary).time(GIT)
}

/// Users and apps.
fn apps(api: Api<Designer>) -> Api<Designer> {
    const APPS: &str = "/designer/api/v1/apps";
    api.add(
        Endpoint::get("/designer/api/user/current", "Who is signed in").gives::<GiteaUser>(200),
        api::me,
    )
    .add(
        Endpoint::get("/designer/api/v1/owners", "Who may own the user's apps")
            .gives::<Vec<api::OwnerOf>>(200),
        api::owners,
    )
    .add(Endpoint::get(APPS, "Apps").query(&["query"]).gives::<Vec<api::App>>(200), api::apps)
    .add(
        post(APPS, "A new app from the template")
            .takes::<api::NewApp>()
            .gives::<api::App>(201)
            .answers(&[400, 403, 409]),
        api::create,
    )
    .add(
        Endpoint::get("/designer/api/v1/apps/{org}/{app}", "An app")
            .gives::<api::App>(200)
            .answers(&[404]),
        api::app,
    )
}

/// Files of an app.
fn files(api: Api<Designer>) -> Api<Designer> {
    const FILE: &str = "/designer/api/v1/apps/{org}/{app}/file";
    api.add(
        get("/designer/api/v1/apps/{org}/{app}/files", "Its files")
            .gives::<Vec<work::files::Listed>>(200),
        api::list,
    )
    .add(
        get(FILE, "A file")
            .query(&["path"])
            .gives::<work::files::Contents>(200)
            .answers(&[400, 404]),
        api::read,
    )
    .add(
        Endpoint::put(FILE, "Writes a file")
            .time(GIT)
            .query(&["path"])
            .takes_kind("application/octet-stream")
            .body(work::files::WHOLE)
            .answers(&[204, 400, 403, 412, 413, 428]),
        api::write,
    )
    .add(
        get("/designer/api/v1/apps/{org}/{app}/raw", "A file as it is")
            .query(&["path"])
            .answers(&[200, 400, 404, 409]),
        api::raw,
    )
    .add(
        Endpoint::delete(FILE, "Deletes a file")
            .time(GIT)
            .query(&["path"])
            .answers(&[204, 400, 403, 404, 412, 428]),
        api::delete,
    )
    .add(
        post("/designer/api/v1/apps/{org}/{app}/move", "Moves a file")
            .takes::<api::Move>()
            .answers(&[204, 400, 403, 404, 409]),
        api::rename,
    )
}

/// What differs, commits, branches.
fn changes(api: Api<Designer>) -> Api<Designer> {
    const COMMITS: &str = "/designer/api/v1/apps/{org}/{app}/commits";
    api.add(
        get("/designer/api/v1/apps/{org}/{app}/status", "How the working copy stands")
            .query(&["fetch"])
            .gives::<work::tell::State>(200),
        api::status,
    )
    .add(
        get("/designer/api/v1/apps/{org}/{app}/diff", "What differs in a file")
            .query(&["path"])
            .gives::<work::tell::Diff>(200),
        api::diff,
    )
    .add(get(COMMITS, "The newest commits").gives::<Vec<work::tell::Commit>>(200), api::commits)
    .add(
        post(COMMITS, "Commits all changes")
            .takes::<api::Message>()
            .gives::<work::tell::State>(201)
            .answers(&[400, 403, 409]),
        api::commit,
    )
    .add(
        post("/designer/api/v1/apps/{org}/{app}/push", "Sends commits to Gitea")
            .gives::<work::tell::State>(200)
            .answers(&[403, 409]),
        api::push,
    )
    .add(
        post("/designer/api/v1/apps/{org}/{app}/pull", "Takes in what others sent")
            .gives::<work::tell::State>(200)
            .answers(&[409]),
        api::pull,
    )
    .add(
        post("/designer/api/v1/apps/{org}/{app}/discard", "Takes uncommitted changes back")
            .takes::<api::Discard>()
            .gives::<work::tell::State>(200),
        api::discard,
    )
    .add(
        post("/designer/api/v1/apps/{org}/{app}/resolve", "Takes one side of a conflict")
            .takes::<api::Resolve>()
            .answers(&[204, 409]),
        api::resolve,
    )
    .add(
        post("/designer/api/v1/apps/{org}/{app}/abort", "Gives a merge up")
            .gives::<work::tell::State>(200)
            .answers(&[409]),
        api::abort,
    )
    .add(
        get("/designer/api/v1/apps/{org}/{app}/branches", "Branches")
            .gives::<work::tell::Branches>(200),
        api::branches,
    )
    .add(
        Endpoint::put("/designer/api/v1/apps/{org}/{app}/branch", "Goes to a branch")
            .time(GIT)
            .takes::<api::Branch>()
            .gives::<work::tell::State>(200)
            .answers(&[400, 404, 409]),
        api::switch,
    )
}

/// The real Designer's own endpoints of releases and deployments, and of the pipeline.
fn contract(api: Api<Designer>) -> Api<Designer> {
    const RELEASES: &str = "/designer/api/{org}/{app}/releases";
    const DEPLOYMENTS: &str = "/designer/api/{org}/{app}/deployments";
    let hook = |path| {
        Endpoint::post(path, "A build began or ended").open().takes::<Hook>().answers(&[200])
    };
    let event = |path| {
        Endpoint::post(path, "Something happened to a deployment in the cluster")
            .takes::<Happened>()
            .answers(&[200, 400, 404])
    };
    api.add(Endpoint::get(RELEASES, "Releases").gives::<Results<Release>>(200), releases::list)
        .add(
            Endpoint::post(RELEASES, "A new release")
                .takes::<releases::Wanted>()
                .gives::<Release>(201)
                .answers(&[400, 403, 409]),
            releases::create,
        )
        .add(Endpoint::get(DEPLOYMENTS, "Deployments").gives::<Deployments>(200), deployments::list)
        .add(
            Endpoint::post(DEPLOYMENTS, "Deploys a release")
                .takes::<deployments::Wanted>()
                .gives::<Deployment>(201)
                .answers(&[400, 403, 409]),
            deployments::create,
        )
        .add(
            Endpoint::get(
                "/designer/api/{org}/{app}/deployments/permissions",
                "Where the user may deploy",
            )
            .gives::<Vec<String>>(200),
            deployments::permissions,
        )
        .add(
            Endpoint::post("/designer/api/{org}/{app}/deployments/undeploy", "Takes an app out")
                .takes::<Unwanted>()
                .gives::<Deployment>(202)
                .answers(&[400, 403, 409]),
            deployments::undeploy,
        )
        .add(
            Endpoint::get("/designer/api/v1/apps/{org}/{app}/environments", "Where apps go")
                .gives::<Vec<Target>>(200),
            deployments::targets,
        )
        .add(
            Endpoint::get("/designer/api/v1/apps/{org}/{app}/builds/{id}/log", "A build's log")
                .query(&["from"])
                .gives::<builds::Told>(200)
                .answers(&[404]),
            builds::log,
        )
        .add(
            Endpoint::post("/designer/api/v1/apps/{org}/{app}/builds/{id}/cancel", "Gives it up")
                .gives::<Build>(200)
                .answers(&[403, 404]),
            builds::cancel,
        )
        .add(event("/designer/api/v1/{org}/{app}/deployments/webhooks/events"), events::hear)
        .add(event("/designer/api/{org}/{app}/deployments/webhooks/events"), events::hear)
        .add(hook("/designer/api/v1/checkreleasebuildstatus"), builds::hook)
        .add(hook("/designer/api/check-release-build-status"), builds::hook)
        .add(hook("/designer/api/v1/checkdeploymentbuildstatus"), builds::hook)
        .add(hook("/designer/api/check-deployment-build-status"), builds::hook)
}
