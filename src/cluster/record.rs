//! What is kept of a cluster on this machine: its kubeconfig, and the record of its creation.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{Code, Report};
use crate::sys::calls::Calls;
use crate::sys::fs;
use crate::sys::kube::Kube;

/// `<dir>/<cluster>.json`, written when the cluster is finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// The hash of the configuration that it was made from.
    pub create_hash: String,
    /// The UID of its namespace `kube-system`.
    pub identity: String,
}

/// The kubeconfig of a cluster, by kind's name for it: `<dir>/<cluster>.kubeconfig`, mode 0600.
#[must_use]
pub fn kubeconfig(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.kubeconfig"))
}

/// Whether there is, or was begun, any cluster of the stack with this folder.
pub fn any(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    entries
        .filter_map(Result::ok)
        .any(|entry| entry.path().extension().is_some_and(|ending| ending == "kubeconfig"))
}

/// A connection to a finished cluster; asks nothing yet.
pub async fn connect(dir: &Path, name: &str, calls: Calls) -> Result<Kube, Report> {
    let Some(record) = read(dir, name)? else {
        let title = format!("the cluster `{name}` is not finished");
        return Err(Report::new(Code::ClusterFailed, title).fix("altinn-local up", "finishes it"));
    };
    Kube::connect(&kubeconfig(dir, name), &record.identity, calls).await
}

/// The record; none when there is none, or one that another version wrote in another shape.
pub(super) fn read(dir: &Path, name: &str) -> Result<Option<Record>, Report> {
    let text = fs::read_if_there(&path(dir, name))?;
    Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
}

pub(super) fn write(dir: &Path, name: &str, record: &Record) -> Result<(), Report> {
    let text = serde_json::to_vec_pretty(record)
        .map_err(|error| Report::bug("a cluster's record has no JSON form", &error))?;
    fs::write_private(&path(dir, name), &text)
}

/// Removes record and kubeconfig, the record first: without it, whatever is left counts as unfinished.
pub(super) fn forget(dir: &Path, name: &str) -> Result<(), Report> {
    fs::remove_if_there(&path(dir, name))?;
    let kubeconfig = kubeconfig(dir, name);
    fs::remove_if_there(&kubeconfig)?;
    // kind locks the file while it writes, and a killed kind leaves its lock.
    fs::remove_if_there(&kubeconfig.with_extension("kubeconfig.lock"))
}

fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.json"))
}
