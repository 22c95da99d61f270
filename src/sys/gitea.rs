//! Gitea's HTTP API, as far as the stack needs it, as its administrator.

use reqwest::Method;
use serde_json::{Value, json};

use super::calls::Calls;
use super::http::{Http, silent};
use crate::model::{Code, Report};

/// What a commit's status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitState {
    /// Work is under way.
    Pending,
    /// It went well.
    Success,
    /// It did not go well.
    Failure,
    /// It was given up.
    Error,
}

/// What people of a team may do in a repository: all that is in it.
const UNITS: [&str; 6] =
    ["repo.code", "repo.issues", "repo.pulls", "repo.releases", "repo.wiki", "repo.projects"];

/// Gitea behind the stack's router.
#[derive(Debug, Clone)]
pub struct Gitea {
    http: Http,
    port: u16,
    user: String,
    password: String,
    calls: Calls,
}

/// A team of an organisation, in all of its repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Team {
    /// As `Devs`.
    pub name: &'static str,
    /// What its members are there for.
    pub description: &'static str,
    /// Whether its members may push.
    pub writes: bool,
    /// Whether its members may make repositories.
    pub creates: bool,
}

/// An OAuth application, as it is told on the one occasion that its secret is.
pub struct Application {
    /// Its public id.
    pub id: String,
    /// What it proves itself by.
    pub secret: String,
}

impl Gitea {
    /// Gitea behind the router on this port, as this user.
    #[must_use]
    pub fn new(http: Http, port: u16, user: &str, password: &str, calls: Calls) -> Self {
        Self { http, port, user: user.to_owned(), password: password.to_owned(), calls }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let host = format!("studio.localhost:{}", self.port);
        self.http.request(method, self.port, Some(&host), &format!("/repos/api/v1{path}"))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u16, Value), Report> {
        if method != Method::GET {
            self.calls.changing(&format!("gitea: {method} {path}"));
        }
        let mut request = self.request(method, path).basic_auth(&self.user, Some(&self.password));
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await
    }

    /// Whether the administrator's name and password are accepted.
    pub async fn accepts_password(&self) -> Result<bool, Report> {
        Ok(self.call(Method::GET, "/user", None).await?.0 == 200)
    }

    /// Sets the administrator's password with a token that Gitea's own command line made.
    pub async fn set_password(&self, token: &str) -> Result<(), Report> {
        let path = format!("/admin/users/{}", self.user);
        let body = json!({"login_name": self.user, "source_id": 0, "password": self.password,
            "must_change_password": false});
        self.calls.changing(&format!("gitea: PATCH {path}"));
        let request = self.request(Method::PATCH, &path).bearer_auth(token).json(&body);
        expect("set the administrator's password", &[200], send(request).await?)
    }

    /// Removes the administrator's token of this name.
    pub async fn remove_token(&self, name: &str) -> Result<(), Report> {
        let path = format!("/users/{}/tokens/{name}", self.user);
        expect("remove a token", &[204, 404], self.call(Method::DELETE, &path, None).await?)
    }

    /// Makes a user who is no administrator, with this password; one who is there already gets it when it has another.
    pub async fn ensure_user(&self, name: &str, full: &str, password: &str) -> Result<(), Report> {
        let own = Self { user: name.to_owned(), password: password.to_owned(), ..self.clone() };
        if own.accepts_password().await? {
            return Ok(());
        }
        let path = format!("/users/{name}");
        let body = json!({"login_name": name, "source_id": 0, "password": password,
            "must_change_password": false});
        if self.is_there("look up a user", &path).await? {
            let path = format!("/admin{path}");
            return expect("set a password", &[200], self.patch(&path, body).await?);
        }
        let mut body = body;
        body["username"] = json!(name);
        body["full_name"] = json!(full);
        body["email"] = json!(format!("{name}@localhost.localdomain"));
        let made = self.call(Method::POST, "/admin/users", Some(body)).await?;
        expect("make a user", &[201], made)
    }

    /// Makes an organisation; one that is there already is fine.
    pub async fn ensure_org(&self, org: &str, full_name: &str) -> Result<(), Report> {
        if self.is_there("look up an organisation", &format!("/orgs/{org}")).await? {
            return Ok(());
        }
        let body = json!({"username": org, "full_name": full_name});
        expect(
            "make the organisation",
            &[201, 422],
            self.call(Method::POST, "/orgs", Some(body)).await?,
        )
    }

    /// Makes those of the teams that an organisation lacks, and lets the user into all of them.
    pub async fn ensure_teams(&self, org: &str, teams: &[Team], user: &str) -> Result<(), Report> {
        let path = format!("/orgs/{org}/teams");
        let found = self.list("list teams", &path).await?;
        for team in teams {
            let known = found.iter().find(|other| other["name"] == team.name);
            let id = match known {
                Some(known) => known["id"].clone(),
                None => self.create_team(&path, team).await?,
            };
            let member = format!("/teams/{id}/members/{user}");
            if !self.is_there("look up a member", &member).await? {
                let put = self.call(Method::PUT, &member, None).await?;
                expect("let a user into a team", &[204], put)?;
            }
        }
        Ok(())
    }

    async fn create_team(&self, path: &str, team: &Team) -> Result<Value, Report> {
        let body = json!({"name": team.name, "description": team.description,
            "permission": if team.writes { "write" } else { "read" }, "units": UNITS,
            "can_create_org_repo": team.creates, "includes_all_repositories": true});
        match self.call(Method::POST, path, Some(body)).await? {
            (201, made) => Ok(made["id"].clone()),
            (status, body) => Err(unexpected("make a team", status, &body)),
        }
    }

