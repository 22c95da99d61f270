//! Finds out what there is of a cluster.

use std::path::Path;
use std::time::Duration;

use super::objects::MARKER;
use super::record;
use crate::model::{Cluster, FoundCluster, NodeState, Report};
use crate::sys::calls::Calls;
use crate::sys::kube::{CONFIG_MAP, Kube, text};

/// How long an API may take to answer before it counts as silent.
const PATIENCE: Duration = Duration::from_secs(2);

/// What there is of the cluster: `node_runs` says whether its node's container runs, none that there is no such
/// container. A cluster with another identity than the recorded one counts as silent.
pub async fn observe(
    wanted: &Cluster,
    dir: &Path,
    node_runs: Option<bool>,
) -> Result<FoundCluster, Report> {
    let mut found =
        FoundCluster { node: NodeState::Absent, create_hash: None, contents_hash: None };
    let Some(runs) = node_runs else {
        return Ok(found);
    };
    found.node = if runs { NodeState::Silent } else { NodeState::Stopped };
    let Some(record) = record::read(dir, &wanted.name)? else {
        return Ok(found);
    };
    found.create_hash = Some(record.create_hash);
    if runs {
        let asked = tokio::time::timeout(PATIENCE, ask(wanted, dir, &record.identity)).await;
        if let Ok(Ok(contents_hash)) = asked {
            found.node = NodeState::Answers;
            found.contents_hash = contents_hash;
        }
    }
    Ok(found)
}

/// The hash of what was applied, from the marker of this very stack and org.
async fn ask(wanted: &Cluster, dir: &Path, identity: &str) -> Result<Option<String>, Report> {
    // Nothing is changed, so there is nothing to count.
    let calls = Calls::default();
    let kube = Kube::connect(&record::kubeconfig(dir, &wanted.name), identity, calls).await?;
    let (identity, marker) =
        tokio::join!(kube.check_identity(), kube.get(CONFIG_MAP, "kube-system", MARKER));
    identity?;
    let ours = marker?.filter(|marker| {
        text(marker, "/data/stack") == wanted.stack.to_string()
            && text(marker, "/data/org") == wanted.org.to_string()
    });
    Ok(ours.map(|marker| text(&marker, "/data/contents").to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::node::tests::cluster;
    use super::super::record::{Record, write};
    use super::*;

    #[tokio::test]
    async fn without_an_answer_the_container_and_the_record_tell() {
        let dir = tempfile::tempdir().unwrap();
        let wanted = cluster();
        let check = async |node_runs| {
            let found = observe(&wanted, dir.path(), node_runs).await.unwrap();
            (found.node, found.create_hash, found.contents_hash)
        };
        assert_eq!(check(None).await, (NodeState::Absent, None, None));
        assert_eq!(check(Some(false)).await, (NodeState::Stopped, None, None));
        assert_eq!(check(Some(true)).await, (NodeState::Silent, None, None));
        let record = Record { create_hash: "abc".to_owned(), identity: "uid".to_owned() };
        write(dir.path(), &wanted.name, &record).unwrap();
        let hash = Some("abc".to_owned());
        assert_eq!(check(None).await, (NodeState::Absent, None, None));
        assert_eq!(check(Some(false)).await, (NodeState::Stopped, hash.clone(), None));
        assert_eq!(check(Some(true)).await, (NodeState::Silent, hash, None));
    }
}
