//! A release: what is wanted of it, what it renders to, what Helm's record tells, and how it is brought about.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::overlay::{self, Probes};
use super::patch::{Mark, clear_mark};
use super::{chart, values};
use crate::events::StepScope;
use crate::model::{
    App, AppId, Code, FoundApp, FoundRelease, ImageRef, ReleaseStatus, Report, short_hash,
};
use crate::sys::helm::{Helm, NAMESPACE};
use crate::sys::kube::{DEPLOYMENT, Kube, Sort, number, text};

/// The label on Helm's record of a release: the hash of chart and values that it was made from.
const HASH: &str = "altinn-local-hash";

/// The label on Helm's record of a release: the tag of its image, of at most 63 characters.
const TAG: &str = "altinn-local-tag";

/// The name of the Service, `<release>-deployment`, must not be longer than 63 characters.
const LONGEST: usize = 52;

/// What Helm keeps its records in.
const SECRET: Sort<'static> = Sort::new("v1", "Secret");

/// A release as it should be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReleaseSpec {
    /// The app.
    pub app: AppId,
    /// The release's name, `<org>-<app>`.
    pub release: String,
    /// The image, as the cluster's node names it.
    pub image: ImageRef,
    /// All values but the chart's own.
    pub values: Value,
    /// Changes with the chart, the values and the image.
    pub hash: String,
}

/// The release of an app with this image, and what the app's author should know. Reads files of the repository
/// only. `host` is the name under which the organisation's apps are served, without port; `deployment` is Designer's
/// number of the deployment, when it comes from there.
pub fn spec(
    app: &App,
    image: &ImageRef,
    host: &str,
    deployment: Option<&str>,
) -> Result<(ReleaseSpec, Vec<Report>), Report> {
    let release = app.id.release();
    if release.len() > LONGEST {
        return Err(Report::new(
            Code::NameInvalid,
            "the app's name is too long for its objects in the cluster",
        )
        .why(format!("`{release}` has {} characters, {LONGEST} fit", release.len()))
        .fix("App/config/applicationmetadata.json", "a shorter `id`"));
    }
    let (own, notices) = values::read(app)?;
    let probes = Probes::of(&values::over_defaults(&own)?);
    let values = values::merge(own, overlay::render(&app.id, image, host, deployment, &probes)?);
    let spec = ReleaseSpec {
        app: app.id.clone(),
        release,
        image: image.clone(),
        hash: short_hash(&(chart::hash(), &values)),
        values,
    };
    Ok((spec, notices))
}

/// The objects that the release consists of, as YAML in the order in which Helm installs them. Needs no cluster.
pub async fn render(helm: &Helm, cache: &Path, spec: &ReleaseSpec) -> Result<String, Report> {
    helm.template(&spec.release, &chart::unpack(cache)?, &spec.values).await.map_err(with_fix)
}

/// The chart is ours, so what Helm or the cluster refuses stems from the app's values.
fn with_fix(report: Report) -> Report {
    report.fix("deployment/values.yaml", "correct the value that the reason names")
}

/// What Helm's record tells about an app's release, and whether its newest version is ready. Reads labels, not values.
/// What became live without Helm is not in the record: a mark on the Deployment tells of it, or its image does.
pub async fn observe(kube: &Kube, app: &AppId) -> Result<Option<FoundRelease>, Report> {
    let release = app.release();
    let records = records(kube, &release).await?;
    let Some(newest) = records.last() else {
        return Ok(None);
    };
    let deployments = deployments(kube, &release).await?;
    let serving = deployments.first().and_then(tag_of);
    let mark = deployments.first().and_then(Mark::of);
    Ok(Some(FoundRelease {
        revision: newest.revision,
        status: newest.status(),
        hash: newest.hash_of(serving.as_deref(), mark),
        ready: !deployments.is_empty() && deployments.iter().all(is_rolled_out),
    }))
}

/// What runs in a cluster.
pub async fn running(kube: &Kube) -> Result<Vec<FoundApp>, Report> {
    let deployments = kube.list(DEPLOYMENT, NAMESPACE, "release").await?;
    let told = deployments.iter().filter_map(|deployment| {
        let release = text(deployment, "/metadata/labels/release").to_owned();
        Some(FoundApp { release, tag: tag_of(deployment)?, ready: is_rolled_out(deployment) })
    });
    Ok(told.collect())
}

/// The Deployments of a release: one, or none.
pub(super) async fn deployments(kube: &Kube, release: &str) -> Result<Vec<Value>, Report> {
    kube.list(DEPLOYMENT, NAMESPACE, &format!("release={release}")).await
}

