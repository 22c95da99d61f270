//! `kube`: kubectl against one organisation's cluster, by our own kubeconfig.

use std::path::PathBuf;
use std::process::ExitCode;

use super::Context;
use crate::model::{Code, OrgName, Report};
use crate::sys::handover;
use crate::sys::tools;

/// The end of the name of a cluster's kubeconfig, after `altinn-<stack>-<org>`.
const SUFFIX: &str = ".kubeconfig";

pub(super) async fn run(
    context: &Context<'_>,
    org: Option<OrgName>,
    arguments: Vec<String>,
) -> Result<ExitCode, Report> {
    let kubeconfig = find(context, org.as_ref())?;
    let kubectl = tools::find("kubectl", &context.environment, &context.dirs.tools)?;
    // What kubectl remembers of an API goes to a folder of ours too: nothing is left in `~/.kube`.
    let cache = context.dirs.cache.join("kubectl");
    let environment = [("KUBECONFIG", kubeconfig.as_path()), ("KUBECACHEDIR", cache.as_path())];
    handover::run(&kubectl, &arguments, &environment, &context.directory).await.map(ExitCode::from)
}

/// The kubeconfig of the organisation's cluster, or of the only one there is.
fn find(context: &Context<'_>, org: Option<&OrgName>) -> Result<PathBuf, Report> {
    let folder = context.dirs.stack(&context.stack);
    let prefix = format!("altinn-{}-", context.stack);
    let there = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let orgs: Vec<String> = there
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some(name.strip_prefix(&prefix)?.strip_suffix(SUFFIX)?.to_owned())
        })
        .collect();
    let wanted = match (org, orgs.as_slice()) {
        (Some(org), orgs) if orgs.iter().any(|found| found == org.as_str()) => org.to_string(),
        (None, [only]) => only.clone(),
        (_, []) => {
            return Err(Report::new(Code::NotRunning, "there is no cluster yet")
                .fix("altinn-local up", "make it"));
        }
        (Some(org), orgs) => {
            return Err(Report::new(Code::NotFound, format!("`{org}` has no cluster here"))
                .why(format!("there is one for {}", orgs.join(", "))));
        }
        (None, orgs) => {
            return Err(Report::new(Code::NotFound, "which organisation's cluster?")
                .why(format!("there is one for {}", orgs.join(", ")))
                .fix(format!("altinn-local kube {} -- …", orgs[0]), "name it"));
        }
    };
    Ok(folder.join(format!("{prefix}{wanted}{SUFFIX}")))
}
