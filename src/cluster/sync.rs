//! Prepares a node so that files can be written into its containers, and are put into new ones before they start.

use crate::model::{Cluster, Code, Report};
use crate::sys::docker::Docker;
use crate::sys::helper::Helper;
use crate::sys::inside::NODE_PATH;

const SCRIPT: &str = include_str!("../../templates/cluster/sync.sh");

/// Puts the helper into the node, and has it called for each new container. May be repeated.
pub async fn prepare_sync(
    docker: &Docker,
    wanted: &Cluster,
    helper: &Helper,
) -> Result<(), Report> {
    let node = wanted.node();
    // Unpacked beside and renamed: the one that is there may be running.
    let new = format!("{NODE_PATH}.new");
    docker.put_program(&node, &new, &helper.bytes).await?;
    let script = format!("mv {new} {NODE_PATH}\n{SCRIPT}");
    docker.calls.changing("node: have the helper called for new containers");
    let done = docker.exec(&node, &["sh", "-c", &script], None).await?;
    if done.code == 0 {
        return Ok(());
    }
    Err(Report::new(Code::HelperFailed, "the node cannot call the helper for new containers")
        .with_tail(done.lines))
}