/// The tag of the image that a Deployment makes pods of.
pub(super) fn tag_of(deployment: &Value) -> Option<String> {
    let image = text(deployment, "/spec/template/spec/containers/0/image");
    (!image.is_empty()).then(|| ImageRef::parse(image).tag)
}

/// Helm and what it needs for one organisation's cluster.
#[derive(Debug, Clone)]
pub struct Installer {
    /// The program.
    pub helm: Helm,
    /// Our own file for this cluster.
    pub kubeconfig: PathBuf,
    /// Where the chart is unpacked.
    pub cache: PathBuf,
}

impl Installer {
    /// Installs or upgrades the release and tells its revision; the pods come after (see [`super::rollout`]). A
    /// release that was cut off in the middle is healed first: whoever calls holds the stack's lock, so no other
    /// Helm is still at work on it.
    ///
    /// Do not drop the future before it ends: Helm would be killed, and the release left to be healed.
    pub async fn release(
        &self,
        kube: &Kube,
        spec: &ReleaseSpec,
        scope: &StepScope,
    ) -> Result<u32, Report> {
        // Before Helm: a mark must never stand for what is not there any more.
        for deployment in deployments(kube, &spec.release).await? {
            clear_mark(kube, &deployment).await?;
        }
        self.upgrade(kube, spec, scope).await
    }

    /// The same without a word on what is in place: see [`super::patch::settle`].
    pub(super) async fn upgrade(
        &self,
        kube: &Kube,
        spec: &ReleaseSpec,
        scope: &StepScope,
    ) -> Result<u32, Report> {
        // Helm goes by the file alone, so the check that it leads to our cluster is ours to make.
        kube.check_identity().await?;
        let chart = chart::unpack(&self.cache)?;
        self.heal(&spec.release, &records(kube, &spec.release).await?, scope).await?;
        self.helm
            .upgrade_install(
                &self.kubeconfig,
                &spec.release,
                &chart,
                &spec.values,
                &[(HASH, &spec.hash), (TAG, &spec.image.tag)],
                |line| scope.log(line),
            )
            .await
            .map_err(with_fix)
    }

    async fn heal(
        &self,
        release: &str,
        records: &[Record],
        scope: &StepScope,
    ) -> Result<(), Report> {
        match healing(records) {
            Healing::None => Ok(()),
            Healing::Rollback(revision) => {
                scope.detail(format!("heals a cut-off release: back to revision {revision}"));
                self.helm.rollback(&self.kubeconfig, release, revision).await
            }
            Healing::Uninstall => {
                scope.detail("heals a cut-off release: removes what was installed of it");
                self.helm.uninstall(&self.kubeconfig, release).await
            }
        }
    }

    /// Removes an app's release with its objects; one that is not there is no error. The same care as with
    /// [`Installer::release`]: do not drop the future.
    pub async fn remove(&self, kube: &Kube, app: &AppId) -> Result<(), Report> {
        kube.check_identity().await?;
        self.helm.uninstall(&self.kubeconfig, &app.release()).await
    }
}

/// One of Helm's records: a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    revision: u32,
    /// Helm's word: `deployed`, `superseded`, `failed`, `pending-install`, …
    status: String,
    hash: Option<String>,
    tag: Option<String>,
}

impl Record {
    fn of(labels: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            revision: labels.get("version")?.parse().ok()?,
            status: labels.get("status")?.clone(),
            hash: labels.get(HASH).cloned(),
            tag: labels.get(TAG).cloned(),
        })
    }

    /// The hash of what serves, when the Deployment's image has the tag `serving`; none when it is not known.
    fn hash_of(&self, serving: Option<&str>, mark: Option<Mark>) -> Option<String> {
        match (serving, mark) {
            (Some(serving), Some(mark)) if mark.tag == serving => Some(mark.hash),
            (Some(serving), _) if self.tag.as_deref().is_some_and(|tag| tag != serving) => None,
            _ => self.hash.clone(),
        }
    }

    fn status(&self) -> ReleaseStatus {
        match self.status.as_str() {
            "deployed" | "superseded" => ReleaseStatus::Deployed,
            "uninstalling" => ReleaseStatus::Pending,
            status if status.starts_with("pending-") => ReleaseStatus::Pending,
            _ => ReleaseStatus::Failed,
        }
    }
}

/// What must be done before Helm accepts an upgrade.
#[derive(Debug, PartialEq, Eq)]
enum Healing {
    None,
    Rollback(u32),
    Uninstall,
}

