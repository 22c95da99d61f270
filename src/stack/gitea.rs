//! Gitea's set-up: the administrator, Studio's developer, organisations with their teams and webhook, and the app's
//! repository with its commits.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::events::StepScope;
use crate::model::{App, Code, Credentials, OrgName, Report, Stack, pipeline_url};
use crate::sys::calls::Calls;
use crate::sys::docker::Docker;
use crate::sys::git::{self, PushTarget, Pushed};
use crate::sys::gitea::{Gitea, Team};

const TOKEN: &str = "altinn-local-set-up";
/// How long Gitea may take to work a push in.
const SETTLE: Duration = Duration::from_secs(20);
const CONFIG: [&str; 2] = ["--config", "/etc/gitea/app.ini"];

/// The teams of each organisation that Designer asks for, by Altinn's own names. The first lets its members deploy to
/// the one environment there is.
const TEAMS: [Team; 3] = [
    Team {
        name: "Deploy-LOCAL",
        description: "Members can deploy to local",
        writes: false,
        creates: false,
    },
    Team {
        name: "Admin-LOCAL",
        description: "Members administer the apps in local",
        writes: false,
        creates: false,
    },
    Team { name: "Devs", description: "All application developers", writes: true, creates: true },
];

/// What the pipeline is told of: commits, pull requests, new branches and tags.
const EVENTS: [&str; 3] = ["push", "pull_request", "create"];

/// What Gitea is filled with.
#[derive(Debug)]
pub struct Seed<'a> {
    /// Its API as its administrator.
    pub gitea: Gitea,
    /// The port of the router, through which the pipeline is told.
    pub router_port: u16,
    /// Passwords and secrets.
    pub credentials: &'a Credentials,
}

impl Seed<'_> {
    /// The administrator with our password, the developer, and the organisations. May be repeated at any point.
    pub(super) async fn set_up(
        &self,
        docker: &Docker,
        container: &str,
        orgs: &[OrgName],
        scope: &StepScope,
    ) -> Result<(), Report> {
        let Self { gitea, credentials, .. } = self;
        if !gitea.accepts_password().await? {
            scope.detail("making the administrator");
            docker.calls.changing("gitea: administrator");
            set_password(docker, gitea, container, &credentials.gitea_admin).await?;
        }
        scope.detail("making the developer");
        let password = &credentials.developer_password;
        gitea.ensure_user(Credentials::DEVELOPER, "Utvikler", password).await?;
        for org in orgs {
            self.organisation(org, scope).await?;
        }
        Ok(())
    }

    /// An organisation with its teams, the developer in them, and the webhook that tells the pipeline of commits.
    async fn organisation(&self, org: &OrgName, scope: &StepScope) -> Result<(), Report> {
        scope.detail(format!("making organisation {org}"));
        let name = org.as_str();
        // As Altinn's own set-up calls it.
        let full = if name == "ttd" { "Testdepartementet" } else { name };
        self.gitea.ensure_org(name, full).await?;
        self.gitea.ensure_teams(name, &TEAMS, Credentials::DEVELOPER).await?;
        let own = format!("http://{}:", Stack::PIPELINE_HOST);
        let url = format!("{}/hooks/gitea", pipeline_url(self.router_port));
        let secret = &self.credentials.pipeline_hook_secret;
        self.gitea.replace_hook(name, &own, (&url, secret), &EVENTS).await
    }
}

/// Our password never stands in a command's words: Gitea invents one, prints a token, and the API takes ours.
async fn set_password(
    docker: &Docker,
    gitea: &Gitea,
    container: &str,
    admin: &str,
) -> Result<(), Report> {
    let email = format!("{admin}@localhost.localdomain");
    let create =
        ["gitea", "admin", "user", "create", "--username", admin, "--email", &email, "--admin"];
    let create =
        [&create[..], &["--random-password", "--must-change-password=false"], &CONFIG].concat();
    let created = docker.exec(container, &create, None).await?;
    let exists = created.lines.iter().any(|line| line.contains("already exists"));
    if created.code != 0 && !exists {
        return Err(refused("make the administrator", created.lines));
    }
    // A token of an earlier, cut try would hold the name.
    let name = format!("{TOKEN}-{}", jiff::Timestamp::now().as_millisecond());
    let token = ["gitea", "admin", "user", "generate-access-token", "--username", admin];
    let token =
        [&token[..], &["--token-name", &name, "--scopes", "all", "--raw"], &CONFIG].concat();
    let made = docker.exec(container, &token, None).await?;
    let Some(token) = made.stdout.lines().map(str::trim).rfind(|line| !line.is_empty()) else {
        return Err(refused("make a token", made.lines));
    };
    gitea.set_password(token).await?;
    gitea.remove_token(&name).await
}

fn refused(what: &str, lines: Vec<String>) -> Report {
    Report::new(Code::GiteaFailed, format!("Gitea could not {what}")).with_tail(lines)
}

/// The repositories with commits among the given apps, as `ttd/my-app`.
pub async fn repositories(gitea: &Gitea, apps: &[App]) -> Result<BTreeSet<String>, Report> {
    let mut found = BTreeSet::new();
    for app in apps {
        let id = &app.id;
        if gitea.repository(id.org.as_str(), id.app.as_str()).await? == Some(true) {
            found.insert(id.to_string());
        }
    }
    Ok(found)
}

/// Makes the app's repository and pushes the app's commits into it. `files` are what a folder without commits of
/// its own is pushed as.
pub async fn push_repository(
    seed: &Seed<'_>,
    app: &App,
    files: Vec<PathBuf>,
    target: PushTarget,
    calls: &Calls,
    scope: &StepScope,
) -> Result<(), Report> {
    let gitea = &seed.gitea;
    let (org, name) = (app.id.org.as_str(), app.id.app.as_str());
    match gitea.repository(org, name).await? {
        // What is there may be newer than what is here: it is never pushed over.
        Some(true) => return Ok(()),
        Some(false) => {}
        None => {
            seed.organisation(&app.id.org, scope).await?;
            gitea.create_repository(org, name).await?;
        }
    }
    scope.detail("pushing commits");
    calls.changing("gitea: push");
    let root = app.root.clone();
    let pushed = tokio::task::spawn_blocking(move || git::push(&root, &files, &target)).await;
    let pushed = pushed.map_err(|error| Report::bug("the push was cut off", &error))??;
    settle(gitea, app).await?;
    scope.detail(match pushed {
        Pushed::Head(commit) => format!("pushed {}", &commit[..7.min(commit.len())]),
        Pushed::Snapshot(_) => "pushed the folder's files as one commit".to_owned(),
    });
    Ok(())
}

/// Gitea works a push in after it took it; only then do its pages show the commits.
async fn settle(gitea: &Gitea, app: &App) -> Result<(), Report> {
    let end = Instant::now() + SETTLE;
    while gitea.repository(app.id.org.as_str(), app.id.app.as_str()).await? != Some(true) {
        if Instant::now() >= end {
            let title = format!("Gitea took the commits of {} but does not show them", app.id);
            return Err(Report::new(Code::GiteaPushFailed, title)
                .fix("altinn-local logs studio.gitea", "shows Gitea's log"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
