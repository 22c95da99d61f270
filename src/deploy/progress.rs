//! Judges what the cluster shows of a rollout. Pure: pods and endpoint slices in, a verdict out.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::{Code, Report};
use crate::sys::kube::{condition, text};

/// The label by which a Deployment's controller tells the pods of one version from those of another.
pub(super) const TEMPLATE: &str = "pod-template-hash";

/// So many starts are enough, whatever the app says when it ends.
const MOST_RESTARTS: u64 = 3;

/// How far the new version is.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Not there yet; the text tells what is waited for.
    Waiting(String),
    /// The process of a pod runs.
    Started(String),
    /// Its pod is ready, and the service leads to it alone.
    Offered,
    /// It will not get there by itself.
    Failed(Box<Report>),
}

/// The verdict over the pods of the version with this template hash.
pub(super) fn judge(pods: &[Value], slices: &[Value], template: &str) -> Verdict {
    let new: Vec<&Value> = pods.iter().filter(|pod| is_of(pod, template)).collect();
    if new.is_empty() {
        return Verdict::Waiting("a pod to be made".to_owned());
    }
    if let Some(report) = new.iter().flat_map(|pod| containers(pod)).find_map(fault) {
        return Verdict::Failed(Box::new(report));
    }
    let names: BTreeSet<&str> = new.iter().map(|pod| text(pod, "/metadata/name")).collect();
    let offered: BTreeSet<&str> = serving(slices).collect();
    let ready = new.iter().any(|pod| condition(pod, "Ready"));
    if ready && !offered.is_empty() && offered.is_subset(&names) {
        return Verdict::Offered;
    }
    if ready {
        return Verdict::Started("the service to lead to the new pod alone".to_owned());
    }
    let running = |one: &Value| one.pointer("/state/running").is_some();
    if new.iter().flat_map(|pod| containers(pod)).any(running) {
        return Verdict::Started("the app to become ready".to_owned());
    }
    Verdict::Waiting(obstacle(&new))
}

/// Whether a version other than the one with this template hash serves.
pub(super) fn another_serves(pods: &[Value], slices: &[Value], template: &str) -> bool {
    serving(slices).any(|name| {
        pods.iter().any(|pod| text(pod, "/metadata/name") == name && !is_of(pod, template))
    })
}

/// The pod of this version whose last words tell most, and whether its container was started more than once.
pub(super) fn witness<'a>(pods: &'a [Value], template: &str) -> Option<(&'a str, bool)> {
    let restarts = |pod: &&Value| containers(pod).map(restarts).max().unwrap_or(0);
    let pod = pods.iter().filter(|pod| is_of(pod, template)).max_by_key(restarts)?;
    Some((text(pod, "/metadata/name"), restarts(&pod) > 0))
}

/// Whether there are pods of another version.
pub(super) fn others(pods: &[Value], template: &str) -> bool {
    let label = format!("/metadata/labels/{TEMPLATE}");
    pods.iter().any(|pod| text(pod, &label) != template)
}

/// A pod of this version that is not on its way out.
fn is_of(pod: &Value, template: &str) -> bool {
    let labelled = pod.pointer("/metadata/labels").and_then(|labels| labels.get(TEMPLATE));
    labelled.and_then(Value::as_str) == Some(template)
        && pod.pointer("/metadata/deletionTimestamp").is_none()
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    pod.pointer("/status/containerStatuses").and_then(Value::as_array).into_iter().flatten()
}

/// The names of pods that the service leads to.
fn serving(slices: &[Value]) -> impl Iterator<Item = &str> {
    slices
        .iter()
        .filter_map(|slice| slice.get("endpoints").and_then(Value::as_array))
        .flatten()
        .filter(|endpoint| endpoint.pointer("/conditions/ready") == Some(&Value::Bool(true)))
        .map(|endpoint| text(endpoint, "/targetRef/name"))
}

