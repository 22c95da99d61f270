//! Releases and deployments with the fields of the real Designer's documents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::date::Date;

/// How far a build is, in Azure DevOps' words (`altinn-contracts.md` §2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) enum Status {
    #[default]
    None,
    Cancelling,
    Completed,
    InProgress,
    NotStarted,
    Postponed,
}

/// How a build ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) enum Outcome {
    #[default]
    None,
    Canceled,
    Failed,
    PartiallySucceeded,
    Succeeded,
}

/// A build as documents keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(in crate::designer) struct Build {
    /// The pipeline's number; empty until the pipeline took it.
    pub(in crate::designer) id: String,
    pub(in crate::designer) status: Status,
    pub(in crate::designer) result: Outcome,
    pub(in crate::designer) started: Option<Date>,
    pub(in crate::designer) finished: Option<Date>,
}

impl Build {
    /// Whether it may still change.
    pub(in crate::designer) fn is_open(&self) -> bool {
        self.status != Status::Completed
    }

    /// Whether it ended, and not well.
    pub(in crate::designer) fn has_failed(&self) -> bool {
        !self.is_open() && self.result != Outcome::Succeeded
    }
}

/// A version of an app: a commit and the image built from it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Release {
    #[serde(default)]
    pub(in crate::designer) id: i64,
    pub(in crate::designer) tag_name: String,
    pub(in crate::designer) name: String,
    pub(in crate::designer) body: String,
    pub(in crate::designer) target_commitish: String,
    pub(in crate::designer) org: String,
    pub(in crate::designer) app: String,
    pub(in crate::designer) created: Date,
    pub(in crate::designer) created_by: String,
    pub(in crate::designer) build: Build,
}

/// Whether an app was put into an environment or taken out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(in crate::designer) enum DeploymentType {
    Deploy,
    Decommission,
}

/// A release on its way into an environment, or an app on its way out.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Deployment {
    /// `DEPLOYMENT_ID` of the pipeline's parameters.
    #[serde(default)]
    pub(in crate::designer) id: i64,
    pub(in crate::designer) tag_name: Option<String>,
    pub(in crate::designer) env_name: String,
    pub(in crate::designer) deployment_type: DeploymentType,
    pub(in crate::designer) org: String,
    pub(in crate::designer) app: String,
    pub(in crate::designer) created: Date,
    pub(in crate::designer) created_by: String,
    pub(in crate::designer) build: Build,
    /// What the cluster told, in the order of its telling. Kept beside the documents, not in them.
    #[serde(default)]
    pub(in crate::designer) events: Vec<Event>,
}

/// How a change in the cluster ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(in crate::designer) enum EventType {
    InstallSucceeded,
    InstallFailed,
    UpgradeSucceeded,
    UpgradeFailed,
    UninstallSucceeded,
    UninstallFailed,
}

/// What happened to a deployment in the cluster.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Event {
    pub(in crate::designer) message: String,
    pub(in crate::designer) timestamp: Date,
    pub(in crate::designer) event_type: EventType,
}

/// A list, as the real Designer wraps it.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::designer) struct Results<T> {
    pub(in crate::designer) results: Vec<T>,
}
