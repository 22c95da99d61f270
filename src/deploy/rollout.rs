//! Watches a release until its new version answers through the router, or will not.
//!
//! Helm returns when the objects are applied; asking it to wait would cost two seconds (it polls). A patch of the image
//! returns as early. Here one watch on pods and one on endpoint slices tell each change within milliseconds. Live means all of: a pod of the new version is
//! ready, the service leads to the new version alone, and a request through the router is answered.
//!
//! A failed rollout is left as it is: the Deployment keeps the old pod until the new one is ready, so what served
//! before serves on, and the next version replaces both.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::progress::{TEMPLATE, Verdict, another_serves, judge, others, witness};
use super::release::{ReleaseSpec, deployments};
use crate::events::{Stage, StepScope};
use crate::model::{AppId, Code, Label, Report};
use crate::sys::helm::NAMESPACE;
use crate::sys::http::{Http, chain};
use crate::sys::kube::{DEPLOYMENT, Kube, POD, Sort, number, text};

const REPLICA_SET: Sort<'static> = Sort::new("apps/v1", "ReplicaSet");
const ENDPOINT_SLICE: Sort<'static> = Sort::new("discovery.k8s.io/v1", "EndpointSlice");

/// The annotation in which a Deployment's controller counts versions.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// The pause between two requests through the router.
const PERIOD: Duration = Duration::from_millis(20);

/// How long a single answer may take: the first request makes an app compile itself.
const ANSWER: Duration = Duration::from_secs(10);

/// How long Traefik may go on asking the old pod after the service leads away from it: it gathers changes before it takes
/// them up, and nothing tells when it did. Measured on two cores with twice and more their work: up to 480 ms, half of it
/// otherwise. An answer before that proves nothing, and a browser told to reload would show the old version.
const SETTLED: Duration = Duration::from_millis(500);

/// What Traefik says when it knows no route, which is no answer of the app.
const NO_ROUTE: &str = "404 page not found";

/// How many of an app's last lines are shown.
const LINES: i64 = 15;

/// A new version that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// The status of the first answer through the router, below 500.
    pub status: u16,
    /// `start` (a process runs), `ready` (the service leads to it), `served` (it answered); they follow each other.
    pub stages: Vec<Stage>,
}

/// The way to an app through the router.
#[derive(Debug, Clone)]
pub struct Front {
    /// The client.
    pub http: Http,
    /// The router's port on 127.0.0.1.
    pub port: u16,
    /// The name under which the organisation's apps are served, without port.
    pub host: String,
}

/// Waits until the version that `release` or `patch` just brought about answers. Dropping the future stops the waiting only.
pub async fn wait(
    kube: &Kube,
    spec: &ReleaseSpec,
    front: &Front,
    patience: Duration,
    scope: &StepScope,
) -> Result<Rollout, Report> {
    let end = Instant::now() + patience;
    let template = template(kube, spec, patience).await?;
    let mut watched = Watched::new(kube, spec, front, scope, template);
    let result = match timeout_at(end, watched.run()).await {
        Ok(result) => result,
        Err(_) => Err(watched.late(patience)),
    };
    match result {
        Ok(rollout) => Ok(rollout),
        Err(report) => Err(watched.explain(report).await),
    }
}

/// Which pods belong to the new version: the template hash of the newest version, once the Deployment's controller has
/// seen what was applied.
async fn template(kube: &Kube, spec: &ReleaseSpec, patience: Duration) -> Result<String, Report> {
    let labels = format!("release={}", spec.release);
    let missing = || {
        Report::new(Code::DeployFailed, "the app's Deployment is not in the cluster")
            .at(spec.release.clone())
            .fix("altinn-local up", "installs it again")
    };
    // Read from the store itself. A watch may begin with the past, and take the old version for the new one.
    let deployments = deployments(kube, &spec.release).await?;
    let deployment = deployments.first().ok_or_else(missing)?;
    let applied = number(deployment, "/metadata/generation");
    if number(deployment, "/status/observedGeneration") < applied {
        let name = text(deployment, "/metadata/name");
        kube.until(DEPLOYMENT, NAMESPACE, Some(name), patience, |now| {
            number(now, "/status/observedGeneration") >= applied
        })
        .await?
        .ok_or_else(|| {
            Report::new(Code::DeployTimedOut, "the cluster did not take up the new version")
                .why("its controller did not look at the Deployment in time")
        })?;
    }
    let sets = kube.list(REPLICA_SET, NAMESPACE, &labels).await?;
    newest(&sets).ok_or_else(missing)
}

