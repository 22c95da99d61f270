//! Writes to a registry.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, LOCATION};

use super::{Manifest, PATIENCE, Registry, digest};
use crate::model::{Code, Report};

impl Registry {
    /// Writes a blob of this digest into a repository, unless it is there.
    pub async fn put_blob(
        &self,
        repository: &str,
        digest: &str,
        bytes: Bytes,
    ) -> Result<(), Report> {
        if self.has_blob(repository, digest).await? {
            return Ok(());
        }
        self.calls.changing(&format!("write a blob of {repository}"));
        // The registry that is used here (2.8) takes no blob in a single request.
        let post = self.request(Method::POST, &format!("/v2/{repository}/blobs/uploads/"));
        let answer = self.send("begin to take a blob", post).await?;
        let place = answer.headers().get(LOCATION).and_then(|place| place.to_str().ok());
        let place = place.and_then(|place| below(place, digest)).ok_or_else(|| {
            Report::new(Code::RegistryFailed, format!("{} told no place for a blob", self.name()))
        })?;
        let put = self.request(Method::PUT, &place).timeout(PATIENCE);
        let put = put.header(CONTENT_TYPE, "application/octet-stream").body(bytes);
        self.send("take a blob", put).await.map(drop)
    }

    /// Writes a manifest under a tag, or under its own digest; gives that digest. Its blobs must be there.
    pub async fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        manifest: &Manifest,
    ) -> Result<String, Report> {
        self.calls.changing(&format!("write the image {repository}:{reference}"));
        let bytes = serde_json::to_vec(manifest)
            .map_err(|error| Report::bug("a manifest has no JSON form", &error))?;
        let named = digest(&bytes);
        let put = self.request(Method::PUT, &format!("/v2/{repository}/manifests/{reference}"));
        let put = put.header(CONTENT_TYPE, &manifest.media_type).body(bytes);
        self.send("take an image", put).await?;
        Ok(named)
    }
}

/// The path and query where a blob goes. A registry tells the whole address, under the name by which it believes to be
/// reached; ours are reached at 127.0.0.1, whatever they believe.
fn below(place: &str, digest: &str) -> Option<String> {
    let base = reqwest::Url::parse("http://127.0.0.1").ok()?;
    let mut place = base.join(place).ok()?;
    place.query_pairs_mut().append_pair("digest", digest);
    Some(format!("{}?{}", place.path(), place.query()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_blob_is_below_our_own_address() {
        for (place, expected) in [
            (
                "http://127.0.0.1:5511/v2/a/blobs/uploads/1?_state=x%3D",
                "/v2/a/blobs/uploads/1?_state=x%3D&digest=sha256%3A0",
            ),
            ("/v2/a/blobs/uploads/1", "/v2/a/blobs/uploads/1?digest=sha256%3A0"),
            ("http://elsewhere/v2/a", "/v2/a?digest=sha256%3A0"),
        ] {
            assert_eq!(below(place, "sha256:0").as_deref(), Some(expected), "{place}");
        }
    }
}
