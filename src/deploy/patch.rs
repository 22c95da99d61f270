//! What becomes live without Helm: another image, and files that were written into running containers.
//!
//! Helm's record is brought up to date afterwards ([`settle`]). Until then the Deployment itself tells the truth: by its
//! image, which is then not the record's, and by a mark on it ([`mark_in_place`]), which is not part of its pods, so that
//! setting it restarts nothing.

use std::time::Duration;

use serde_json::{Value, json};

use super::release::{Installer, ReleaseSpec, deployments};
use crate::events::StepScope;
use crate::model::{AppId, Code, ImageRef, Report};
use crate::sys::helm::NAMESPACE;
use crate::sys::kube::{DEPLOYMENT, Kube, number, text};

/// The annotation on a Deployment that serves more than its image holds: `TAG HASH`.
const IN_PLACE: &str = "no.altinn.local/in-place";

/// The name in which the mark is applied. Not the one in which images are: applying the mark would take the image back.
const MARKER: &str = "altinn-local-in-place";

/// The annotation of pods that kubectl sets for the same purpose, and the name in which it is applied.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";
const RESTARTER: &str = "altinn-local-restart";

/// How long a Deployment's controller is waited for; what is late is late, and nothing depends on it.
const SEEN: Duration = Duration::from_secs(2);

/// Whether two releases of an app differ in their image alone, so that [`patch`] leads from one to the other.
#[must_use]
pub fn differ_in_image_alone(old: &ReleaseSpec, new: &ReleaseSpec) -> bool {
    old.release == new.release && without_image(old) == without_image(new)
}

fn without_image(spec: &ReleaseSpec) -> Value {
    let mut values = spec.values.clone();
    if let Some(tag) = values.pointer_mut("/image/tag") {
        *tag = Value::Null;
    }
    let variables = values.pointer_mut("/image/environment").and_then(Value::as_array_mut);
    for variable in variables.into_iter().flatten().filter(|one| names_image(one, spec)) {
        variable["value"] = Value::Null;
    }
    values
}

/// Whether a variable of the app tells the image's tag, as `AppSettings__AppVersion` does.
fn names_image(variable: &Value, spec: &ReleaseSpec) -> bool {
    text(variable, "/value") == spec.image.tag
}

/// Gives the Deployment the image of `spec`, and the variables that tell of it: all that a release changes which differs
/// in its image alone. [`super::rollout::wait`] tells when it is live.
pub async fn patch(kube: &Kube, spec: &ReleaseSpec) -> Result<(), Report> {
    let deployment = deployment(kube, &spec.release).await?;
    clear_mark(kube, &deployment).await?;
    kube.apply(&[change(&deployment, spec)]).await
}

fn change(deployment: &Value, spec: &ReleaseSpec) -> Value {
    let variables = spec.values.pointer("/image/environment").and_then(Value::as_array);
    let variables = variables.into_iter().flatten().filter(|one| names_image(one, spec));
    let container = json!({
        "name": text(deployment, "/spec/template/spec/containers/0/name"),
        "image": spec.image.to_string(),
        "env": variables.collect::<Vec<_>>(),
    });
    let mut part = part(deployment);
    part["spec"] = json!({"template": {"spec": {"containers": [container]}}});
    part
}

/// Replaces the app's pods by new ones of the same image, one after another, as `kubectl rollout restart` does: what
/// was written into the old ones is not in the new.
pub async fn restart(kube: &Kube, app: &AppId) -> Result<(), Report> {
    let deployment = deployment(kube, &app.release()).await?;
    let mut part = part(&deployment);
    let now = jiff::Timestamp::now().to_string();
    part["spec"] = json!({"template": {"metadata": {"annotations": {RESTARTED: now}}}});
    kube.apply_as(RESTARTER, &part).await
}

/// Brings Helm's record up to date with what [`patch`] made live; tells the revision. No pod is replaced by it. The same
/// care as with [`Installer::release`]: do not drop the future.
pub async fn settle(
    installer: &Installer,
    kube: &Kube,
    spec: &ReleaseSpec,
    scope: &StepScope,
) -> Result<u32, Report> {
    installer.upgrade(kube, spec, scope).await
}

/// What serves besides the image: files that were written into containers of the image with this tag make it the release
/// with this hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) tag: String,
    pub(super) hash: String,
}

impl Mark {
    /// The mark on a Deployment, whatever image that has now.
    pub(super) fn of(deployment: &Value) -> Option<Self> {
        let annotations = deployment.pointer("/metadata/annotations")?;
        let (tag, hash) = annotations.get(IN_PLACE)?.as_str()?.split_once(' ')?;
        Some(Self { tag: tag.to_owned(), hash: hash.to_owned() })
    }
}

