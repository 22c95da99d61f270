//! Gitea's HTTP API, as far as the stack needs it, as its administrator.

use reqwest::Method;
use serde_json::{Value, json};

use super::http::{Http, silent};
use crate::model::{Code, Report};

/// Gitea behind the stack's router.
#[derive(Debug, Clone)]
pub struct Gitea {
    http: Http,
    port: u16,
    user: String,
    password: String,
}

impl Gitea {
    /// Gitea behind the router on this port.
    #[must_use]
    pub fn new(http: Http, port: u16, user: &str, password: &str) -> Self {
        Self { http, port, user: user.to_owned(), password: password.to_owned() }
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
        let request = self.request(Method::PATCH, &path).bearer_auth(token).json(&body);
        expect("set the administrator's password", &[200], send(request).await?)
    }

    /// Removes the administrator's token of this name.
    pub async fn remove_token(&self, name: &str) -> Result<(), Report> {
        let path = format!("/users/{}/tokens/{name}", self.user);
        expect("remove a token", &[204, 404], self.call(Method::DELETE, &path, None).await?)
    }

    /// Makes an organisation; one that is there already is fine.
    pub async fn ensure_org(&self, org: &str) -> Result<(), Report> {
        if self.call(Method::GET, &format!("/orgs/{org}"), None).await?.0 == 200 {
            return Ok(());
        }
        let body = json!({"username": org});
        expect(
            "make the organisation",
            &[201, 422],
            self.call(Method::POST, "/orgs", Some(body)).await?,
        )
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
