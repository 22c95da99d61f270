//! A cluster's API, without discovery calls: server-side apply, reads and watches of plain JSON objects.
//!
//! Only clusters that we made ourselves are spoken to; see `access` for what is refused and why.

mod access;
mod follow;
mod pods;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, pin_mut};
use kube::api::{
    ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, WatchEvent,
    WatchParams,
};
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::calls::Calls;
use crate::model::{Code, Report};
pub use pods::Trouble;

/// The name under which the API server remembers which fields are ours.
const MANAGER: &str = "altinn-local";

/// How long an object is offered again while the API server is not ready to take it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The pause before something is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// A sort of object, as `("apps/v1", "Deployment")`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<'a> {
    /// Group and version, as `apps/v1`, or `v1` alone for the core group.
    pub api_version: &'a str,
    /// As `Deployment`.
    pub kind: &'a str,
}

impl<'a> Sort<'a> {
    /// A sort by its two names.
    #[must_use]
    pub const fn new(api_version: &'a str, kind: &'a str) -> Self {
        Self { api_version, kind }
    }

    fn of(object: &'a Value) -> Self {
        Self::new(text(object, "/apiVersion"), text(object, "/kind"))
    }

    /// What lives outside namespaces; everything else that we use lives inside one.
    fn is_cluster_wide(self) -> bool {
        matches!(
            self.kind,
            "Namespace"
                | "Node"
                | "PersistentVolume"
                | "StorageClass"
                | "ClusterRole"
                | "ClusterRoleBinding"
                | "CustomResourceDefinition"
        )
    }

    fn group(self) -> &'a str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The plural is guessed by the rule that all kinds we use follow, so the server need not be asked.
    fn resource(self) -> ApiResource {
        let version = self.api_version.rsplit('/').next().unwrap_or_default();
        ApiResource::from_gvk(&GroupVersionKind::gvk(self.group(), version, self.kind))
    }
}

/// A Deployment.
pub const DEPLOYMENT: Sort<'static> = Sort::new("apps/v1", "Deployment");
/// A `ConfigMap`.
pub const CONFIG_MAP: Sort<'static> = Sort::new("v1", "ConfigMap");
/// A Pod.
pub const POD: Sort<'static> = Sort::new("v1", "Pod");
const DEFINITION: Sort<'static> = Sort::new("apiextensions.k8s.io/v1", "CustomResourceDefinition");
const NAMESPACE: Sort<'static> = Sort::new("v1", "Namespace");

/// A connection to one cluster, and the identity that this cluster must have; clones share both.
#[derive(Clone)]
pub struct Kube {
    client: Client,
    identity: Arc<str>,
    checked: Arc<OnceCell<()>>,
    calls: Calls,
}

impl std::fmt::Debug for Kube {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kube").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// The UID of the namespace `kube-system`, which no other cluster has: read once, right after creation.
pub async fn identity(kubeconfig: &Path) -> Result<String, Report> {
    let client = access::client(kubeconfig).await?;
    let namespace = retried("read", NAMESPACE, "kube-system", || {
        let api = Api::<DynamicObject>::all_with(client.clone(), &NAMESPACE.resource());
        async move { api.get("kube-system").await }
    })
    .await?;
    namespace
        .metadata
        .uid
        .ok_or_else(|| Report::new(Code::ClusterFailed, "the cluster does not tell its identity"))
}

impl Kube {
    /// Prepares a connection by our own kubeconfig file to the cluster with this identity; asks nothing yet.
    pub async fn connect(kubeconfig: &Path, identity: &str, calls: Calls) -> Result<Self, Report> {
        Ok(Self {
            client: access::client(kubeconfig).await?,
            identity: identity.into(),
            checked: Arc::default(),
            calls,
        })
    }

    /// Makes sure that the cluster which answers is the one we made. Once per connection is enough: every later
    /// answer on it comes from a server whose certificate the authority in our file signed, and each cluster
    /// has an authority of its own, so another cluster at the same port cannot take the first one's place. The
    /// check itself finds the case that file and record do not belong together.
    pub async fn check_identity(&self) -> Result<(), Report> {
        let check = async {
            let found = self.get(NAMESPACE, "", "kube-system").await?.unwrap_or_default();
            let found = text(&found, "/metadata/uid");
            if found == &*self.identity {
                return Ok(());
            }
            Err(access::wrong(format!(
                "its identity is `{found}`, recorded was `{}`",
                self.identity
            )))
        };
        self.checked.get_or_try_init(|| check).await.copied()
    }

    /// Whether the API server answers and is ready.
    pub async fn is_ready(&self) -> bool {
        let request = hyper::Request::get("/readyz").body(Vec::new());
        match request {
            Ok(request) => self.client.request_text(request).await.is_ok(),
            Err(_) => false,
        }
    }

    /// Applies objects, server-side and by force, so that our fields are as given whoever changed them.
    /// Namespaces and definitions go first; all others together, those of the definitions' own kinds as soon
    /// as the server serves them.
    pub async fn apply(&self, objects: &[Value]) -> Result<(), Report> {
        self.check_identity().await?;
        let (first, rest): (Vec<_>, Vec<_>) = objects.iter().partition(|object| {
            let sort = Sort::of(object);
            sort == NAMESPACE || sort == DEFINITION
        });
        self.apply_together(&first).await?;
        let defined: Vec<_> =
            first.into_iter().filter(|object| Sort::of(object) == DEFINITION).collect();
        let (custom, plain): (Vec<_>, Vec<_>) = rest.into_iter().partition(|object| {
            let group = Sort::of(object).group();
            defined.iter().any(|definition| text(definition, "/spec/group") == group)
        });
        let custom = async {
            self.established(&defined).await?;
            self.apply_together(&custom).await
        };
        tokio::try_join!(self.apply_together(&plain), custom)?;
        Ok(())
    }