fn healing(records: &[Record]) -> Healing {
    let Some(newest) = records.last() else {
        return Healing::None;
    };
    if newest.status() != ReleaseStatus::Pending {
        return Healing::None;
    }
    // A rollback that was cut off has superseded the last good revision already, and marked no other as deployed.
    let good = records.iter().rfind(|record| record.status() == ReleaseStatus::Deployed);
    match good {
        Some(good) if newest.status != "uninstalling" => Healing::Rollback(good.revision),
        _ => Healing::Uninstall,
    }
}

async fn records(kube: &Kube, release: &str) -> Result<Vec<Record>, Report> {
    let labels = kube.labels_of(SECRET, NAMESPACE, &format!("owner=helm,name={release}")).await?;
    Ok(in_order(&labels))
}

/// Helm's records by revision.
fn in_order(labels: &[BTreeMap<String, String>]) -> Vec<Record> {
    let mut records: Vec<_> = labels.iter().filter_map(Record::of).collect();
    records.sort_by_key(|record| record.revision);
    records
}

/// Whether a Deployment's newest version, and only that, is ready; the rule of `kubectl rollout status`.
fn is_rolled_out(deployment: &Value) -> bool {
    let number = |pointer: &str| number(deployment, pointer);
    let wanted = deployment.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    number("/status/observedGeneration") >= number("/metadata/generation")
        && number("/status/updatedReplicas") >= wanted
        && number("/status/replicas") == number("/status/updatedReplicas")
        && number("/status/availableReplicas") >= wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(statuses: &[(&str, &str)]) -> Vec<Record> {
        let labels: Vec<BTreeMap<String, String>> = statuses
            .iter()
            .map(|(version, status)| {
                let labels = [("version", *version), ("status", *status), (HASH, "abc")];
                labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
            })
            .collect();
        in_order(&labels)
    }

    #[test]
    fn cut_off_releases_are_healed() {
        for (records, expected) in [
            (&[][..], Healing::None),
            (&[("1", "deployed")], Healing::None),
            (&[("1", "failed")], Healing::None),
            (&[("1", "pending-install")], Healing::Uninstall),
            (&[("1", "failed"), ("2", "pending-upgrade")], Healing::Uninstall),
            (&[("10", "pending-upgrade"), ("9", "deployed")], Healing::Rollback(9)),
            (
                &[("1", "superseded"), ("2", "deployed"), ("3", "pending-rollback")],
                Healing::Rollback(2),
            ),
            (
                &[("1", "superseded"), ("2", "pending-upgrade"), ("3", "pending-rollback")],
                Healing::Rollback(1),
            ),
            (&[("1", "superseded"), ("2", "uninstalling")], Healing::Uninstall),
        ] {
            assert_eq!(healing(&of(records)), expected, "{records:?}");
        }
    }

    #[test]
    fn what_serves_need_not_be_what_helm_installed() {
        let mark = |tag: &str| Some(Mark { tag: tag.to_owned(), hash: "marked".to_owned() });
        for (recorded, serving, mark, expected) in [
            (Some("1"), Some("1"), None, Some("helm")),
            (None, Some("1"), None, Some("helm")),
            (Some("1"), None, None, Some("helm")),
            (Some("1"), Some("2"), None, None),
            (Some("1"), Some("1"), mark("1"), Some("marked")),
            (Some("1"), Some("2"), mark("2"), Some("marked")),
            (Some("2"), Some("2"), mark("1"), Some("helm")),
            (Some("1"), Some("2"), mark("1"), None),
        ] {
            let record = Record {
                revision: 1,
                status: "deployed".to_owned(),
                hash: Some("helm".to_owned()),
                tag: recorded.map(str::to_owned),
            };
            assert_eq!(
                record.hash_of(serving, mark).as_deref(),
                expected,
                "{recorded:?} {serving:?}"
            );
        }
    }

    #[test]
    fn rolled_out_means_only_the_new_version() {
        let deployment = |generation: i64, updated: i64, all: i64, available: i64| {
            json!({
                "metadata": {"generation": generation},
                "spec": {"replicas": 1},
                "status": {"observedGeneration": 2, "updatedReplicas": updated, "replicas": all,
                    "availableReplicas": available},
            })
        };
        for (deployment, expected) in [
            (deployment(2, 1, 1, 1), true),
            (deployment(3, 1, 1, 1), false),
            (deployment(2, 1, 2, 1), false),
            (deployment(2, 0, 1, 1), false),
            (deployment(2, 1, 1, 0), false),
            (json!({}), false),
        ] {
            assert_eq!(is_rolled_out(&deployment), expected, "{deployment}");
        }
    }
}
