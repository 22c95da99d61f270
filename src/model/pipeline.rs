//! Runs of the pipeline, as they are kept and told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AppId, Report};

/// What a run was queued for. The numbers are those of Altinn's own Azure DevOps project, but for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum Definition {
    /// 5, of 2019: builds, and deploys when asked to.
    Classic,
    /// 297: takes an app away.
    Decommission,
    /// 618: deploys and takes away.
    GitOps,
    /// 683: builds an image.
    Build,
    /// 700, of our own: builds and tests without keeping the image.
    Quality,
}

impl Definition {
    /// All of them, by number.
    pub const ALL: [Self; 5] =
        [Self::Classic, Self::Decommission, Self::GitOps, Self::Build, Self::Quality];

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Classic => 5,
            Self::Decommission => 297,
            Self::GitOps => 618,
            Self::Build => 683,
            Self::Quality => 700,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Classic => "altinn-studio-build-and-deploy",
            Self::Decommission => "altinn-studio-decommission",
            Self::GitOps => "altinn-studio-gitops-manager",
            Self::Build => "altinn-studio-build-app-image",
            Self::Quality => "altinn-studio-quality",
        }
    }
}

impl TryFrom<u32> for Definition {
    type Error = String;
    fn try_from(number: u32) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|definition| definition.number() == number);
        found.ok_or_else(|| format!("there is no definition {number}"))
    }
}

impl From<Definition> for u32 {
    fn from(definition: Definition) -> Self {
        definition.number()
    }
}

/// How far a run, or a task of one, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunStatus {
    /// It waits.
    NotStarted,
    /// It is carried out.
    InProgress,
    /// It is carried out, but to be given up.
    Cancelling,
    /// It ended.
    Completed,
}

/// How a run, or a task of one, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunResult {
    /// Well.
    Succeeded,
    /// Not well.
    Failed,
    /// It was given up.
    Canceled,
    /// A task that was not reached.
    Skipped,
}

/// One of the things a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskKind {
    /// Fetches exactly one commit.
    Clone,
    /// Builds the image.
    Build,
    /// Runs the app's tests.
    Test,
    /// Pushes the image to the organisation's registry.
    Push,
    /// Tells the platform's services of the app.
    Publish,
    /// Installs or upgrades the release.
    Helm,
    /// Waits for the first answer.
    Rollout,
    /// Takes the release away.
    Remove,
    /// Looks at what the organisation's cluster runs.
    Sync,
}

impl TaskKind {
    /// As people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clone => "Clone",
            Self::Build => "Build image",
            Self::Test => "Test",
            Self::Push => "Push image",
            Self::Publish => "Publish to the platform",
            Self::Helm => "Helm",
            Self::Rollout => "Rollout",
            Self::Remove => "Remove release",
            Self::Sync => "Look at the cluster",
        }
    }
}

/// A task of a run. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunTask {
    /// What it does.
    pub kind: TaskKind,
    /// How far it is.
    pub status: RunStatus,
    /// How it ended.
    pub result: Option<RunResult>,
    /// When it began.
    pub started: Option<String>,
    /// When it ended.
    pub finished: Option<String>,
    /// Lines in its log.
    pub lines: usize,
    /// Why it failed.
    pub report: Option<Box<Report>>,
}

/// A run of the pipeline: Azure DevOps calls it a build. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PipelineRun {
    /// Counts from 1 for as long as the stack's data live; of 31 bits.
    pub id: u32,
    /// What it was queued for.
    pub definition: Definition,
    /// As they came, unknown ones too; secrets are masked.
    pub parameters: BTreeMap<String, String>,
    /// The app, but for runs that concern a whole organisation.
    pub app: Option<AppId>,
    /// How far it is.
    pub status: RunStatus,
    /// How it ended.
    pub result: Option<RunResult>,
    /// When it was asked for.
    pub queued: String,
    /// When it began.
    pub started: Option<String>,
    /// When it ended.
    pub finished: Option<String>,
    /// What it does, in order.
    pub tasks: Vec<RunTask>,
    /// The commit, once it is known.
    pub commit: Option<String>,
    /// The image's tag, once it is known.
    pub tag: Option<String>,
    /// Why it was queued: `manual`, or what was pushed.
    pub reason: String,
    /// What else there is to say about its end.
    pub why: Option<String>,
}
