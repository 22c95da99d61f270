//! Speaks to the platform's services of the running stack, through its router.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::Context;
use super::args::Service;
use crate::config::env::Variable;
use crate::model::{AppId, Code, Domain, Report};
use crate::secrets;
use crate::sys::fs;
use crate::sys::http::{Http, silent};

/// Work on all data may take this long.
const LONG: Duration = Duration::from_hours(4);
/// The longest line of a stream of JSON, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// The services of one stack. Names under `.localhost` are never looked up.
pub(super) struct Platform {
    http: Http,
    port: u16,
    host: String,
    key: String,
    /// The app that serves, where one does.
    pub(super) app_url: Option<String>,
}

impl Platform {
    /// Those of the running stack, or those that variables name.
    pub(super) async fn of(context: &Context<'_>) -> Result<Self, Report> {
        let environment = &context.environment;
        let usual = |port: u16| format!("{}:{port}", Domain::default().platform_host());
        let (port, host, key, app_url) = match environment.get(Variable::ServicesPort) {
            Some(port) => {
                let key = environment.get(Variable::ServicesKeyFile).unwrap_or_default();
                (named_port(port)?, None, named_key(key)?, None)
            }
            None => running(context).await?,
        };
        let host = host.unwrap_or_else(|| usual(port));
        Ok(Self { http: Http::new()?, port, host, key, app_url })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.port, Some(&self.host), path)
    }

    /// A request to the management surface of a service; `path` comes after `/{service}/local/`.
    pub(super) fn manage(&self, method: Method, service: Service, path: &str) -> RequestBuilder {
        let path = format!("/{}/local/{path}", service.name());
        self.request(method, &path).bearer_auth(&self.key)
    }

    /// What a service answers, as JSON.
    pub(super) async fn json(
        &self,
        service: Service,
        request: RequestBuilder,
        refused: Code,
    ) -> Result<Value, Report> {
        let answer = self.send(service, request, refused).await?;
        answer.json().await.map_err(|error| lost(service).caused_by(&error))
    }

    /// As [`Self::json`], for work that may take long.
    pub(super) async fn slowly(
        &self,
        service: Service,
        request: RequestBuilder,
        refused: Code,
    ) -> Result<Value, Report> {
        self.json(service, request.timeout(LONG), refused).await
    }

    /// An answer of success; `refused` is the code of a request that the service does not take.
    pub(super) async fn send(
        &self,
        service: Service,
        request: RequestBuilder,
        refused: Code,
    ) -> Result<Response, Report> {
        let name = service.name();
        let answer = request.send().await.map_err(|error| {
            silent(Code::ServiceSilent, &format!("the service `{name}`"), &error)
                .fix("altinn-local status", "see whether it runs")
        })?;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            StatusCode::UNAUTHORIZED => Err(Report::new(
                Code::ServiceSilent,
                format!("the service `{name}` does not take the stack's key"),
            )
            .why("it was started with another key")
            .fix("altinn-local down", "data stays; then `altinn-local up`")),
            status => Err(self.refusal(service, status, answer, refused).await),
        }
    }

    async fn refusal(
        &self,
        service: Service,
        status: StatusCode,
        answer: Response,
        refused: Code,
    ) -> Report {
        let name = service.name();
        let text = answer.text().await.unwrap_or_default();
        let told = told(&text);
        if status.is_server_error() {
            return lost(service).why(told.unwrap_or_else(|| status.to_string()));
        }
        match told {
            Some(told) => Report::new(refused, format!("the service `{name}` refuses")).why(told),
            // Without a word: the router knows no such host, or the service was started without a key.
            None => Report::new(Code::ServiceSilent, format!("the service `{name}` is not there"))
                .why(format!("its management surface answered {status}"))
                .fix("altinn-local up", "bring it up, with a key"),
        }
    }

    /// A token of the paths that the public localtest has, too; `query` is written out.
    pub(super) async fn token(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<String, Report> {
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let path = format!("{path}?{}", query.join("&"));
        let request = self.request(Method::GET, path.trim_end_matches('?'));
        let answer = self.send(Service::Platform, request, Code::NotFound).await?;
        let text = answer.text().await;
        text.map_err(|error| lost(Service::Platform).caused_by(&error))
    }

    /// Everybody there is.
    pub(super) async fn people(&self) -> Result<Value, Report> {
        let request = self.manage(Method::GET, Service::Platform, "people");
        self.json(Service::Platform, request, Code::NotFound).await
    }

    /// The lines of an answer, each given to `each` as it comes.
    pub(super) async fn lines(
        &self,
        service: Service,
        request: RequestBuilder,
        refused: Code,
        mut each: impl FnMut(Value),
    ) -> Result<(), Report> {
        let answer = self.send(service, request.timeout(LONG), refused).await?;
        let mut pieces = answer.bytes_stream();
        let mut kept: Vec<u8> = Vec::new();
        while let Some(piece) = pieces.next().await {
            kept.extend_from_slice(&piece.map_err(|error| lost(service).caused_by(&error))?);
            while let Some(end) = kept.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = kept.drain(..=end).collect();
                each(serde_json::from_slice(&line).unwrap_or_default());
            }
            if kept.len() > LONGEST_LINE {
                return Err(lost(service).why("its answer was not understood"));
            }
        }
        Ok(())
    }

    /// An answer that is streamed into a file.
    pub(super) async fn stream(&self, service: Service, path: &str) -> Result<Response, Report> {
        let request = self.manage(Method::GET, service, path).timeout(LONG);
        self.send(service, request, Code::DataBroken).await
    }
}

