//! Objects as they are and as they change, and records of which the metadata tell enough.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{AsyncBufReadExt as _, Stream, StreamExt as _, future};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DynamicObject, ListParams, LogParams};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{Config, Event, watcher};
use serde_json::Value;

use super::{Kube, Sort, failed, value};
use crate::model::Report;
use crate::sys::docker::{Stamped, stamped};

/// What a node says instead of the log of a container that it has thrown away.
const NO_LOG: &str = "unable to retrieve container logs";

/// How often a node is asked for a log that it does not have at the moment, and the pause before asking again.
const ASKED: usize = 12;
const PAUSE: Duration = Duration::from_millis(250);

impl Kube {
    /// All objects of a sort with these labels: now, and again after each change. One watch; when it breaks, it
    /// starts anew by itself, so the stream never ends.
    pub fn follow(
        &self,
        sort: Sort<'_>,
        namespace: &str,
        labels: &str,
    ) -> impl Stream<Item = Vec<Value>> + Send + use<> {
        let events = watcher(self.api(sort, namespace), Config::default().labels(labels));
        let kind = sort.kind.to_owned();
        events
            .default_backoff()
            .filter_map(move |event| {
                let event = event.inspect_err(|error| tracing::debug!(kind, %error, "watch"));
                future::ready(event.ok())
            })
            .scan(BTreeMap::new(), |objects, event| future::ready(Some(fold(objects, event))))
            .filter_map(future::ready)
    }

    /// The labels of all objects of a sort with these labels. What the objects hold is not even sent.
    pub async fn labels_of(
        &self,
        sort: Sort<'_>,
        namespace: &str,
        labels: &str,
    ) -> Result<Vec<BTreeMap<String, String>>, Report> {
        let listed = self
            .api(sort, namespace)
            .list_metadata(&ListParams::default().labels(labels))
            .await
            .map_err(|error| failed("list", sort.kind, labels, &error))?;
        let labels = listed.items.into_iter().map(|one| one.metadata.labels.unwrap_or_default());
        Ok(labels.collect())
    }

    /// The last lines of the log of a pod with one container; none when it never ran. `previous` asks for the
    /// container's former life, which told why it ended. Between two lives a node may have thrown the one away and
    /// not know the other yet, so both are asked for a while.
    pub async fn last_words(
        &self,
        namespace: &str,
        pod: &str,
        lines: i64,
        previous: bool,
    ) -> Vec<String> {
        let pods = Api::<Pod>::namespaced(self.client.clone(), namespace);
        let mut refused = 0;
        for previous in [previous, !previous].into_iter().cycle().take(ASKED) {
            let parameters =
                LogParams { tail_lines: Some(lines), previous, ..LogParams::default() };
            match pods.logs(pod, &parameters).await {
                Ok(log) if log.starts_with(NO_LOG) => tokio::time::sleep(PAUSE).await,
                Ok(log) => return log.lines().map(crate::events::clean).collect(),
                // Neither life has a log: it never ran.
                Err(_) if refused > 0 => break,
                Err(_) => refused += 1,
            }
        }
        Vec::new()
    }

    /// A pod's log as time (RFC 3339) and line: the last ones, and then new ones until the pod ends when following.
    pub async fn pod_log(
        &self,
        namespace: &str,
        pod: &str,
        tail: usize,
        follow: bool,
    ) -> Option<impl Stream<Item = Stamped> + Send + use<>> {
        let parameters = LogParams {
            tail_lines: i64::try_from(tail).ok(),
            timestamps: true,
            follow,
            ..LogParams::default()
        };
        let pods = Api::<Pod>::namespaced(self.client.clone(), namespace);
        // A pod whose container does not run yet has no log.
        let lines = pods.log_stream(pod, &parameters).await.ok()?.lines();
        Some(lines.filter_map(|line| async { line.ok().map(|line| stamped(&line)) }))
    }
}

/// Takes an event into the set; the whole set when it is complete, in order of names.
fn fold(objects: &mut BTreeMap<String, Value>, event: Event<DynamicObject>) -> Option<Vec<Value>> {
    match event {
        Event::Init => {
            objects.clear();
            return None;
        }
        Event::InitApply(object) => {
            keep(objects, object);
            return None;
        }
        Event::Apply(object) => keep(objects, object),
        Event::Delete(object) => {
            objects.remove(object.metadata.name.as_deref().unwrap_or_default());
        }
        Event::InitDone => {}
    }
    Some(objects.values().cloned().collect())
}

fn keep(objects: &mut BTreeMap<String, Value>, object: DynamicObject) {
    let name = object.metadata.name.clone().unwrap_or_default();
    if let Ok(object) = value(object) {
        objects.insert(name, object);
    }
}
