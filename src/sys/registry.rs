//! The local registries' HTTP side (`/v2/`), read only; the engine does the pushing.

use reqwest::header::ACCEPT;
use reqwest::{Method, StatusCode};

use crate::model::{Code, Report};
use crate::sys::http::{Http, silent};

/// The kinds of manifest that count as an image.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// A registry on a port of 127.0.0.1.
#[derive(Debug, Clone)]
pub struct Registry {
    http: Http,
    port: u16,
}

impl Registry {
    /// The registry on this port.
    #[must_use]
    pub fn new(http: Http, port: u16) -> Self {
        Self { http, port }
    }

    /// Whether it holds a tag of a repository, as `ttd-my-app` and `c-0123456789ab`.
    pub async fn has(&self, repository: &str, tag: &str) -> Result<bool, Report> {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let request = self.http.request(Method::HEAD, self.port, None, &path);
        let who = format!("the registry at 127.0.0.1:{}", self.port);
        let answer = request.header(ACCEPT, MANIFESTS).send().await;
        let answer = answer.map_err(|error| silent(Code::RegistryFailed, &who, &error))?;
        match answer.status() {
            status if status.is_success() => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            status => Err(Report::new(Code::RegistryFailed, format!("{who} answered {status}"))),
        }
    }
}