/// Why no process runs yet, in the cluster's words.
fn obstacle(pods: &[&Value]) -> String {
    let waiting =
        pods.iter().flat_map(|pod| containers(pod)).map(|one| text(one, "/state/waiting/reason"));
    let unscheduled = pods
        .iter()
        .filter_map(|pod| pod.pointer("/status/conditions")?.as_array())
        .flatten()
        .filter(|one| text(one, "/type") == "PodScheduled" && text(one, "/status") == "False")
        .map(|one| text(one, "/message"));
    match waiting.chain(unscheduled).find(|reason| !reason.is_empty()) {
        Some(reason) => format!("the pod to start ({reason})"),
        None => "the pod to start".to_owned(),
    }
}

/// Why a container will not start by itself, if so.
fn fault(container: &Value) -> Option<Report> {
    let waiting = text(container, "/state/waiting/reason");
    let message = text(container, "/state/waiting/message");
    let failed = |title: &str| Some(Report::new(Code::DeployFailed, title));
    match waiting {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
            let image = text(container, "/image").to_owned();
            failed("the cluster cannot get the app's image").map(|report| {
                report
                    .at(image)
                    .why(told(waiting, message))
                    .fix("altinn-local up", "builds and pushes what is missing")
            })
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            failed("the app's container cannot be made")
                .map(|report| report.why(told(waiting, message)))
        }
        _ => crash(container),
    }
}

fn restarts(container: &Value) -> u64 {
    container.get("restartCount").and_then(Value::as_u64).unwrap_or(0)
}

/// The report for a container that ended by itself and was started again.
fn crash(container: &Value) -> Option<Report> {
    let restarts = restarts(container);
    let looping = text(container, "/state/waiting/reason") == "CrashLoopBackOff";
    let ended = ["/state/terminated", "/lastState/terminated"]
        .iter()
        .find_map(|pointer| container.pointer(pointer));
    let code = ended.and_then(|ended| ended.get("exitCode")).and_then(Value::as_i64);
    let crashed = restarts >= 1 && code.is_some_and(|code| code != 0);
    if !(crashed || looping || restarts >= MOST_RESTARTS) {
        return None;
    }
    let reason = ended.map_or("", |ended| text(ended, "/reason"));
    let why = match code {
        Some(code) => format!("its process ended with exit code {code}{}", in_words(reason)),
        None => "its process ended".to_owned(),
    };
    let report = Report::new(Code::DeployFailed, "the new version crashes").why(why);
    Some(match reason {
        "OOMKilled" => report.fix(
            "deployment/values.yaml: resources.limits.memory",
            "gives the app more memory, or removes the limit",
        ),
        _ => report,
    })
}

/// ` (reason)`, unless it says no more than the exit code does.
fn in_words(reason: &str) -> String {
    match reason {
        "" | "Error" | "Completed" => String::new(),
        other => format!(" ({other})"),
    }
}