/// The template hash of the newest version.
fn newest(sets: &[Value]) -> Option<String> {
    let revision = |set: &Value| -> u64 {
        let annotations = set.pointer("/metadata/annotations");
        let told = annotations.and_then(|all| all.get(REVISION)).and_then(Value::as_str);
        told.and_then(|told| told.parse().ok()).unwrap_or(0)
    };
    let newest = sets.iter().max_by_key(|set| revision(set))?;
    let hash = text(newest, &format!("/metadata/labels/{TEMPLATE}"));
    (!hash.is_empty()).then(|| hash.to_owned())
}

/// What is known of a rollout so far.
struct Watched<'a> {
    kube: &'a Kube,
    spec: &'a ReleaseSpec,
    front: &'a Front,
    scope: &'a StepScope,
    template: String,
    pods: Option<Vec<Value>>,
    slices: Option<Vec<Value>>,
    /// What is waited for, as told last.
    waiting: String,
    /// What the router said last that does not count as an answer.
    refused: Option<String>,
    /// Whether pods of another version were there.
    replaces: bool,
    began: Instant,
    started: Option<Instant>,
    /// Since when the service leads to the new version alone.
    offered: Option<Instant>,
}

impl<'a> Watched<'a> {
    fn new(
        kube: &'a Kube,
        spec: &'a ReleaseSpec,
        front: &'a Front,
        scope: &'a StepScope,
        template: String,
    ) -> Self {
        Self {
            kube,
            spec,
            front,
            scope,
            template,
            pods: None,
            slices: None,
            waiting: String::new(),
            refused: None,
            replaces: false,
            began: Instant::now(),
            started: None,
            offered: None,
        }
    }

    async fn run(&mut self) -> Result<Rollout, Report> {
        let labels = format!("release={}", self.spec.release);
        let mut pods = pin!(self.kube.follow(POD, NAMESPACE, &labels));
        let mut slices = pin!(self.kube.follow(ENDPOINT_SLICE, NAMESPACE, &labels));
        let mut next_request = Instant::now();
        loop {
            tokio::select! {
                // Changes first: a request is worth nothing when the pod behind it is gone.
                biased;
                Some(now) = pods.next() => self.pods = Some(now),
                Some(now) = slices.next() => self.slices = Some(now),
                () = sleep_until(next_request), if self.offered.is_some() => {
                    if let Some(status) = self.ask().await {
                        return Ok(self.done(status));
                    }
                    next_request = Instant::now() + PERIOD;
                    continue;
                }
            }
            let was_offered = self.offered.is_some();
            self.look()?;
            if let (false, Some(offered)) = (was_offered, self.offered) {
                next_request = if self.replaces { offered + SETTLED } else { offered };
            }
        }
    }

    /// Judges what was seen, once both watches have told the present state.
    fn look(&mut self) -> Result<(), Report> {
        let (Some(pods), Some(slices)) = (&self.pods, &self.slices) else {
            return Ok(());
        };
        let now = Instant::now();
        self.replaces |= others(pods, &self.template);
        match judge(pods, slices, &self.template) {
            Verdict::Waiting(what) => {
                self.offered = None;
                self.tell(what);
            }
            Verdict::Started(what) => {
                self.started.get_or_insert(now);
                self.offered = None;
                self.tell(what);
            }
            Verdict::Offered => {
                self.started.get_or_insert(now);
                self.offered.get_or_insert(now);
                self.tell("an answer through the router".to_owned());
            }
            Verdict::Failed(report) => return Err(*report),
        }
        Ok(())
    }

