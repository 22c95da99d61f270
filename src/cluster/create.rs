//! Makes and deletes a cluster.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::node::kind_configuration;
use super::record::{self, Record, kubeconfig};
use crate::events::StepScope;
use crate::model::{Cluster, Code, Report};
use crate::sys::host::HostFacts;
use crate::sys::kind::Kind;
use crate::sys::{fs, kube};

/// How long a kind that was left behind may take to notice that its node is gone.
const LEFTOVER: Duration = Duration::from_mins(1);

/// The pause before looking for it again.
const PAUSE: Duration = Duration::from_millis(500);

/// Makes the cluster and records it in `dir`. A cluster of that name without a record is half-made, one with a
/// record is outdated: either is deleted first; clusters hold nothing that cannot be made again. Returns before
/// the node is ready, so that [`fill`](super::fill()) can work meanwhile.
pub async fn create(
    kind: &Kind,
    wanted: &Cluster,
    facts: HostFacts,
    dir: &Path,
    scope: &StepScope,
) -> Result<(), Report> {
    delete(kind, &wanted.name, dir).await?;
    fs::create_private_dir(dir)?;
    let kubeconfig = kubeconfig(dir, &wanted.name);
    let configuration = kind_configuration(wanted, facts);
    kind.create(&wanted.name, &configuration, &kubeconfig, &wanted.network, |line| {
        scope.log(line);
        if let Some(step) = begun(line) {
            scope.detail(step);
        }
    })
    .await?;
    let record =
        Record { create_hash: wanted.create_hash(), identity: kube::identity(&kubeconfig).await? };
    record::write(dir, &wanted.name, &record)
}

/// Deletes the cluster of this name, its kubeconfig and its record; none of them need be there. What a kind makes meanwhile
/// that a killed run left behind, is deleted too, which soon ends that kind.
pub async fn delete(kind: &Kind, name: &str, dir: &Path) -> Result<(), Report> {
    let kubeconfig = kubeconfig(dir, name);
    let end = Instant::now() + LEFTOVER;
    loop {
        if kind.exists(name).await? {
            kind.delete(name, &kubeconfig).await?;
        }
        if !kind.is_creating(&kubeconfig).await {
            return record::forget(dir, name);
        }
        if Instant::now() >= end {
            let title = "a `kind` of a former run still works on the cluster";
            return Err(Report::new(Code::ClusterFailed, title)
                .at(name)
                .fix("ps -ax | grep 'kind create cluster'", "finds it; end it"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The step that kind says it begins: ` • Preparing nodes 📦  ...`.
fn begun(line: &str) -> Option<String> {
    let step = line.trim().strip_prefix('•')?;
    let words = step
        .split_whitespace()
        .filter(|word| word.chars().all(|c| c.is_alphanumeric() || c == '-'));
    Some(words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_steps_are_told_without_decoration() {
        for (line, step) in [
            (" • Preparing nodes 📦   ...", Some("Preparing nodes")),
            (" • Starting control-plane 🕹️  ...", Some("Starting control-plane")),
            (" ✓ Preparing nodes 📦", None),
            ("Creating cluster \"x\" ...", None),
            ("", None),
        ] {
            assert_eq!(begun(line).as_deref(), step, "{line}");
        }
    }
}
