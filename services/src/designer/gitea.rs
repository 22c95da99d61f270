//! What is asked of Gitea, always as the user whose token is given (Gitea's API v1).

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::peer::{Peer, Reply};

/// More repositories than this are found by search.
const PAGE: usize = 50;

/// Gitea, as this service reaches it.
pub(super) struct Gitea {
    peer: Peer,
    base: String,
}

/// A user, with the names of Gitea's own answer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct GiteaUser {
    pub(super) id: i64,
    pub(super) login: String,
    #[serde(default)]
    pub(super) full_name: String,
    #[serde(default)]
    pub(super) email: String,
}

/// What a user may do with a repository.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct Permissions {
    #[serde(default)]
    pub(super) push: bool,
    #[serde(default)]
    pub(super) pull: bool,
}

/// A repository.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Repository {
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) empty: bool,
    #[serde(default)]
    pub(super) default_branch: String,
    #[serde(default)]
    pub(super) updated_at: String,
    pub(super) owner: Owner,
    #[serde(default)]
    pub(super) permissions: Permissions,
}

/// A repository's owner.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Owner {
    pub(super) login: String,
}

/// An organisation of the user.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Organisation {
    pub(super) username: String,
    #[serde(default)]
    pub(super) full_name: String,
}

/// A team of the user; `Deploy-TT02` allows deploying to that environment.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Team {
    pub(super) name: String,
    #[serde(default)]
    pub(super) organization: Option<Organisation>,
}

#[derive(Deserialize)]
struct Found {
    data: Vec<Repository>,
}

/// Tokens as the OAuth endpoint gives them.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub(super) access_token: String,
    #[serde(default)]
    pub(super) refresh_token: String,
    #[serde(default)]
    pub(super) expires_in: u64,
}

impl Gitea {
    pub(super) fn new(base: &str) -> Result<Self, String> {
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { peer: Peer::remote(&base)?, base })
    }

    /// Where git fetches from and pushes to.
    pub(super) fn git_url(&self, app: &AppId) -> String {
        format!("{}/{app}.git", self.base)
    }

    pub(super) async fn answers(&self) -> Result<(), String> {
        let reply = self.peer.ask(Method::GET, "/api/healthz", HeaderMap::new(), Bytes::new());
        match reply.await {
            Ok(reply) if reply.status.is_success() => Ok(()),
            Ok(reply) => Err(reply.status.to_string()),
            Err(_) => Err("no answer".to_owned()),
        }
    }

    /// Asks the OAuth endpoint for tokens; `None` when it refuses.
    pub(super) async fn grant(&self, form: &[(&str, &str)]) -> Result<Option<Granted>, Fault> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, kind);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let path = "/login/oauth/access_token";
        let reply = self.peer.ask(Method::POST, path, headers, body.into()).await?;
        match reply.status {
            status if status.is_success() => reply.json().map(Some),
            status if status.is_client_error() => {
                let why = String::from_utf8_lossy(&reply.body).into_owned();
                tracing::warn!(%status, why, "Gitea gave no token");
                Ok(None)
            }
            status => Err(Fault::unavailable("Gitea", status)),
        }
    }

    async fn ask(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Reply, Fault> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(Fault::internal)?;
        headers.insert(AUTHORIZATION, value);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let reply = self.peer.ask(method, &format!("/api/v1{path}"), headers, body.into()).await?;
        match reply.status {
            StatusCode::UNAUTHORIZED => Err(Fault::unauthorized()),
            status if status.is_server_error() => Err(Fault::unavailable("Gitea", status)),
            _ => Ok(reply),
        }
    }

    async fn get<T: DeserializeOwned>(&self, token: &str, path: &str) -> Result<Option<T>, Fault> {
        let reply = self.ask(token, Method::GET, path, None).await?;
        match reply.status {
            status if status.is_success() => reply.json().map(Some),
            // Gitea says 404 of what the user may not see, and 403 of what nobody may.
            _ => Ok(None),
        }
    }

    pub(super) async fn user(&self, token: &str) -> Result<GiteaUser, Fault> {
        self.get(token, "/user").await?.ok_or_else(Fault::unauthorized)
    }

    pub(super) async fn organisations(&self, token: &str) -> Result<Vec<Organisation>, Fault> {
        Ok(self.get(token, "/user/orgs?limit=50").await?.unwrap_or_default())
    }

    pub(super) async fn teams(&self, token: &str) -> Result<Vec<Team>, Fault> {
        let mut all = Vec::new();
        // Gitea gives at most 50 a page, and a developer is easily in 20 teams of each organisation.
        for page in 1..=10 {
            let path = format!("/user/teams?limit={PAGE}&page={page}");
            let teams: Vec<Team> = self.get(token, &path).await?.unwrap_or_default();
            let last = teams.len() < PAGE;
            all.extend(teams);
            if last {
                break;
            }
        }
        Ok(all)
    }

    pub(super) async fn search(&self, token: &str, words: &str) -> Result<Vec<Repository>, Fault> {
        let words = utf8_percent_encode(words, NON_ALPHANUMERIC);
        let path = format!("/repos/search?limit={PAGE}&sort=updated&order=desc&q={words}");
        Ok(self.get::<Found>(token, &path).await?.map(|found| found.data).unwrap_or_default())
    }

    pub(super) async fn repository(
        &self,
        token: &str,
        app: &AppId,
    ) -> Result<Option<Repository>, Fault> {
        self.get(token, &format!("/repos/{app}")).await
    }

    /// Whether the repository has this commit.
    pub(super) async fn has_commit(
        &self,
        token: &str,
        app: &AppId,
        commit: &str,
    ) -> Result<bool, Fault> {
        let path = format!("/repos/{app}/git/commits/{commit}?stat=false&files=false");
        Ok(self.get::<Value>(token, &path).await?.is_some())
    }

    /// Makes an empty repository, of the user's own or of an organisation. Gitea's own words when it refuses.
    pub(super) async fn create(&self, token: &str, app: &AppId, own: bool) -> Result<(), Fault> {
        let path =
            if own { "/user/repos".to_owned() } else { format!("/orgs/{}/repos", app.org()) };
        let body = json!({ "name": app.app(), "auto_init": false, "default_branch": "master" });
        let reply = self.ask(token, Method::POST, &path, Some(body)).await?;
        if reply.status.is_success() {
            return Ok(());
        }
        let told: Value = reply.json().unwrap_or_default();
        let words = told["message"].as_str().unwrap_or("no reason given");
        let status = match reply.status {
            StatusCode::NOT_FOUND => StatusCode::FORBIDDEN,
            status => status,
        };
        Err(Fault::problem(status, format!("Gitea did not make the repository: {words}"))
            .with("code", "not-created"))
    }
}
