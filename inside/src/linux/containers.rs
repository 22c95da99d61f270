//! The containers of a node, as containerd lays them out.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Fault, told};

/// One folder for each task, with `config.json`, `init.pid` and `rootfs`.
const TASKS: &str = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";
/// Where the supervisor lies in development images.
const SUPERVISOR: &[u8] = b"/.altinn-local/inside\0supervise";

/// A container whose files can be reached.
#[derive(Debug, Clone)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) root: PathBuf,
    folder: PathBuf,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
    root: RootEntry,
}

#[derive(Deserialize)]
struct RootEntry {
    path: PathBuf,
}

/// The image that a container was made of, and the folder of its files; none for the sandbox of a pod.
pub(super) fn of_bundle(bundle: &Path) -> Result<Option<(String, PathBuf)>, Fault> {
    let bytes = fs::read(bundle.join("config.json")).map_err(told("read a container's config"))?;
    let found: Configuration =
        serde_json::from_slice(&bytes).map_err(told("read a container's config"))?;
    let of = |key: &str| found.annotations.get(&format!("io.kubernetes.cri.{key}")).cloned();
    if of("container-type").as_deref() != Some("container") {
        return Ok(None);
    }
    let Some(image) = of("image-name") else { return Ok(None) };
    // Relative to the bundle, unless it is absolute.
    Ok(Some((image, bundle.join(found.root.path))))
}

/// Containers of this image that run or are about to.
pub(super) fn of_image(image: &str) -> Result<Vec<Container>, Fault> {
    let tasks = fs::read_dir(TASKS).map_err(told("list the node's containers"))?;
    let mut found = Vec::new();
    for folder in tasks.flatten().map(|task| task.path()) {
        // One that ends at this moment is none.
        let Ok(Some((of, root))) = of_bundle(&folder) else { continue };
        if of == image && root.exists() {
            let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.push(Container { id, root, folder });
        }
    }
    Ok(found)
}

impl Container {
    /// Its first process in the node's numbers; none before it is started.
    pub(super) fn init(&self) -> Option<u32> {
        fs::read_to_string(self.folder.join("init.pid")).ok()?.trim().parse().ok()
    }

    /// Whether our supervisor is its first process.
    pub(super) fn is_supervised(&self) -> bool {
        let words = self.init().and_then(|init| fs::read(format!("/proc/{init}/cmdline")).ok());
        words.is_some_and(|words| words.starts_with(SUPERVISOR))
    }

    /// What its first process started.
    pub(super) fn child(&self) -> Option<u32> {
        let init = self.init()?;
        let children = fs::read_to_string(format!("/proc/{init}/task/{init}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }
}
