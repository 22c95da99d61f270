//! Images that are made of others without a build: one more layer and another configuration, written straight to the
//! registry. What the lower layers hold is neither read nor sent.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::layer::{Entry, File, Layer};
use crate::model::{Code, Report, labels};
use crate::sys::helper::Helper;
use crate::sys::registry::{Descriptor, IMAGE_CONFIG, IMAGE_LAYER, Manifest, Registry};

/// Where the helper lies in an image for development.
const HELPER: &str = "/.altinn-local/inside";

/// The tag of the image for development that is made of the image with this tag.
#[must_use]
pub fn development_tag(tag: &str, helper: &Helper) -> String {
    format!("{tag}-d{}", helper.short())
}

/// Makes the image for development: that of `tag`, with the helper in it, which starts and supervises what the image
/// started itself. An image that has the helper already gets the further name alone.
pub async fn develop(
    registry: &Registry,
    repository: &str,
    tag: &str,
    helper: &Helper,
    dev_tag: &str,
) -> Result<(), Report> {
    if registry.has(repository, dev_tag).await? {
        return Ok(());
    }
    let mut image = Image::read(registry, repository, tag).await?;
    let file = File { bytes: helper.bytes.clone(), executable: true };
    let layer = Layer::of(&[Entry { path: HELPER.to_owned(), file: Some(file) }])?;
    if image.has(&layer) {
        return registry.put_manifest(repository, dev_tag, &image.manifest).await.map(drop);
    }
    image.supervise()?;
    image.label(labels::BASE, tag)?;
    image.add(layer, "altinn-local: the helper for development")?;
    image.write(registry, repository, dev_tag).await.map(drop)
}

/// Makes the image of `base_tag` with some files changed; gives the digest of its manifest. Begin with the image of the
/// last whole build each time, and name all files that differ from it: layers then do not pile up.
pub async fn fold(
    registry: &Registry,
    repository: &str,
    base_tag: &str,
    entries: &[Entry],
    new_tag: &str,
) -> Result<String, Report> {
    let mut image = Image::read(registry, repository, base_tag).await?;
    image.add(Layer::of(entries)?, "altinn-local: files saved since the build")?;
    image.write(registry, repository, new_tag).await
}

/// An image as a registry holds it, with what is to be added.
struct Image {
    manifest: Manifest,
    config: Value,
    layer: Option<Layer>,
}

impl Image {
    async fn read(registry: &Registry, repository: &str, tag: &str) -> Result<Self, Report> {
        let manifest = registry.image(repository, tag).await?.ok_or_else(|| {
            Report::new(Code::RegistryFailed, "the image to add files to is not in the registry")
                .at(format!("{repository}:{tag}"))
                .fix("altinn-local up", "builds and pushes it")
        })?;
        let config = registry.blob(repository, &manifest.config.digest).await?;
        let config = serde_json::from_slice(&config)
            .map_err(|error| unfit(&format!("its configuration is not JSON: {error}")))?;
        Ok(Self { manifest, config, layer: None })
    }

    fn has(&self, layer: &Layer) -> bool {
        let ids = self.config.pointer("/rootfs/diff_ids").and_then(Value::as_array);
        ids.is_some_and(|ids| ids.iter().any(|id| id.as_str() == Some(&layer.digest)))
    }

    /// Puts the helper before the program that the image starts.
    fn supervise(&mut self) -> Result<(), Report> {
        let settings = self.settings()?;
        let mut words = vec![json!(HELPER), json!("supervise"), json!("--")];
        // Without an entrypoint the command follows as it is, and is then the program.
        words.extend(
            settings.get("Entrypoint").and_then(Value::as_array).cloned().unwrap_or_default(),
        );
        settings.insert("Entrypoint".to_owned(), Value::Array(words));
        Ok(())
    }

    fn label(&mut self, name: &str, value: &str) -> Result<(), Report> {
        object(self.settings()?, "Labels")?.insert(name.to_owned(), json!(value));
        Ok(())
    }

