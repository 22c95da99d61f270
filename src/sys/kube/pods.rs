//! Why pods do not become ready, in the words of the cluster.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;
use serde_json::Value;

use super::{Kube, POD, text};
use crate::model::Report;

/// How many lines of a container's log are shown.
const LINES: i64 = 20;

/// What stands in the way of pods, and the last they said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// As `traefik-…: ImagePullBackOff: …`.
    pub reasons: Vec<String>,
    /// The last lines of the log of the first container that has trouble.
    pub tail: Vec<String>,
}

impl Trouble {
    /// Adds what was found to a report.
    #[must_use]
    pub fn explain(self, report: Report) -> Report {
        let told = self.reasons.into_iter().fold(report, Report::why);
        told.with_tail(self.tail)
    }
}

impl Kube {
    /// Looks at the pods with these labels; a cluster that does not answer is a reason too.
    pub async fn trouble(&self, namespace: &str, labels: &str) -> Trouble {
        let pods = match self.list(POD, namespace, labels).await {
            Ok(pods) => pods,
            Err(report) => {
                return Trouble { reasons: vec![report.to_string()], tail: Vec::new() };
            }
        };
        if pods.is_empty() {
            return Trouble {
                reasons: vec![format!(
                    "no pod was made (namespace `{namespace}`, labels `{labels}`)"
                )],
                tail: Vec::new(),
            };
        }
        let mut trouble = Trouble::default();
        for pod in &pods {
            let name = text(pod, "/metadata/name");
            for (container, reason, restarted) in obstacles(pod) {
                trouble.reasons.push(format!("{name}: {reason}"));
                if let (Some(container), true) = (container, trouble.tail.is_empty()) {
                    trouble.tail = self.last_lines(namespace, name, &container, restarted).await;
                }
            }
        }
        trouble
    }

    /// The last lines of a container's log: of its former life when it was started again.
    async fn last_lines(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
    ) -> Vec<String> {
        let parameters = LogParams {
            container: Some(container.to_owned()),
            tail_lines: Some(LINES),
            previous,
            ..LogParams::default()
        };
        let pods = Api::<Pod>::namespaced(self.client.clone(), namespace);
        // A container that never ran has no log; its reason is told all the same.
        let log = pods.logs(pod, &parameters).await.unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

/// What keeps a pod from being ready: container (none for the pod itself), reason, and whether the container
/// ran before.
fn obstacles(pod: &Value) -> Vec<(Option<String>, String, bool)> {
    let list = |pointer| pod.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let unscheduled = list("/status/conditions")
        .filter(|one| text(one, "/type") == "PodScheduled" && text(one, "/status") == "False")
        .map(|one| (None, said(one, ""), false));
    let containers = list("/status/initContainerStatuses")
        .chain(list("/status/containerStatuses"))
        .filter(|one| one.pointer("/ready") != Some(&Value::Bool(true)))
        .map(|one| {
            let restarted = one.pointer("/restartCount").and_then(Value::as_u64) > Some(0);
            let state = ["waiting", "terminated"]
                .iter()
                .find(|state| one.pointer(&format!("/state/{state}")).is_some());
            let reason = match state {
                Some(state) => said(one, &format!("/state/{state}")),
                None => "runs, but is not ready".to_owned(),
            };
            let ended = one
                .pointer("/lastState/terminated/exitCode")
                .map(|code| format!(" (its last run ended with {code})"));
            let reason = reason + &ended.unwrap_or_default();
            (Some(text(one, "/name").to_owned()), reason, restarted)
        });
    unscheduled.chain(containers).collect()
}

/// `Reason: message` of a condition or state.
fn said(object: &Value, pointer: &str) -> String {
    let part = |name| text(object, &format!("{pointer}/{name}"));
    match (part("reason"), part("message")) {
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn obstacles_are_told_in_the_clusters_words() {
        let waiting = json!({"name": "app", "ready": false, "restartCount": 2,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}});
        let starting =
            json!({"name": "side", "ready": false, "restartCount": 0, "state": {"running": {}}});
        let fine =
            json!({"name": "fine", "ready": true, "restartCount": 1, "state": {"running": {}}});
        let pod = json!({"status": {
            "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"},
                {"type": "Ready", "status": "False"},
            ],
            "containerStatuses": [waiting, starting, fine],
        }});
        assert_eq!(
            obstacles(&pod),
            [
                (None, "Unschedulable: 0/1 nodes".to_owned(), false),
                (
                    Some("app".to_owned()),
                    "CrashLoopBackOff: back-off 10s (its last run ended with 137)".to_owned(),
                    true
                ),
                (Some("side".to_owned()), "runs, but is not ready".to_owned(), false),
            ]
        );
        assert_eq!(obstacles(&json!({})), []);
    }
}
