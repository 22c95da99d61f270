//! What containers and pods write, straight from where they write it.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};

use super::workshop::engine_choice;
use crate::cluster;
use crate::config::dirs::Dirs;
use crate::config::env::Environment;
use crate::events::clean;
use crate::model::{AppId, Report, Resource, ResourceKind, StackName, cluster_name};
use crate::sys::calls::Calls;
use crate::sys::docker::{Docker, Stamped};
use crate::sys::helm::NAMESPACE;
use crate::sys::kube::{Kube, POD, text};

/// How long the log of an app waits for its next pod.
const NEXT_POD: Duration = Duration::from_millis(500);

/// A line with its time (RFC 3339) and the resource that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, RFC 3339.
    pub time: String,
    /// The resource's id.
    pub source: String,
    /// What, without control characters.
    pub text: String,
}

/// Lines as they come.
pub type Lines = Pin<Box<dyn Stream<Item = Line> + Send>>;

/// What the given resources wrote: the last `tail` lines of each, and then new ones when following. Clusters, dev
/// servers and services inside the agent have no log of their own and are left out.
pub async fn output(
    (environment, dirs, stack): (&Environment, &Dirs, &StackName),
    resources: &[Resource],
    tail: usize,
    follow: bool,
) -> Result<Lines, Report> {
    // What dev servers and services inside the agent write is in the journal.
    let outside =
        |one: &&Resource| !matches!(one.kind, ResourceKind::DevServer | ResourceKind::Service);
    let resources: Vec<&Resource> = resources.iter().filter(outside).collect();
    let mut all: Vec<Lines> = Vec::new();
    if resources.is_empty() {
        return Ok(Box::pin(stream::select_all(all)));
    }
    let docker = Docker::connect(&engine_choice(environment), Calls::default()).await?;
    let containers = docker.containers(stack, &[], "").await?;
    for resource in resources {
        let id = resource.id.clone();
        let lines: Pin<Box<dyn Stream<Item = Stamped> + Send>> = match resource.kind {
            ResourceKind::Cluster | ResourceKind::DevServer | ResourceKind::Service => continue,
            ResourceKind::App => match app_kube(resource, dirs, stack).await? {
                Some((kube, app)) => Box::pin(app_log(kube, app, tail, follow)),
                None => continue,
            },
            ResourceKind::Container | ResourceKind::Registry => {
                let ours = |label: &Option<String>| label.as_deref() == Some(resource.id.as_str());
                let found = containers.values().find(|container| ours(&container.resource));
                let Some(container) = found else { continue };
                Box::pin(docker.logs(&container.id, tail, follow))
            }
        };
        let named =
            lines.map(move |(time, line)| Line { time, source: id.clone(), text: clean(&line) });
        all.push(Box::pin(named));
    }
    Ok(Box::pin(stream::select_all(all)))
}

/// A connection to the cluster of an app's resource.
async fn app_kube(
    resource: &Resource,
    dirs: &Dirs,
    stack: &StackName,
) -> Result<Option<(Kube, AppId)>, Report> {
    let id = resource.id.strip_prefix("app.").and_then(|id| id.replacen('.', "/", 1).parse().ok());
    let Some(app): Option<AppId> = id else { return Ok(None) };
    let name = cluster_name(stack, &app.org);
    let kube = cluster::connect(&dirs.stack(stack), &name, Calls::default()).await?;
    Ok(Some((kube, app)))
}

/// The log of an app over its pods: the newest one's, and when it ended and one follows, the next one's.
fn app_log(
    kube: Kube,
    app: AppId,
    tail: usize,
    follow: bool,
) -> impl Stream<Item = Stamped> + Send {
    let pods = stream::unfold(String::new(), move |before| {
        let (kube, app) = (kube.clone(), app.clone());
        async move {
            let pod = loop {
                match newest_pod(&kube, &app).await {
                    Some(pod) if pod != before => break pod,
                    _ if !follow => return None,
                    _ => tokio::time::sleep(NEXT_POD).await,
                }
            };
            // Of a pod that is new everything is told.
            let lines = if before.is_empty() { tail } else { usize::MAX };
            match kube.pod_log(NAMESPACE, &pod, lines, follow).await {
                Some(log) => Some((log.boxed(), pod)),
                None if !follow => None,
                // Its container does not run yet; asked again.
                None => {
                    tokio::time::sleep(NEXT_POD).await;
                    Some((stream::empty().boxed(), before))
                }
            }
        }
    });
    pods.flatten()
}

async fn newest_pod(kube: &Kube, app: &AppId) -> Option<String> {
    let pods = kube.list(POD, NAMESPACE, &format!("release={}", app.release())).await.ok()?;
    let newest =
        pods.iter().max_by_key(|pod| text(pod, "/metadata/creationTimestamp").to_owned())?;
    Some(text(newest, "/metadata/name").to_owned())
}