    /// The part that says how a container is run; Docker leaves it out when nothing is said.
    fn settings(&mut self) -> Result<&mut Map<String, Value>, Report> {
        let whole = self.config.as_object_mut();
        object(whole.ok_or_else(|| unfit("its configuration is no JSON object"))?, "config")
    }

    /// Puts a layer on top. The configuration names its contents, and its history has an entry for each layer.
    fn add(&mut self, layer: Layer, by: &str) -> Result<(), Report> {
        let ids = self.config.pointer_mut("/rootfs/diff_ids").and_then(Value::as_array_mut);
        ids.ok_or_else(|| unfit("its configuration names no layers"))?.push(json!(layer.digest));
        let created = self.config.get("created").cloned().unwrap_or_default();
        if let Some(history) = self.config.get_mut("history").and_then(Value::as_array_mut) {
            // The time of the image itself: equal files make an equal image, whenever they are folded in.
            history.push(json!({"created": created, "created_by": by}));
        }
        self.layer = Some(layer);
        Ok(())
    }

    /// Writes what is new, and the manifest last: a tag never leads to half an image.
    async fn write(
        self,
        registry: &Registry,
        repository: &str,
        tag: &str,
    ) -> Result<String, Report> {
        let config = serde_json::to_vec(&self.config)
            .map_err(|error| Report::bug("an image's configuration has no JSON form", &error))?;
        let config = Bytes::from(config);
        let mut manifest = self.manifest.into_oci();
        manifest.config = Descriptor::new(IMAGE_CONFIG, &config);
        let layer = async {
            match self.layer {
                Some(layer) => {
                    manifest.layers.push(Descriptor::new(IMAGE_LAYER, &layer.bytes));
                    registry.put_blob(repository, &layer.digest, layer.bytes).await
                }
                None => Ok(()),
            }
        };
        let named = manifest.config.digest.clone();
        tokio::try_join!(layer, registry.put_blob(repository, &named, config))?;
        registry.put_manifest(repository, tag, &manifest).await
    }
}

/// The JSON object of this name, made when it is not there or null.
fn object<'a>(
    within: &'a mut Map<String, Value>,
    name: &str,
) -> Result<&'a mut Map<String, Value>, Report> {
    let value = within.entry(name).or_insert(Value::Null);
    if value.is_null() {
        *value = json!({});
    }
    value
        .as_object_mut()
        .ok_or_else(|| unfit(&format!("`{name}` of its configuration is no object")))
}