    /// Applies some fields of an object that is there, in a name that is remembered apart from that of
    /// [`Kube::apply`]: what this name applied before and leaves out now, goes.
    pub async fn apply_as(&self, manager: &str, object: &Value) -> Result<(), Report> {
        self.check_identity().await?;
        self.apply_one(manager, object).await
    }

    async fn apply_together(&self, objects: &[&Value]) -> Result<(), Report> {
        try_join_all(objects.iter().map(|object| self.apply_one(MANAGER, object))).await?;
        Ok(())
    }

    async fn apply_one(&self, manager: &str, object: &Value) -> Result<(), Report> {
        let sort = Sort::of(object);
        let (namespace, name) =
            (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
        self.calls.changing(&format!("apply {} {namespace}/{name}", sort.kind));
        let api = self.api(sort, namespace);
        let (parameters, patch) = (PatchParams::apply(manager).force(), Patch::Apply(object));
        retried("apply", sort, name, || api.patch(name, &parameters, &patch)).await?;
        Ok(())
    }

    /// Waits until the API server serves the kinds of these definitions.
    async fn established(&self, definitions: &[&Value]) -> Result<(), Report> {
        let mut pending: BTreeSet<&str> =
            definitions.iter().map(|object| text(object, "/metadata/name")).collect();
        if pending.is_empty() {
            return Ok(());
        }
        let seen = self.until(DEFINITION, "", None, PATIENCE, |object| {
            if condition(object, "Established") {
                pending.remove(text(object, "/metadata/name"));
            }
            pending.is_empty()
        });
        match seen.await? {
            Some(_) => Ok(()),
            None => Err(Report::new(
                Code::ClusterFailed,
                "the cluster did not take up the kinds of its ingress controller",
            )),
        }
    }

    /// One object; none when it is not there. The namespace of what lives outside namespaces is `""`.
    pub async fn get(
        &self,
        sort: Sort<'_>,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, Report> {
        let found = self.api(sort, namespace).get_opt(name).await;
        let found = found.map_err(|error| failed("read", sort.kind, name, &error))?;
        found.map(value).transpose()
    }

    /// All objects of a sort that carry these labels (`app=x,release=y`; empty for all), in a namespace.
    pub async fn list(
        &self,
        sort: Sort<'_>,
        namespace: &str,
        labels: &str,
    ) -> Result<Vec<Value>, Report> {
        let listed = self.api(sort, namespace).list(&ListParams::default().labels(labels)).await;
        let listed = listed.map_err(|error| failed("list", sort.kind, labels, &error))?;
        listed.items.into_iter().map(value).collect()
    }

    /// Watches the object of this name, or all of the sort, until one satisfies `done`, and returns that one;
    /// none when the time is over. The present state is seen first, so nothing is missed.
    pub async fn until(
        &self,
        sort: Sort<'_>,
        namespace: &str,
        name: Option<&str>,
        patience: Duration,
        mut done: impl FnMut(&Value) -> bool,
    ) -> Result<Option<Value>, Report> {
        let api = self.api(sort, namespace);
        let mut parameters = WatchParams::default();
        if let Some(name) = name {
            parameters = parameters.fields(&format!("metadata.name={name}"));
        }
        let search = async {
            loop {
                // A stream ends now and then, and breaks when a young API server restarts parts of itself.
                if let Ok(stream) = api.watch(&parameters, "0").await {
                    pin_mut!(stream);
                    while let Some(Ok(event)) = stream.next().await {
                        let (WatchEvent::Added(object) | WatchEvent::Modified(object)) = event
                        else {
                            continue;
                        };
                        let object = value(object)?;
                        if done(&object) {
                            return Ok(object);
                        }
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(patience, search).await.ok().transpose()
    }

    fn api(&self, sort: Sort<'_>, namespace: &str) -> Api<DynamicObject> {
        let resource = sort.resource();
        if sort.is_cluster_wide() {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), namespace, &resource)
        }
    }
}

/// Whether a condition of an object's status is `True`.
#[must_use]
pub fn condition(object: &Value, name: &str) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|one| text(one, "/type") == name && text(one, "/status") == "True")
}

/// The text at a JSON pointer; empty when there is none.
#[must_use]
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a JSON pointer; 0 when there is none.
#[must_use]
pub fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

fn value(object: DynamicObject) -> Result<Value, Report> {
    serde_json::to_value(object).map_err(|error| Report::bug("an object has no JSON form", &error))
}

/// Repeats a request while the server is not ready for it: it does not answer yet, is overloaded, or does not
/// serve a kind that was defined a moment ago.
async fn retried<T, F>(
    what: &str,
    sort: Sort<'_>,
    name: &str,
    request: impl Fn() -> F,
) -> Result<T, Report>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    let end = Instant::now() + PATIENCE;
    loop {
        match request().await {
            Err(error) if may_pass(&error) && Instant::now() < end => {
                tracing::debug!(kind = sort.kind, name, %error, "again");
                tokio::time::sleep(PAUSE).await;
            }
            result => return result.map_err(|error| failed(what, sort.kind, name, &error)),
        }
    }
}

fn may_pass(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 404 | 409 | 429 | 500..=599),
        kube::Error::HyperError(_) | kube::Error::Service(_) => !access::is_foreign(error),
        _ => false,
    }
}

fn failed(what: &str, kind: &str, name: &str, error: &kube::Error) -> Report {
    if access::is_foreign(error) {
        return access::foreign(error);
    }
    let reason = match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    };
    Report::new(Code::ClusterFailed, format!("cannot {what} {kind} `{name}` in the cluster"))
        .why(reason)
        .caused_by(error)
}
