//! Puts everything into a cluster that the first app needs, and waits for as little of it as possible.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::objects::{Contents, marker, objects};
use crate::events::StepScope;
use crate::model::{Cluster, Code, Report};
use crate::sys::kube::{DEPLOYMENT, Kube, condition};

/// How long the ingress controller may take, from a node that is not ready yet; 4 to 15 seconds are usual.
const TRAEFIK_PATIENCE: Duration = Duration::from_mins(2);

/// How long to wait before telling what is waited for.
const NEWS: Duration = Duration::from_secs(10);

/// The namespace and the name of the ingress controller.
const TRAEFIK: &str = "traefik";

/// The pause between two questions to an API server that starts.
const PAUSE: Duration = Duration::from_millis(200);

/// Applies everything, waits for the ingress controller alone, and writes the marker. DNS and the volumes'
/// provisioner come up beside it; pods that need them wait for them by themselves. Can be repeated at any time,
/// and heals what was changed.
pub async fn fill(
    kube: &Kube,
    wanted: &Cluster,
    contents: &Contents,
    scope: &StepScope,
) -> Result<(), Report> {
    scope.detail("applying DNS, ingress and what apps need");
    kube.apply(&objects(wanted, contents)?).await?;
    scope.detail("waiting for Traefik");
    wait_for_traefik(kube, scope).await?;
    kube.apply(&[marker(wanted)]).await
}

async fn wait_for_traefik(kube: &Kube, scope: &StepScope) -> Result<(), Report> {
    let end = Instant::now() + TRAEFIK_PATIENCE;
    loop {
        let ready = kube.until(DEPLOYMENT, TRAEFIK, Some(TRAEFIK), NEWS, is_current);
        if ready.await?.is_some() {
            return Ok(());
        }
        let trouble = kube.trouble(TRAEFIK, "app=traefik").await;
        if Instant::now() >= end {
            let title = "Traefik does not get ready in the cluster";
            return Err(trouble.explain(
                Report::new(Code::ClusterFailed, title)
                    .fix("altinn-local up", "tries again")
                    .fix("altinn-local down && altinn-local up", "makes the cluster anew"),
            ));
        }
        if let Some(reason) = trouble.reasons.first() {
            // The cluster's own words can be long; the report has them all.
            let reason: String = reason.chars().take(100).collect();
            scope.detail(format!("waiting for Traefik: {reason}"));
        }
    }
}

/// Whether what runs is what was applied last, and all of it is ready.
fn is_current(deployment: &Value) -> bool {
    let number = |pointer| deployment.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let wanted = number("/spec/replicas");
    number("/status/observedGeneration") >= number("/metadata/generation")
        && number("/status/updatedReplicas") >= wanted
        && number("/status/readyReplicas") >= wanted
        && condition(deployment, "Available")
}

/// Waits until the API of a cluster answers whose node was just started.
pub async fn wait_for_api(kube: &Kube, patience: Duration) -> Result<(), Report> {
    let end = Instant::now() + patience;
    while !kube.is_ready().await {
        if Instant::now() >= end {
            let seconds = patience.as_secs();
            return Err(Report::new(Code::ClusterFailed, "the cluster's API does not answer")
                .why(format!("asked for {seconds} s after the node was started")));
        }
        tokio::time::sleep(PAUSE).await;
    }
    kube.check_identity().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_old_pod_that_is_still_ready_does_not_count() {
        for (generation, observed, updated, ready, available, current) in [
            (1, 1, 1, 1, "True", true),
            (2, 1, 1, 1, "True", false),
            (2, 2, 0, 1, "True", false),
            (1, 1, 1, 0, "True", false),
            (1, 1, 1, 1, "False", false),
        ] {
            let deployment = json!({
                "metadata": {"generation": generation},
                "spec": {"replicas": 1},
                "status": {
                    "observedGeneration": observed,
                    "updatedReplicas": updated,
                    "readyReplicas": ready,
                    "conditions": [{"type": "Available", "status": available}],
                },
            });
            assert_eq!(is_current(&deployment), current, "{deployment}");
        }
        assert!(!is_current(&json!({"spec": {"replicas": 1}})));
    }
}
