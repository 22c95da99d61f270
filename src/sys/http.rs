//! Plain HTTP to our own loopback ports. Names under `.localhost` go by the `Host` header, because the C library of
//! many systems does not resolve them.

use std::time::Duration;

use crate::model::{Code, Report};

/// A client for 127.0.0.1; clones share its connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
}

impl Http {
    /// A client that follows no redirect and uses no proxy: it only ever talks to this machine.
    pub fn new() -> Result<Self, Report> {
        // Set once per process; a second time changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(30))
            .build();
        client
            .map(|client| Self { client })
            .map_err(|error| Report::bug("cannot make a client", &error))
    }

    /// A request to a port of this machine; `host` is the name the answer depends on.
    pub fn request(
        &self,
        method: reqwest::Method,
        port: u16,
        host: Option<&str>,
        path: &str,
    ) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("http://127.0.0.1:{port}{path}"));
        match host {
            Some(host) => request.header(reqwest::header::HOST, host),
            None => request,
        }
    }

    /// The status of a GET at `localhost`, by whichever of its addresses a server listens on.
    pub async fn local_status(&self, port: u16, path: &str) -> Result<u16, String> {
        let request = self.client.get(format!("http://localhost:{port}{path}"));
        let answer = request.timeout(Duration::from_secs(2)).send().await;
        answer.map(|answer| answer.status().as_u16()).map_err(|error| chain(&error))
    }

    /// The status of a GET; an error text when nothing answered.
    pub async fn status(&self, port: u16, host: Option<&str>, path: &str) -> Result<u16, String> {
        let request = self.request(reqwest::Method::GET, port, host, path);
        let answer = request.timeout(Duration::from_secs(2)).send().await;
        answer.map(|answer| answer.status().as_u16()).map_err(|error| chain(&error))
    }
}

/// An error with its sources in one line; the outermost of reqwest's errors says nothing by itself.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// A request that got no answer.
#[must_use]
pub fn silent(code: Code, who: &str, error: &reqwest::Error) -> Report {
    Report::new(code, format!("{who} did not answer")).why(chain(error))
}