/// Router's port, the platform's host with it, key and app of the stack that runs.
async fn running(
    context: &Context<'_>,
) -> Result<(u16, Option<String>, String, Option<String>), Report> {
    let snapshot = context.client().running().await?;
    let port = ["platform", "studio", "gitea"]
        .iter()
        .find_map(|name| port_of(snapshot.urls.get(*name)?))
        .ok_or_else(|| {
            Report::new(Code::NotRunning, "the stack's router is not up yet")
                .fix("altinn-local up", "bring it up, or wait until it is")
        })?;
    let credentials = secrets::load(&context.dirs.stack(&context.stack))?;
    let key = credentials.map(|found| found.services_key).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| {
        Report::new(Code::NotRunning, "the stack has no key for its services yet")
            .why("it was brought up by an older program")
            .fix("altinn-local down", "data stays; then `altinn-local up`")
    })?;
    let app_url = super::open::app(&snapshot);
    let platform = snapshot.resources.iter().find(|one| one.id == "platform");
    let host = platform.and_then(|one| host_of(one.urls.first()?));
    Ok((port, host, key, app_url))
}

/// Host and port of a URL such as `http://local.altinn.cloud:8800/`: the stack's domain decides.
fn host_of(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// The port of a URL such as `http://studio.localhost:8800`.
fn port_of(url: &str) -> Option<u16> {
    reqwest::Url::parse(url).ok()?.port_or_known_default()
}

fn named_port(text: &str) -> Result<u16, Report> {
    text.parse().map_err(|_| {
        Report::new(Code::ConfigInvalid, "`ALTINN_LOCAL_SERVICES_PORT` is not a port").why(text)
    })
}

fn named_key(path: &str) -> Result<String, Report> {
    let bytes = fs::read_if_there(std::path::Path::new(path))?;
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    text.filter(|key| !key.is_empty()).ok_or_else(|| {
        Report::new(Code::ConfigInvalid, "there is no key for the services").at(path).fix(
            "ALTINN_LOCAL_SERVICES_KEY_FILE",
            "name the file that they were started with as `--key-file`",
        )
    })
}

fn lost(service: Service) -> Report {
    let name = service.name();
    Report::new(Code::ServiceSilent, format!("the service `{name}` did not answer as it should"))
        .fix(format!("altinn-local logs {name}"), "see why")
}

/// The reason in an answer: problem details, or a plain text.
fn told(text: &str) -> Option<String> {
    let Ok(problem) = serde_json::from_str::<Value>(text) else {
        let plain = !text.trim().is_empty() && !text.trim_start().starts_with('<');
        return plain.then(|| text.lines().next().unwrap_or_default().trim().to_owned());
    };
    if let Some(detail) = problem["detail"].as_str() {
        return Some(detail.to_owned());
    }
    let errors = problem["errors"].as_object()?;
    let told: Vec<String> = errors
        .iter()
        .flat_map(|(field, all)| {
            all.as_array()
                .into_iter()
                .flatten()
                .filter_map(move |told| Some(format!("{field}: {}", told.as_str()?)))
        })
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// The query of a scope, with its `?`.
pub(super) fn scope(app: Option<&AppId>) -> String {
    app.map_or_else(String::new, |app| format!("?app={}", encoded(&app.to_string())))
}

fn encoded(text: &str) -> String {
    super::client::encoded(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_in_every_form() {
        for (text, reason) in [
            (r#"{"detail":"gone"}"#, Some("gone")),
            (r#"{"errors":{"rule":["`rate` is 1"],"x":["y"]}}"#, Some("rule: `rate` is 1; x: y")),
            ("User not found", Some("User not found")),
            ("<html>404</html>", None),
            ("", None),
            ("{}", None),
        ] {
            assert_eq!(told(text).as_deref(), reason, "{text}");
        }
        let host = host_of("http://local.altinn.cloud:8921/");
        assert_eq!(host.as_deref(), Some("local.altinn.cloud:8921"));
        assert_eq!(port_of("http://studio.localhost:8921"), Some(8921));
    }
}