    /// Makes the webhook of an organisation that tells of these events, signed with the secret. What it had at addresses
    /// that begin with `own` goes: Gitea tells no secret, and takes a new one with a new hook alone.
    pub async fn replace_hook(
        &self,
        org: &str,
        own: &str,
        (url, secret): (&str, &str),
        events: &[&str],
    ) -> Result<(), Report> {
        let path = format!("/orgs/{org}/hooks");
        for hook in self.list("list webhooks", &path).await? {
            let at = hook["config"]["url"].as_str().unwrap_or_default();
            if at.starts_with(own) {
                let path = format!("{path}/{}", hook["id"]);
                let gone = self.call(Method::DELETE, &path, None).await?;
                expect("remove a webhook", &[204, 404], gone)?;
            }
        }
        let body = json!({"type": "gitea", "active": true, "events": events,
            "config": {"url": url, "content_type": "json", "secret": secret}});
        expect("make a webhook", &[201], self.call(Method::POST, &path, Some(body)).await?)
    }

    /// The administrator's OAuth application of this name, with a new secret: the one it has is never told again.
    pub async fn renew_application(
        &self,
        name: &str,
        redirect: &str,
    ) -> Result<Application, Report> {
        const PATH: &str = "/user/applications/oauth2";
        let found = self.list("list OAuth applications", PATH).await?;
        let body = json!({"name": name, "redirect_uris": [redirect], "confidential_client": true});
        let (status, told) = match found.iter().find(|known| known["name"] == name) {
            Some(known) => self.patch(&format!("{PATH}/{}", known["id"]), body).await?,
            None => self.call(Method::POST, PATH, Some(body)).await?,
        };
        let word = |key: &str| told[key].as_str().filter(|word| !word.is_empty());
        match (status, word("client_id"), word("client_secret")) {
            (200 | 201, Some(id), Some(secret)) => {
                Ok(Application { id: id.to_owned(), secret: secret.to_owned() })
            }
            // Its answer may hold the secret.
            (200 | 201, ..) => Err(unexpected("tell a secret", status, &Value::Null)),
            _ => Err(unexpected("make an OAuth application", status, &told)),
        }
    }

    async fn patch(&self, path: &str, body: Value) -> Result<(u16, Value), Report> {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// Whether what a path names is there.
    async fn is_there(&self, what: &str, path: &str) -> Result<bool, Report> {
        match self.call(Method::GET, path, None).await? {
            (200, _) => Ok(true),
            (404, _) => Ok(false),
            (status, body) => Err(unexpected(what, status, &body)),
        }
    }

    /// A list with all its pages.
    async fn list(&self, what: &str, path: &str) -> Result<Vec<Value>, Report> {
        let mut all = Vec::new();
        for page in 1.. {
            let path = format!("{path}?limit=50&page={page}");
            match self.call(Method::GET, &path, None).await? {
                (200, Value::Array(found)) if !found.is_empty() => all.extend(found),
                (200, _) => break,
                (status, body) => return Err(unexpected(what, status, &body)),
            }
        }
        Ok(all)
    }

    /// Whether the repository exists, and whether it has commits; none when it does not exist.
    pub async fn repository(&self, owner: &str, name: &str) -> Result<Option<bool>, Report> {
        let (status, body) =
            self.call(Method::GET, &format!("/repos/{owner}/{name}"), None).await?;
        match status {
            200 => Ok(Some(body["empty"].as_bool() == Some(false))),
            404 => Ok(None),
            _ => Err(unexpected("look up a repository", status, &body)),
        }
    }

    /// Sets the status that a commit has for one context; the newest counts.
    pub async fn commit_status(
        &self,
        owner: &str,
        name: &str,
        commit: &str,
        state: CommitState,
        context: &str,
        description: &str,
    ) -> Result<(), Report> {
        let state = match state {
            CommitState::Pending => "pending",
            CommitState::Success => "success",
            CommitState::Failure => "failure",
            CommitState::Error => "error",
        };
        let body = json!({"state": state, "context": context, "description": description});
        let path = format!("/repos/{owner}/{name}/statuses/{commit}");
        expect("take a commit's status", &[201], self.call(Method::POST, &path, Some(body)).await?)
    }

    /// Makes an empty repository of an organisation.
    pub async fn create_repository(&self, owner: &str, name: &str) -> Result<(), Report> {
        let body = json!({"name": name, "private": false, "auto_init": false,
            "default_branch": "master"});
        let answer = self.call(Method::POST, &format!("/orgs/{owner}/repos"), Some(body)).await?;
        expect("make the repository", &[201, 409], answer)
    }
}

async fn send(request: reqwest::RequestBuilder) -> Result<(u16, Value), Report> {
    let answer =
        request.send().await.map_err(|error| silent(Code::GiteaFailed, "Gitea", &error))?;
    let status = answer.status().as_u16();
    let text = answer.text().await.map_err(|error| silent(Code::GiteaFailed, "Gitea", &error))?;
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

fn expect(what: &str, statuses: &[u16], (status, body): (u16, Value)) -> Result<(), Report> {
    if statuses.contains(&status) { Ok(()) } else { Err(unexpected(what, status, &body)) }
}

fn unexpected(what: &str, status: u16, body: &Value) -> Report {
    let words = body["message"].as_str().map_or_else(|| body.to_string(), str::to_owned);
    Report::new(Code::GiteaFailed, format!("Gitea could not {what}"))
        .why(format!("it answered {status}: {}", words.chars().take(300).collect::<String>()))
        .fix("altinn-local logs studio.gitea", "shows Gitea's log")
}