fn unfit(why: &str) -> Report {
    Report::new(Code::RegistryFailed, "the image cannot be changed").why(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::registry::digest;
    use crate::sys::registry::fake::Fake;

    const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    /// Writes an image as the engine pushes it; its only layer is `base`.
    async fn pushed(registry: &Registry, tag: &str, config: &Value) {
        let bytes = Bytes::from(config.to_string());
        registry.put_blob("a", &digest(&bytes), bytes.clone()).await.unwrap();
        let base = Bytes::from_static(b"base");
        registry.put_blob("a", &digest(&base), base.clone()).await.unwrap();
        let config = Descriptor::new("application/vnd.docker.container.image.v1+json", &bytes);
        let layers = vec![Descriptor::new(DOCKER_LAYER, &base)];
        registry.put_manifest("a", tag, &Manifest::new(config, layers)).await.unwrap();
    }

    async fn config(registry: &Registry, tag: &str) -> (Manifest, Value) {
        let image = Image::read(registry, "a", tag).await.unwrap();
        (image.manifest, image.config)
    }

    fn plain(settings: &Value) -> Value {
        json!({"architecture": "amd64", "config": settings, "created": "2026-01-01T00:00:00Z",
            "history": [{"created_by": "x"}], "rootfs": {"type": "layers", "diff_ids": ["sha256:base"]}})
    }

    #[tokio::test]
    async fn the_helper_starts_what_the_image_started() {
        let registry = Fake::start().await.registry();
        let helper = Helper::new("helper");
        for (tag, settings, entrypoint, command) in [
            (
                "both",
                json!({"Entrypoint": ["/a", "b"], "Cmd": ["c"], "User": "1000"}),
                json!([HELPER, "supervise", "--", "/a", "b"]),
                json!(["c"]),
            ),
            (
                "command",
                json!({"Entrypoint": null, "Cmd": ["c"]}),
                json!([HELPER, "supervise", "--"]),
                json!(["c"]),
            ),
            ("none", Value::Null, json!([HELPER, "supervise", "--"]), Value::Null),
        ] {
            pushed(&registry, tag, &plain(&settings)).await;
            let dev_tag = development_tag(tag, &helper);
            develop(&registry, "a", tag, &helper, &dev_tag).await.unwrap();
            let (manifest, config) = config(&registry, &dev_tag).await;
            assert_eq!(config["config"]["Entrypoint"], entrypoint, "{tag}");
            assert_eq!(config["config"]["Cmd"], command, "{tag}");
            assert_eq!(config["config"]["User"], settings["User"], "{tag}");
            assert_eq!(config["config"]["Labels"][labels::BASE], tag);
            let kinds: Vec<_> = manifest.layers.iter().map(|one| one.media_type.as_str()).collect();
            assert_eq!(kinds, ["application/vnd.oci.image.layer.v1.tar+gzip", IMAGE_LAYER]);
            let ids = config["rootfs"]["diff_ids"].as_array().unwrap();
            assert_eq!(ids[1], manifest.layers[1].digest.as_str());
            assert_eq!(config["history"].as_array().unwrap().len(), 2);
        }
    }

    #[tokio::test]
    async fn an_image_with_the_helper_is_left_alone() {
        let fake = Fake::start().await;
        let (registry, helper) = (fake.registry(), Helper::new("helper"));
        pushed(&registry, "one", &plain(&json!({"Cmd": ["c"]}))).await;
        develop(&registry, "a", "one", &helper, "dev").await.unwrap();
        let sent = fake.uploads();
        develop(&registry, "a", "one", &helper, "dev").await.unwrap();
        develop(&registry, "a", "dev", &helper, "again").await.unwrap();
        assert_eq!(fake.uploads(), sent);
        let again = config(&registry, "again").await;
        assert_eq!(again, config(&registry, "dev").await);
    }

    #[tokio::test]
    async fn only_what_changed_is_sent() {
        let fake = Fake::start().await;
        let registry = fake.registry();
        pushed(&registry, "one", &plain(&json!({"Cmd": ["c"]}))).await;
        let entry = |text: &'static str| {
            let file = File { bytes: Bytes::from_static(text.as_bytes()), executable: false };
            [Entry { path: "/app/a".to_owned(), file: Some(file) }]
        };
        let sent = fake.uploads();
        let first = fold(&registry, "a", "one", &entry("1"), "one-1").await.unwrap();
        assert_eq!(fake.uploads() - sent, 2, "the layer and the configuration");
        assert_eq!(fold(&registry, "a", "one", &entry("1"), "one-1").await.unwrap(), first);
        assert_eq!(fake.uploads() - sent, 2, "equal files make an equal image");
        assert_ne!(fold(&registry, "a", "one", &entry("2"), "one-2").await.unwrap(), first);
        let (manifest, config) = config(&registry, "one-2").await;
        assert_eq!(manifest.layers.len(), 2, "the chain does not grow");
        assert_eq!(config["config"]["Cmd"], json!(["c"]));
    }

    #[tokio::test]
    async fn what_is_no_image_is_refused() {
        let registry = Fake::start().await.registry();
        let report = fold(&registry, "a", "gone", &[], "new").await.unwrap_err();
        assert_eq!(report.fixes[0].command, "altinn-local up");
        for broken in [json!([]), json!({"config": 1}), json!({"config": {}})] {
            pushed(&registry, "broken", &broken).await;
            let helper = Helper::new("helper");
            let report = develop(&registry, "a", "broken", &helper, "d").await.unwrap_err();
            assert_eq!(report.title, "the image cannot be changed", "{broken}");
        }
    }
}
