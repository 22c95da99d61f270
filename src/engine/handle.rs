//! What the server and the agent's own `main` may ask of the engine. The loop stands behind it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::schema::{PortChoice, Profile};
use crate::events::Journal;
use crate::model::{AppId, Code, FoundApp, OrgName, Report, Resource, ResourceState, StackName};
use crate::pipeline::Pipeline;

/// How many commands may wait; a person types far fewer.
const WAITING: usize = 16;

/// Where the answer to a command goes: the number of its run, or why there is none.
pub type Reply = oneshot::Sender<Result<u64, Report>>;

/// Something the engine is asked to do. Its answer comes as soon as the run is accepted; what happens then is in
/// the journal, from `RunStarted` to `RunFinished`.
#[derive(Debug)]
pub enum Command {
    /// Bring up what a folder's configuration says. While such a run works already, its number is the answer.
    Up {
        /// What is wanted.
        request: UpRequest,
        /// The run's number.
        reply: Reply,
    },
    /// Remove all that carries the stack's label.
    Down {
        /// What goes with it.
        request: DownRequest,
        /// The run's number.
        reply: Reply,
    },
    /// Build and deploy an app anew, or all of them.
    Deploy {
        /// None means every app of the stack.
        app: Option<AppId>,
        /// The run's number.
        reply: Reply,
    },
    /// Tell what runs in an organisation's cluster.
    Running {
        /// Whose.
        org: OrgName,
        /// Its apps.
        reply: oneshot::Sender<Result<Vec<FoundApp>, Report>>,
    },
    /// End the agent; what runs in the engine stays.
    Stop,
}

/// A connection that came to the stack's router for the pipeline, through the tunnel.
pub type Visitor = crate::sys::tunnel::Stream;

/// What `up` asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpRequest {
    /// The folder the command was given in, absolute.
    pub dir: PathBuf,
    /// Its flags.
    #[serde(default)]
    pub options: UpOptions,
}

/// The flags of `up`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag")]
pub struct UpOptions {
    /// Tell the steps and do none of them.
    pub plan: bool,
    /// Do not watch the apps' files.
    pub no_watch: bool,
    /// Leave the pages of apps as they are.
    pub no_overlay: bool,
    /// The router's port; none keeps what the stack had.
    pub port: Option<PortChoice>,
    /// Fetch nothing.
    pub offline: bool,
    /// What to do beside the usual.
    pub profiles: Vec<Profile>,
    /// The platform's services inside the agent, and nothing in containers.
    pub embedded: bool,
    /// With `embedded`, the port of this machine where the app listens.
    pub app_port: Option<u16>,
}

/// What `down` asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct DownRequest {
    /// Delete the data too.
    pub volumes: bool,
}

/// The stack as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StackState {
    /// Nothing runs.
    Stopped,
    /// A run is bringing it up.
    Starting,
    /// Every resource is healthy.
    Healthy,
    /// It runs, but something is not well.
    Degraded,
    /// A run is taking it down.
    Stopping,
}

/// The container engine in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineProduct {
    /// As `docker`, `docker-desktop`, `podman`.
    pub product: String,
    /// Its version.
    pub version: String,
}

/// Everything `status` tells, at one moment: schema `altinn-local/status/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Always [`Snapshot::SCHEMA`].
    pub schema: String,
    /// Whether the state is healthy.
    pub ok: bool,
    /// The stack's name.
    pub stack: StackName,
    /// The stack as a whole.
    pub state: StackState,
    /// Since when it is in this state, RFC 3339.
    pub since: Option<String>,
    /// The container engine, once it answered.
    pub engine: Option<EngineProduct>,
    /// What to open: `studio`, `gitea`, `dashboard`. Apps carry their own URLs.
    pub urls: BTreeMap<String, String>,
    /// How many resources are in each state.
    pub counts: BTreeMap<String, usize>,
    /// All of them.
    pub resources: Vec<Resource>,
    /// The newest event this takes into account.
    pub seq: u64,
}

impl Snapshot {
    /// The schema's name.
    pub const SCHEMA: &str = "altinn-local/status/1";

    /// A stack of which nothing runs.
    #[must_use]
    pub fn stopped(stack: StackName) -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            ok: false,
            stack,
            state: StackState::Stopped,
            since: None,
            engine: None,
            urls: BTreeMap::new(),
            counts: BTreeMap::new(),
            resources: Vec::new(),
            seq: 0,
        }
    }

    /// Puts in these resources and counts them.
    #[must_use]
    pub fn with_resources(mut self, resources: Vec<Resource>) -> Self {
        self.counts = BTreeMap::new();
        for resource in &resources {
            *self.counts.entry(state_word(resource.state).to_owned()).or_default() += 1;
        }
        self.resources = resources;
        self
    }
}

/// The word for a state, the same in text and JSON.
pub(crate) const fn state_word(state: ResourceState) -> &'static str {
    match state {
        ResourceState::Pending => "pending",
        ResourceState::Pulling => "pulling",
        ResourceState::Creating => "creating",
        ResourceState::Starting => "starting",
        ResourceState::Healthy => "healthy",
        ResourceState::Degraded => "degraded",
        ResourceState::Failed => "failed",
        ResourceState::Stopping => "stopping",
        ResourceState::Stopped => "stopped",
    }
}

/// Asks the engine; clones share one engine.
#[derive(Debug, Clone)]
pub struct EngineHandle {
    commands: mpsc::Sender<Command>,
    journal: Journal,
    snapshot: watch::Receiver<Arc<Snapshot>>,
    pipeline: Pipeline,
}

impl EngineHandle {
    /// A handle, and the end that the loop hears commands from.
    #[must_use]
    pub fn new(
        journal: Journal,
        snapshot: watch::Receiver<Arc<Snapshot>>,
        pipeline: Pipeline,
    ) -> (Self, mpsc::Receiver<Command>) {
        let (commands, heard) = mpsc::channel(WAITING);
        let handle = Self { commands, journal, snapshot, pipeline };
        (handle, heard)
    }

    /// What happened, and will.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The stack now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }

    /// The pipeline's book.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// What runs in an organisation's cluster.
    pub async fn running(&self, org: OrgName) -> Result<Vec<FoundApp>, Report> {
        self.ask(|reply| Command::Running { org, reply }).await
    }

    /// Brings up; tells the run.
    pub async fn up(&self, request: UpRequest) -> Result<u64, Report> {
        self.ask(|reply| Command::Up { request, reply }).await
    }

    /// Takes down; tells the run.
    pub async fn down(&self, request: DownRequest) -> Result<u64, Report> {
        self.ask(|reply| Command::Down { request, reply }).await
    }

    /// Deploys anew; tells the run.
    pub async fn deploy(&self, app: Option<AppId>) -> Result<u64, Report> {
        self.ask(|reply| Command::Deploy { app, reply }).await
    }

    /// Asks the agent to end. That it ended already is no fault.
    pub async fn stop(&self) {
        let _ = self.commands.send(Command::Stop).await;
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Report>>) -> Command,
    ) -> Result<T, Report> {
        let gone = || Report::new(Code::AgentSilent, "the agent is about to end");
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_strictly() {
        let request: UpRequest = serde_json::from_str(
            r#"{"dir":"/a","options":{"port":"auto","profiles":["widgets"]}}"#,
        )
        .unwrap();
        assert_eq!(request.options.profiles, [Profile::Widgets]);
        assert_eq!(request.options.port, Some(PortChoice::Auto));
        assert!(serde_json::from_str::<UpRequest>(r#"{"dir":"/a","opt":{}}"#).is_err());
    }
}
