//! The local registries' HTTP side (`/v2/`): what they hold, and how a changed layer gets in without the engine.
//!
//! Whole images are the engine's to push; see `build::push`. What is written here are single layers on top of them.

#[cfg(test)]
pub(crate) mod fake;
mod manifest;
mod write;

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::model::{Code, ImageRef, Report, hex};
use crate::sys::calls::Calls;
use crate::sys::http::{Http, silent};
use manifest::Found;
pub use manifest::{Descriptor, IMAGE_CONFIG, IMAGE_LAYER, Manifest};

/// The kinds of manifest that count as an image.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// How long a blob may take on its way; a disk that is written back slowly has been seen to need ten seconds.
const PATIENCE: Duration = Duration::from_mins(5);

/// A registry on a port of 127.0.0.1.
#[derive(Debug, Clone)]
pub struct Registry {
    http: Http,
    port: u16,
    calls: Calls,
}

/// The digest by which registries name these bytes, as `sha256:…`.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes), 32))
}

impl Registry {
    /// The registry on this port.
    #[must_use]
    pub fn new(http: Http, port: u16, calls: Calls) -> Self {
        Self { http, port, calls }
    }

    /// The registry in an image's name (`127.0.0.1:5511/ttd-my-app`), and the repository there.
    pub fn of<'a>(
        image: &'a ImageRef,
        http: &Http,
        calls: &Calls,
    ) -> Result<(Self, &'a str), Report> {
        let (name, repository) = image.repository.split_once('/').unwrap_or_default();
        let port = name.strip_prefix("127.0.0.1:").and_then(|port| port.parse().ok());
        let port = port.ok_or_else(|| {
            Report::new(Code::RegistryFailed, format!("`{name}` is not a registry of this machine"))
                .why(format!("the image is `{image}`"))
        })?;
        Ok((Self::new(http.clone(), port, calls.clone()), repository))
    }

    /// Whether it holds a tag of a repository, as `ttd-my-app` and `c-0123456789ab`.
    pub async fn has(&self, repository: &str, tag: &str) -> Result<bool, Report> {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let request = self.request(Method::HEAD, &path).header(ACCEPT, MANIFESTS);
        Ok(self.unless_missing("tell its tags", request).await?.is_some())
    }

    /// The tags of a repository, in no order; none when there is no such repository.
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>, Report> {
        let request = self.request(Method::GET, &format!("/v2/{repository}/tags/list"));
        let Some(answer) = self.unless_missing("tell its tags", request).await? else {
            return Ok(Vec::new());
        };
        let told: serde_json::Value = serde_json::from_slice(&self.bytes(answer).await?)
            .map_err(|error| self.broken(&format!("a list of tags is not valid: {error}")))?;
        let tags = told["tags"].as_array().into_iter().flatten();
        Ok(tags.filter_map(|tag| tag.as_str().map(str::to_owned)).collect())
    }

    /// The image of a tag or digest; none when it is not there. Of an index the entry for this machine's own
    /// platform: a registry on 127.0.0.1 belongs to an engine of this machine.
    pub async fn image(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Option<Manifest>, Report> {
        match self.manifest(repository, reference).await? {
            None => Ok(None),
            Some(Found::Image(manifest)) => Ok(Some(manifest)),
            Some(Found::Index(index)) => {
                let entry = index.own().ok_or_else(|| {
                    Report::new(Code::RegistryFailed, "the image is not for this machine")
                        .at(format!("{repository}:{reference}"))
                        .why(format!("it is for {}", index.platforms()))
                })?;
                match self.manifest(repository, entry).await? {
                    Some(Found::Image(manifest)) => Ok(Some(manifest)),
                    _ => Err(self.broken("an index names what is no image")),
                }
            }
        }
    }

    async fn manifest(&self, repository: &str, reference: &str) -> Result<Option<Found>, Report> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let request = self.request(Method::GET, &path).header(ACCEPT, MANIFESTS);
        let Some(answer) = self.unless_missing("tell an image", request).await? else {
            return Ok(None);
        };
        let bytes = self.bytes(answer).await?;
        let found = serde_json::from_slice(&bytes);
        found.map(Some).map_err(|error| self.broken(&format!("a manifest is not valid: {error}")))
    }

    /// Whether it holds a blob of a repository.
    pub async fn has_blob(&self, repository: &str, digest: &str) -> Result<bool, Report> {
        let request = self.request(Method::HEAD, &format!("/v2/{repository}/blobs/{digest}"));
        Ok(self.unless_missing("tell its blobs", request).await?.is_some())
    }

    /// A blob of a repository, whole, and checked to be what its digest says.
    pub async fn blob(&self, repository: &str, wanted: &str) -> Result<Bytes, Report> {
        let request = self.request(Method::GET, &format!("/v2/{repository}/blobs/{wanted}"));
        let answer = self.send("give a blob", request.timeout(PATIENCE)).await?;
        let bytes = self.bytes(answer).await?;
        if digest(&bytes) == wanted {
            return Ok(bytes);
        }
        Err(self.broken(&format!("the blob {wanted} is not what its digest says")))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.port, None, path)
    }

    fn name(&self) -> String {
        format!("the registry at 127.0.0.1:{}", self.port)
    }

    /// The answer to a request; one that is no success is an error.
    async fn send(&self, what: &str, request: RequestBuilder) -> Result<Response, Report> {
        let answer = request.send().await;
        let answer = answer.map_err(|error| silent(Code::RegistryFailed, &self.name(), &error))?;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(self.refused(what, answer).await)
        }
    }

    /// The same, where "not found" is an answer too.
    async fn unless_missing(
        &self,
        what: &str,
        request: RequestBuilder,
    ) -> Result<Option<Response>, Report> {
        let answer = request.send().await;
        let answer = answer.map_err(|error| silent(Code::RegistryFailed, &self.name(), &error))?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(answer)),
            _ => Err(self.refused(what, answer).await),
        }
    }

    async fn bytes(&self, answer: Response) -> Result<Bytes, Report> {
        answer.bytes().await.map_err(|error| silent(Code::RegistryFailed, &self.name(), &error))
    }

    /// What a registry did not do, with its own words.
    async fn refused(&self, what: &str, answer: Response) -> Report {
        let status = answer.status();
        let report = Report::new(Code::RegistryFailed, format!("{} did not {what}", self.name()));
        match reason(&answer.text().await.unwrap_or_default()) {
            Some(reason) => report.why(format!("{status}: {reason}")),
            None => report.why(format!("it answered {status}")),
        }
    }

    fn broken(&self, why: &str) -> Report {
        Report::new(Code::RegistryFailed, format!("{} holds a broken image", self.name())).why(why)
    }
}