/// Notes that the containers of the image with this tag serve the release with this hash, because files were written into
/// them. It holds until the next [`patch`] or release.
pub async fn mark_in_place(
    kube: &Kube,
    app: &AppId,
    image_tag: &str,
    release_hash: &str,
) -> Result<(), Report> {
    let deployment = deployment(kube, &app.release()).await?;
    let wanted = Mark { tag: image_tag.to_owned(), hash: release_hash.to_owned() };
    if Mark::of(&deployment) == Some(wanted) {
        return Ok(());
    }
    mark(kube, &deployment, &json!({IN_PLACE: format!("{image_tag} {release_hash}")})).await?;
    // Annotations count as a change of the Deployment, though not of its pods. Until its controller has seen it, some
    // milliseconds later, it looks as if it were not rolled out.
    let before = number(&deployment, "/metadata/generation");
    let name = text(&deployment, "/metadata/name");
    let seen = |now: &Value| number(now, "/status/observedGeneration") > before;
    kube.until(DEPLOYMENT, NAMESPACE, Some(name), SEEN, seen).await.map(drop)
}

/// The tag of the image that the app's Deployment has now.
pub async fn running_tag(kube: &Kube, app: &AppId) -> Result<String, Report> {
    let deployment = deployment(kube, &app.release()).await?;
    let image = text(&deployment, "/spec/template/spec/containers/0/image");
    Ok(ImageRef::parse(image).tag)
}

/// Takes the mark off a Deployment that has one.
pub(super) async fn clear_mark(kube: &Kube, deployment: &Value) -> Result<(), Report> {
    match Mark::of(deployment) {
        Some(_) => mark(kube, deployment, &json!({})).await,
        None => Ok(()),
    }
}

async fn mark(kube: &Kube, deployment: &Value, annotations: &Value) -> Result<(), Report> {
    let mut part = part(deployment);
    part["metadata"]["annotations"] = annotations.clone();
    kube.apply_as(MARKER, &part).await
}

async fn deployment(kube: &Kube, release: &str) -> Result<Value, Report> {
    deployments(kube, release).await?.into_iter().next().ok_or_else(|| {
        Report::new(Code::DeployFailed, "the app's Deployment is not in the cluster")
            .at(release)
            .fix("altinn-local up", "installs it again")
    })
}

/// The beginning of what is applied to a Deployment.
fn part(deployment: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": NAMESPACE, "name": text(deployment, "/metadata/name")},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(tag: &str, replicas: u64) -> ReleaseSpec {
        let variables = [("AppSettings__AppVersion", tag), ("Other", "x")];
        let variables = variables.map(|(name, value)| json!({"name": name, "value": value}));
        ReleaseSpec {
            app: "ttd/demo".parse().unwrap(),
            release: "ttd-demo".to_owned(),
            image: ImageRef::new("registry/ttd-demo", tag),
            values: json!({"replicaCount": replicas, "image": {"tag": tag, "environment": variables}}),
            hash: tag.to_owned(),
        }
    }

    #[test]
    fn only_the_image_and_what_tells_of_it_is_patched() {
        let deployment = json!({
            "metadata": {"name": "ttd-demo-deployment-v2", "resourceVersion": "5"},
            "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "deployment", "image": "old"}]}}},
        });
        let expected = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"namespace": "default", "name": "ttd-demo-deployment-v2"},
            "spec": {"template": {"spec": {"containers": [{
                "name": "deployment",
                "image": "registry/ttd-demo:2",
                "env": [{"name": "AppSettings__AppVersion", "value": "2"}],
            }]}}},
        });
        assert_eq!(change(&deployment, &spec("2", 1)), expected);
    }

    #[test]
    fn a_patch_leads_to_another_image_and_to_nothing_else() {
        assert!(differ_in_image_alone(&spec("1", 1), &spec("2", 1)));
        assert!(differ_in_image_alone(&spec("1", 1), &spec("1", 1)));
        assert!(!differ_in_image_alone(&spec("1", 1), &spec("2", 2)));
    }

    #[test]
    fn marks_are_read_back() {
        let deployment =
            |mark: &str| json!({"metadata": {"annotations": {IN_PLACE: mark, "other": "1 2"}}});
        let mark = Mark { tag: "c-1".to_owned(), hash: "h".to_owned() };
        assert_eq!(Mark::of(&deployment("c-1 h")), Some(mark));
        assert_eq!(Mark::of(&deployment("c-1")), None);
        assert_eq!(Mark::of(&json!({"metadata": {}})), None);
    }
}
