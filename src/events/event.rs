//! What can happen, as data.

use serde::{Deserialize, Serialize};

use crate::model::{AppId, Lane, Reload, Report, Resource};

/// One part of a save's way to the browser, with its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// As `build`, `push`, `deploy`, `served`.
    pub name: String,
    /// Milliseconds.
    pub ms: u64,
}

/// A numbered event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts from 1 within one agent's life.
    pub seq: u64,
    /// RFC 3339, UTC.
    #[serde(rename = "t")]
    pub time: String,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum EventKind {
    /// A command's work began.
    RunStarted {
        /// Counts from 1.
        run: u64,
        /// As `up`, `down`.
        command: String,
    },
    /// A command's work ended; the last event of its run.
    #[serde(rename_all = "camelCase")]
    RunFinished {
        /// Which run.
        run: u64,
        /// How long it took, in milliseconds.
        ms: u64,
        /// Changing calls made to engine, clusters and Helm.
        changing_calls: u64,
        /// The fault that ended it; none when it succeeded.
        report: Option<Box<Report>>,
        /// What to open, name and URL, when it succeeded.
        links: Vec<(String, String)>,
    },
    /// What a run is about to do; no steps when everything is as it should be.
    Plan {
        /// The ids of the steps, in an order in which they can be carried out.
        steps: Vec<String>,
    },
    /// Something stands in the way of a run, beside the fault that the run ends with.
    Blocker {
        /// What, and what to do about it.
        report: Box<Report>,
    },
    /// A step of the plan began.
    StepStarted {
        /// The step's id, as `create studio.gitea`.
        step: String,
        /// The resource it belongs to.
        resource: String,
    },
    /// A step has something to tell.
    StepProgress {
        /// The step's id.
        step: String,
        /// A few words.
        detail: String,
    },
    /// A step ended well.
    StepFinished {
        /// The step's id.
        step: String,
        /// Milliseconds.
        ms: u64,
    },
    /// A step failed.
    StepFailed {
        /// The step's id.
        step: String,
        /// Why.
        report: Box<Report>,
    },
    /// A resource is in a new state.
    Resource {
        /// The resource, whole.
        resource: Box<Resource>,
    },
    /// A resource is no more.
    Gone {
        /// Its id.
        id: String,
    },
    /// A line of output of a build, a program or a container.
    Log {
        /// The resource or step it comes from.
        source: String,
        /// One line, control characters removed.
        line: String,
    },
    /// Files of an app changed on disk.
    Change {
        /// Which app.
        app: AppId,
        /// Paths relative to the app's root, at most 20 of them.
        paths: Vec<String>,
        /// How many changed in all.
        count: usize,
    },
    /// A new version of an app answers through the router.
    #[serde(rename_all = "camelCase")]
    Shipped {
        /// Which app.
        app: AppId,
        /// The image's tag.
        tag: String,
        /// The Helm revision.
        revision: u32,
        /// Which way it took.
        lane: Lane,
        /// Why that way, in a few words.
        reason: String,
        /// Each part's time.
        stages: Vec<Stage>,
        /// From the save (or the start of the work) to the first answer, milliseconds.
        total_ms: u64,
    },
    /// A new version did not make it; what served before serves on.
    ShipFailed {
        /// Which app.
        app: AppId,
        /// Why.
        report: Box<Report>,
        /// The Helm revision that serves on, when there is one.
        serving: Option<u32>,
    },
    /// The platform knows what an app brings for it: metadata, policy, texts, test people.
    Published {
        /// Which app.
        app: AppId,
        /// How long it took, in milliseconds.
        ms: u64,
    },
    /// What open pages of an app do about what was just brought to it.
    Reload {
        /// Which app.
        app: AppId,
        /// What they do.
        kind: Reload,
        /// Style sheets that changed, relative to the app's root; empty when the page is loaded anew.
        paths: Vec<String>,
    },
    /// Something the user should know that stops nothing.
    Notice {
        /// What.
        report: Box<Report>,
    },
    /// An event of a newer agent.
    #[serde(other)]
    Unknown,
}
