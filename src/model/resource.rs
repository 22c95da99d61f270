//! One object for everything a user can ask about: the CLI, the JSON and the dashboard show the same.

use serde::{Deserialize, Serialize};

use super::Report;

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ResourceKind {
    /// A container of the stack.
    Container,
    /// A kind cluster.
    Cluster,
    /// A registry container.
    Registry,
    /// An app in its organisation's cluster.
    App,
    /// A dev server on the workstation.
    DevServer,
    /// A service of the platform inside the agent.
    Service,
}

/// The closed set of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ResourceState {
    /// Waits for something else.
    Pending,
    /// Its image is on the way.
    Pulling,
    /// Is being made.
    Creating,
    /// Runs, but is not ready yet.
    Starting,
    /// Ready: its probe passes.
    Healthy,
    /// Runs, but its probe fails.
    Degraded,
    /// Ended, or never got ready.
    Failed,
    /// Is being ended.
    Stopping,
    /// Exists, but does not run.
    Stopped,
}

/// A resource with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// As `studio.gitea`, `org.ttd.cluster`, `app.ttd.my-app`, `app.ttd.my-app.widget.map`.
    pub id: String,
    /// What it is.
    pub kind: ResourceKind,
    /// Its state now.
    pub state: ResourceState,
    /// Where to reach it.
    #[serde(default)]
    pub urls: Vec<String>,
    /// The image it runs, when it runs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Since when it is in this state, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Apps only: the Helm revision that serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// Apps only: how many files of the running containers are not as in their image, because saves were written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced: Option<usize>,
    /// The last fault, until the next success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Report>,
}