    fn tell(&mut self, what: String) {
        if self.waiting != what {
            self.scope.detail(format!("waits for {what}"));
            self.waiting = what;
        }
    }

    /// One request through the router; the status when the app itself answered without an error of its own.
    async fn ask(&mut self) -> Option<u16> {
        let path = format!("/{}", self.spec.app);
        let request = self.front.http.request(
            reqwest::Method::GET,
            self.front.port,
            Some(&self.front.host),
            &path,
        );
        let answer = match request.timeout(ANSWER).send().await {
            Ok(answer) => answer,
            Err(error) => {
                self.refused = Some(format!("the router gave no answer: {}", chain(&error)));
                return None;
            }
        };
        let status = answer.status().as_u16();
        if status >= 500 {
            self.refused = Some(format!("GET {path} through the router answers {status}"));
            return None;
        }
        if status == 404 && answer.text().await.is_ok_and(|text| text.trim() == NO_ROUTE) {
            self.refused = Some(format!("Traefik knows no route to {path}"));
            return None;
        }
        Some(status)
    }

    fn done(&self, status: u16) -> Rollout {
        let now = Instant::now();
        let started = self.started.unwrap_or(now);
        let offered = self.offered.unwrap_or(now);
        let stage = |name: &str, from: Instant, to: Instant| Stage {
            name: name.to_owned(),
            ms: u64::try_from((to - from).as_millis()).unwrap_or(u64::MAX),
        };
        Rollout {
            status,
            stages: vec![
                stage("start", self.began, started),
                stage("ready", started, offered),
                stage("served", offered, now),
            ],
        }
    }

    /// The report when the time is over.
    fn late(&self, patience: Duration) -> Report {
        let title = format!("the new version did not answer within {} s", patience.as_secs());
        let report = Report::new(Code::DeployTimedOut, title);
        let report = match &self.waiting {
            waiting if waiting.is_empty() => report.why("the cluster told nothing about its pods"),
            waiting => report.why(format!("it still waits for {waiting}")),
        };
        let report = match (&self.refused, self.offered) {
            (Some(refused), Some(_)) => report.why(refused),
            _ => report,
        };
        report.fix("deploy.timeout", "give the app more time in altinn-local.yaml")
    }

    /// Adds what the app said last, and what serves meanwhile.
    async fn explain(&self, report: Report) -> Report {
        let pods = self.pods.as_deref().unwrap_or_default();
        let slices = self.slices.as_deref().unwrap_or_default();
        let served = if another_serves(pods, slices, &self.template) {
            "the version before it serves on"
        } else {
            "no version of the app serves"
        };
        let tail = match witness(pods, &self.template) {
            Some((pod, restarted)) => self.kube.last_words(NAMESPACE, pod, LINES, restarted).await,
            None => Vec::new(),
        };
        report
            .label(Label::Without, served)
            .with_tail(tail)
            .fix(format!("altinn-local logs {}", self.spec.app), "shows all that the app says")
    }
}

/// The last lines of what an app said.
pub async fn last_words(kube: &Kube, app: &AppId) -> Vec<String> {
    let labels = format!("release={}", app.release());
    let pods = kube.list(POD, NAMESPACE, &labels).await.unwrap_or_default();
    match pods.last() {
        Some(pod) => kube.last_words(NAMESPACE, text(pod, "/metadata/name"), LINES, false).await,
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_version_has_the_highest_revision() {
        let set = |revision: &str, hash: &str| json!({"metadata": {"annotations": {REVISION: revision}, "labels": {TEMPLATE: hash}}});
        let sets = [set("9", "a"), set("10", "b"), set("2", "c")];
        assert_eq!(newest(&sets).as_deref(), Some("b"));
        assert_eq!(newest(&[]), None);
    }
}
