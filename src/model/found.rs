//! What was found outside: containers, networks, clusters, releases. Read only, and never more than a moment old.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{AppId, OrgName};

/// A docker network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundNetwork {
    /// The engine's id.
    pub id: String,
    /// Whether it carries our label with this stack's name.
    pub ours: bool,
    /// Its IPv4 subnet, as `172.30.0.0/16`.
    pub subnet: Option<String>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundContainer {
    /// The engine's id.
    pub id: String,
    /// Whether it carries our label with this stack's name.
    pub ours: bool,
    /// The configuration hash on its label.
    pub hash: Option<String>,
    /// Whether it runs now.
    pub running: bool,
    /// Whether its set-up marker is there: it was ready and set up once.
    pub set_up: bool,
    /// Published ports: host address, host port, container port.
    pub published: Vec<(String, u16, u16)>,
    /// Its resource id label.
    pub resource: Option<String>,
    /// The image reference it was made from.
    pub image: String,
    /// Networks it is in, by name.
    pub networks: Vec<String>,
    /// kind's label: the cluster whose node this is.
    pub kind_cluster: Option<String>,
}

/// The state of a cluster's node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeState {
    /// There is none.
    Absent,
    /// The node container exists but does not run.
    Stopped,
    /// The node runs and its API answers.
    Answers,
    /// The node runs, but its API does not answer.
    Silent,
}

/// A kind cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundCluster {
    /// The node.
    pub node: NodeState,
    /// Whether the cluster was finished by us: our record of its creation, with the hash and identity, is there.
    pub create_hash: Option<String>,
    /// The hash of what was applied inside, from the marker written last.
    pub contents_hash: Option<String>,
}

/// Where a Helm release stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseStatus {
    /// The last upgrade or install succeeded.
    Deployed,
    /// It failed.
    Failed,
    /// It was cut off in the middle.
    Pending,
}

/// A Helm release as its record in the cluster tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRelease {
    /// Counts from 1.
    pub revision: u32,
    /// Where it stands.
    pub status: ReleaseStatus,
    /// The hash of chart, values and image it was made from, from the release's label.
    pub hash: Option<String>,
    /// Whether the version of this release is the one that serves: its pod is ready.
    pub ready: bool,
}

/// An app that runs in a cluster of the stack, whoever deployed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundApp {
    /// The release, `<org>-<app>`.
    pub release: String,
    /// The image's tag.
    pub tag: String,
    /// Whether its newest version, and only that, is ready.
    pub ready: bool,
}

/// Everything that was found for a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The stack's network.
    pub network: Option<FoundNetwork>,
    /// Volumes of the stack, by name; `false` when the name is taken by a foreign one.
    pub volumes: BTreeMap<String, bool>,
    /// Containers with the stack's label or one of its names, by name. kind nodes are not among them.
    pub containers: BTreeMap<String, FoundContainer>,
    /// Clusters of the stack, by kind's name for them.
    pub clusters: BTreeMap<String, FoundCluster>,
    /// The configuration the router runs with.
    pub router_configuration: Option<String>,
    /// Organisations and repositories that Gitea has: `ttd`, `ttd/my-app`; only those with commits.
    pub repositories: BTreeSet<String>,
    /// Releases by app.
    pub releases: BTreeMap<String, FoundRelease>,
    /// All apps that run in the clusters, by organisation.
    pub running: BTreeMap<OrgName, Vec<FoundApp>>,
    /// The hash of what the platform's services were told last, by app.
    pub published: BTreeMap<String, String>,
    /// Image tags that the organisations' registries hold: `ttd/ttd-my-app:c-…`.
    pub pushed: BTreeSet<String>,
    /// Organisations whose cluster could not be asked now, with the reason.
    pub unreachable: BTreeMap<OrgName, String>,
}

impl Observed {
    /// The release of an app.
    #[must_use]
    pub fn release(&self, app: &AppId) -> Option<&FoundRelease> {
        self.releases.get(&app.to_string())
    }
}