fn told(reason: &str, message: &str) -> String {
    if message.is_empty() {
        reason.to_owned()
    } else {
        format!("{reason}: {}", message.chars().take(400).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, template: &str, ready: &str, container: &Value) -> Value {
        json!({
            "metadata": {"name": name, "labels": {TEMPLATE: template}},
            "status": {
                "conditions": [{"type": "Ready", "status": ready}],
                "containerStatuses": [container],
            },
        })
    }

    fn slice(endpoints: &[(&str, bool)]) -> Value {
        let endpoints: Vec<_> = endpoints
            .iter()
            .map(|(name, ready)| json!({"conditions": {"ready": ready}, "targetRef": {"name": name}}))
            .collect();
        json!({"endpoints": endpoints})
    }

    fn word(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Waiting(what) => format!("waiting: {what}"),
            Verdict::Started(what) => format!("started: {what}"),
            Verdict::Offered => "offered".to_owned(),
            Verdict::Failed(report) => format!(
                "failed: {}; {}",
                report.title,
                report.labels.last().map_or("", |(_, text)| text)
            ),
        }
    }

    #[test]
    fn the_new_version_is_told_from_the_old() {
        let running = json!({"restartCount": 0, "state": {"running": {}}});
        let creating =
            json!({"restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}});
        let old = pod("old", "1", "True", &running);
        let mut leaving = pod("new", "2", "True", &running);
        leaving["metadata"]["deletionTimestamp"] = json!("now");
        for (pods, slices, expected) in [
            (vec![], vec![], "waiting: a pod to be made"),
            (vec![old.clone()], vec![slice(&[("old", true)])], "waiting: a pod to be made"),
            (vec![leaving], vec![slice(&[("new", true)])], "waiting: a pod to be made"),
            (
                vec![old.clone(), pod("new", "2", "False", &creating)],
                vec![slice(&[("old", true)])],
                "waiting: the pod to start (ContainerCreating)",
            ),
            (
                vec![old.clone(), pod("new", "2", "False", &running)],
                vec![slice(&[("old", true), ("new", false)])],
                "started: the app to become ready",
            ),
            (
                vec![old.clone(), pod("new", "2", "True", &running)],
                vec![slice(&[("old", true), ("new", true)])],
                "started: the service to lead to the new pod alone",
            ),
            (
                vec![old.clone(), pod("new", "2", "True", &running)],
                vec![slice(&[]), slice(&[("old", false), ("new", true)])],
                "offered",
            ),
            (
                vec![pod("new", "2", "True", &running)],
                vec![],
                "started: the service to lead to the new pod alone",
            ),
        ] {
            assert_eq!(word(&judge(&pods, &slices, "2")), expected, "{pods:?} {slices:?}");
        }
    }

    #[test]
    fn a_version_that_will_not_start_is_seen_early() {
        let waiting = |reason: &str| json!({"waiting": {"reason": reason, "message": "m"}});
        let ended =
            |code: i64, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason}});
        for (container, expected) in [
            (
                json!({"image": "r/a:1", "restartCount": 0, "state": waiting("ErrImagePull")}),
                "failed: the cluster cannot get the app's image; ErrImagePull: m",
            ),
            (
                json!({"restartCount": 0, "state": waiting("CreateContainerConfigError")}),
                "failed: the app's container cannot be made; CreateContainerConfigError: m",
            ),
            (
                // Once may be chance: the next start may find what this one missed.
                json!({"restartCount": 0, "state": ended(1, "Error")}),
                "waiting: the pod to start",
            ),
            (
                json!({"restartCount": 1, "state": {"running": {}}, "lastState": ended(134, "Error")}),
                "failed: the new version crashes; its process ended with exit code 134",
            ),
            (
                json!({"restartCount": 1, "state": waiting("CrashLoopBackOff"), "lastState": ended(137, "OOMKilled")}),
                "failed: the new version crashes; its process ended with exit code 137 (OOMKilled)",
            ),
            (
                json!({"restartCount": 2, "state": {"running": {}}, "lastState": ended(0, "Completed")}),
                "started: the app to become ready",
            ),
            (
                json!({"restartCount": 3, "state": {"running": {}}, "lastState": ended(0, "Completed")}),
                "failed: the new version crashes; its process ended with exit code 0",
            ),
        ] {
            let pods = [pod("new", "2", "False", &container)];
            assert_eq!(word(&judge(&pods, &[], "2")), expected, "{container}");
        }
    }

    #[test]
    fn who_serves_on_is_known() {
        let running = json!({"state": {"running": {}}});
        let pods = [pod("old", "1", "True", &running), pod("new", "2", "False", &running)];
        assert!(another_serves(&pods, &[slice(&[("old", true)])], "2"));
        assert!(!another_serves(&pods, &[slice(&[("old", false)])], "2"));
        assert!(!another_serves(&pods, &[slice(&[("new", true)])], "2"));
        assert!(others(&pods, "2") && !others(&pods[1..], "2"));
        assert_eq!(witness(&pods, "2"), Some(("new", false)));
        assert_eq!(witness(&pods, "3"), None);
    }
}
