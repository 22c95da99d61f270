//! Manifests of images, in Docker's form and in OCI's (contract: opencontainers/image-spec 1.1, `manifest.md`).

use serde::{Deserialize, Serialize};

use super::digest;
use crate::sys::machine;

/// An image's manifest in OCI's form.
pub(super) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// An image's configuration in OCI's form.
pub const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// A plain tar as a layer: its digest is also the id of what it unpacks to.
pub const IMAGE_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// What an image consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    schema_version: u32,
    /// Its own form. OCI allows to leave it out.
    #[serde(default = "image")]
    pub media_type: String,
    /// The configuration, a JSON blob.
    pub config: Descriptor,
    /// From the lowest to the topmost.
    pub layers: Vec<Descriptor>,
}

fn image() -> String {
    IMAGE.to_owned()
}

/// A blob as a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Its form.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// As `sha256:…`.
    pub digest: String,
}

impl Descriptor {
    /// Names these bytes.
    #[must_use]
    pub fn new(media_type: &str, bytes: &[u8]) -> Self {
        Self { media_type: media_type.to_owned(), size: bytes.len() as u64, digest: digest(bytes) }
    }
}

impl Manifest {
    /// A manifest in OCI's form.
    #[must_use]
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self { schema_version: 2, media_type: image(), config, layers }
    }

    /// The same image in OCI's form: both forms differ in the names of their parts alone.
    #[must_use]
    pub fn into_oci(self) -> Self {
        let layers = self.layers.into_iter().map(|layer| Descriptor {
            media_type: layer.media_type.replace(
                "application/vnd.docker.image.rootfs.diff.tar.",
                "application/vnd.oci.image.layer.v1.tar+",
            ),
            ..layer
        });
        let layers = layers.map(|layer| match layer.media_type.as_str() {
            "application/vnd.docker.image.rootfs.diff.tar" => {
                Descriptor { media_type: IMAGE_LAYER.to_owned(), ..layer }
            }
            _ => layer,
        });
        let config = Descriptor { media_type: IMAGE_CONFIG.to_owned(), ..self.config };
        Self::new(config, layers.collect())
    }
}

/// What a tag may lead to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Found {
    Index(Index),
    Image(Manifest),
}

/// Images for several platforms under one name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Index {
    manifests: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Entry {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

impl Index {
    /// The digest of the image for this machine. What a builder attests about an image is an entry too, for the
    /// platform `unknown`.
    pub(super) fn own(&self) -> Option<&str> {
        let own = |platform: &Platform| {
            platform.os == "linux" && platform.architecture == machine::architecture()
        };
        let entry = self.manifests.iter().find(|entry| entry.platform.as_ref().is_some_and(own))?;
        Some(&entry.digest)
    }

    /// The platforms for people.
    pub(super) fn platforms(&self) -> String {
        let named = self.manifests.iter().filter_map(|entry| entry.platform.as_ref());
        let named = named.map(|platform| format!("{}/{}", platform.os, platform.architecture));
        named.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_names_become_ocis() {
        for (docker, oci) in [
            ("application/vnd.docker.image.rootfs.diff.tar", IMAGE_LAYER),
            (
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "application/vnd.oci.image.layer.v1.tar+gzip",
            ),
            (
                "application/vnd.docker.image.rootfs.diff.tar.zstd",
                "application/vnd.oci.image.layer.v1.tar+zstd",
            ),
            (IMAGE_LAYER, IMAGE_LAYER),
        ] {
            let text = format!(
                r#"{{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "config": {{"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": "c"}},
                "layers": [{{"mediaType": "{docker}", "size": 2, "digest": "l"}}]}}"#
            );
            let Found::Image(manifest) = serde_json::from_str(&text).unwrap() else {
                panic!("not an image");
            };
            let manifest = manifest.into_oci();
            assert_eq!(manifest.media_type, IMAGE);
            assert_eq!(manifest.config.media_type, IMAGE_CONFIG);
            assert_eq!(manifest.layers[0].media_type, oci);
        }
    }
}
