//! One change each, with everything filled in: whoever carries it out decides nothing.

use serde::{Deserialize, Serialize};

use crate::model::{AppId, ImageRef, OrgName, Report};

/// What is missing until a container is what it should be. Ids are the engine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ServiceChange {
    /// There is none.
    Create,
    /// This one was made from another configuration, or was cut off while it was made.
    Replace(String),
    /// This one does not run.
    Start(String),
    /// This one runs, but was not set up.
    SetUp(String),
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Fetch an image into the engine.
    Pull(ImageRef),
    /// Give the engine the image of the platform's services.
    LoadServices(ImageRef),
    /// Make the stack's network.
    CreateNetwork,
    /// Make a volume.
    CreateVolume(String),
    /// Bring a container to what it should be; the service by its id.
    Service(String, ServiceChange),
    /// Put the router's configuration in.
    Routes,
    /// Make an organisation's cluster, in place of a half-made or outdated one.
    CreateCluster(OrgName),
    /// Start a cluster's node.
    StartCluster(OrgName),
    /// Put Traefik's image where the cluster's node can pull it.
    PublishTraefik,
    /// Apply what an organisation's cluster holds before any app comes.
    FillCluster(OrgName),
    /// Make an app's repository in Gitea and push its commits.
    PushRepository(AppId),
    /// Build an app's image.
    Build(AppId),
    /// Push an app's image to its organisation's registry.
    Push(AppId),
    /// Tell the platform's services what an app brings for them.
    Publish(AppId),
    /// Install or upgrade an app's release, until it answers.
    Release(AppId),
    /// Remove a container: its name and id.
    RemoveContainer(String, String),
    /// Delete a cluster, by kind's name for it.
    DeleteCluster(String),
    /// Remove the network, by id.
    RemoveNetwork(String),
    /// Remove a volume and its data.
    RemoveVolume(String),
}

/// A step with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Unique in its plan and fit for people: `create studio.gitea`.
    pub id: String,
    /// The resource it belongs to.
    pub resource: String,
    /// Steps that must be done first, by id; those that are not in the plan are done already.
    pub after: Vec<String>,
    /// The change.
    pub step: Step,
}

/// What is to be done, or why nothing may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Steps, each after those it needs.
    pub steps: Vec<Planned>,
    /// Reasons to change nothing at all.
    pub blockers: Vec<Report>,
}