/// The first error in a registry's answer: `{"errors": [{"code": …, "message": …, "detail": …}]}`.
fn reason(answer: &str) -> Option<String> {
    let told: serde_json::Value = serde_json::from_str(answer).ok()?;
    let error = told.pointer("/errors/0")?;
    let text = |name: &str| error.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let detail = error.get("detail").filter(|detail| !detail.is_null());
    let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
    Some(format!("{}: {}{detail}", text("code"), text("message")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_own_words_are_told() {
        for (answer, expected) in [
            (
                r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown","detail":{"Tag":"x"}}]}"#,
                Some(r#"BLOB_UNKNOWN: blob unknown ({"Tag":"x"})"#),
            ),
            (r#"{"errors":[{"code":"DENIED","message":"no","detail":null}]}"#, Some("DENIED: no")),
            (r#"{"errors":[]}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(reason(answer).as_deref(), expected, "{answer}");
        }
    }

    #[tokio::test]
    async fn what_is_written_can_be_read() {
        let registry = fake::Fake::start().await.registry();
        assert!(!registry.has_blob("a", &digest(b"x")).await.unwrap());
        registry.put_blob("a", &digest(b"x"), Bytes::from_static(b"x")).await.unwrap();
        registry.put_blob("a", &digest(b"x"), Bytes::from_static(b"x")).await.unwrap();
        assert_eq!(registry.calls.count(), 1, "what is there is not written again");
        assert_eq!(registry.blob("a", &digest(b"x")).await.unwrap(), &b"x"[..]);
        let layer = Descriptor::new(IMAGE_LAYER, b"x");
        let manifest = Manifest::new(Descriptor::new(IMAGE_CONFIG, b"x"), vec![layer]);
        let named = registry.put_manifest("a", "one", &manifest).await.unwrap();
        assert_eq!(registry.put_manifest("a", &named, &manifest).await.unwrap(), named);
        assert!(registry.has("a", "one").await.unwrap());
        assert!(!registry.has("a", "two").await.unwrap());
        assert_eq!(registry.image("a", "one").await.unwrap().as_ref(), Some(&manifest));
        assert_eq!(registry.image("a", &named).await.unwrap(), Some(manifest));
        assert_eq!(registry.image("a", "two").await.unwrap(), None);
    }

    #[tokio::test]
    async fn refusals_tell_why() {
        let registry = fake::Fake::start().await.registry();
        let manifest = Manifest::new(Descriptor::new(IMAGE_CONFIG, b"gone"), Vec::new());
        let report = registry.put_manifest("a", "one", &manifest).await.unwrap_err();
        assert_eq!(report.code, Code::RegistryFailed);
        assert!(report.labels[0].1.contains("MANIFEST_BLOB_UNKNOWN"), "{report:?}");
        let report = registry.blob("a", &digest(b"gone")).await.unwrap_err();
        assert!(report.labels[0].1.contains("404"), "{report:?}");
        let report =
            registry.put_blob("a", "sha256:0", Bytes::from_static(b"x")).await.unwrap_err();
        assert!(report.labels[0].1.contains("DIGEST_INVALID"), "{report:?}");
    }

    #[tokio::test]
    async fn of_an_index_the_own_platform_counts() {
        let fake = fake::Fake::start().await;
        let registry = fake.registry();
        registry.put_blob("a", &digest(b"x"), Bytes::from_static(b"x")).await.unwrap();
        let manifest = Manifest::new(Descriptor::new(IMAGE_CONFIG, b"x"), Vec::new());
        let own = registry.put_manifest("a", "own", &manifest).await.unwrap();
        let entry = |architecture: &str, os: &str, digest: &str| {
            serde_json::json!({"mediaType": manifest::IMAGE, "size": 1, "digest": digest,
                "platform": {"architecture": architecture, "os": os}})
        };
        let own_name = crate::sys::machine::architecture();
        let both = [entry("unknown", "unknown", "sha256:0"), entry(own_name, "linux", &own)];
        fake.put_index("a", "both", &both);
        fake.put_index("a", "other", &[entry("s390x", "linux", &own)]);
        assert_eq!(registry.image("a", "both").await.unwrap(), Some(manifest));
        let report = registry.image("a", "other").await.unwrap_err();
        assert_eq!(report.labels[1].1, "it is for linux/s390x");
    }
}
