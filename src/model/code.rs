//! Every fault a user can meet has a number that stays: `AL1203`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A process's exit code; the set is stable and documented in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Exit {
    /// Done, all healthy.
    Ok = 0,
    /// An unexpected error: a fault of ours.
    Bug = 1,
    /// Wrong usage or an unknown command.
    Usage = 2,
    /// Pre-flight or doctor failed.
    Preflight = 3,
    /// Running but degraded.
    Degraded = 4,
    /// Not running.
    NotRunning = 5,
    /// A wait timed out; things were left running.
    TimedOut = 6,
    /// No container engine answers.
    NoEngine = 7,
    /// No such service, app or run.
    NotFound = 8,
    /// Another command holds the lock.
    Locked = 9,
    /// A port or a name is taken.
    Conflict = 10,
    /// An image is missing, or a registry or the network is out of reach.
    Missing = 11,
    /// The configuration is not valid.
    Config = 12,
    /// The app does not build.
    Build = 13,
    /// The app does not deploy.
    Deploy = 14,
    /// A confirmation is needed but input is off.
    Unconfirmed = 15,
    /// A fault of data or snapshots.
    Data = 16,
    /// The agent is of another version.
    AgentVersion = 17,
    /// Permission or elevation was refused.
    Refused = 18,
    /// Ended by Ctrl-C.
    Interrupted = 130,
}

macro_rules! codes {
    ($($variant:ident = $number:literal, $exit:ident, $explanation:literal;)*) => {
        /// The closed list of faults. Families: 10 engine, 11 machine, 12 ports and names, 14 images,
        /// 20 configuration, 21 repository, 30 Studio, 31 build, 32 registry, 33 deploy, 34 platform services,
        /// 36 pipeline, 40 data, 50 agent, 90 bug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $explanation] $variant,)*
        }

        impl Code {
            /// All codes, in order of number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The number without its prefix, as `1203`.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The exit code of a command that ends with this fault.
            #[must_use]
            pub const fn exit(self) -> Exit {
                match self { $(Self::$variant => Exit::$exit,)* }
            }

            /// What it means and what to do, for `explain`.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation,)* }
            }
        }
    };
}

codes! {
    EngineMissing = 1001, NoEngine, "No container engine answers. altinn-local runs its parts in Docker, Podman or Colima; start one, or point DOCKER_HOST at it.";
    EngineFailed = 1002, NoEngine, "The container engine answered with an error, or stopped answering in the middle of a call.";
    EngineTooOld = 1003, Preflight, "The container engine is older than API 1.41 (Docker 20.10), which the builds need.";
    ToolMissing = 1004, Preflight, "kind, helm or kubectl, or Node and npm for widgets, is not on this machine, or is too old. They are the real programs; altinn-local runs them but does not contain them.";
    ServiceFailed = 1005, Degraded, "A container of the stack ended or did not become ready in time. Its last log lines are shown.";
    ServiceLooping = 1006, Degraded, "A container was started several times within seconds and ended each time; altinn-local stopped trying.";
    HelperFailed = 1007, Degraded, "The helper that altinn-local runs inside containers ended, or is of another version than this program.";
    MachineLimit = 1101, Preflight, "The machine gives too little of something: disk, memory, inotify watches.";
    PortTaken = 1203, Conflict, "Another program listens on a port that the stack publishes. `--port auto` takes the next free one and remembers it.";
    ForeignName = 1204, Conflict, "A container, network, volume or cluster with a name of ours exists, but was not made by this stack. altinn-local never touches what it did not make.";
    PortExposed = 1205, Refused, "The engine published a port on another address than 127.0.0.1, so other machines could reach it. The container was removed.";
    OtherKind = 1206, Conflict, "A stack has its services in containers or, with `--embedded`, inside the agent: one at a time. What was asked for belongs to the other kind. `altinn-local down` ends the one that is up and keeps its data.";
    PartsMissing = 1402, Missing, "Images of parts are not on this machine and cannot be fetched now. They can be pulled once online, loaded from a bundle, or built from packages by `scripts/up`.";
    PullFailed = 1403, Missing, "An image could not be pulled from its registry.";
    ConfigInvalid = 2001, Config, "`altinn-local.yaml` does not say what it must: an unknown key, a wrong type, a bad value. The line and column are shown.";
    ConfigUnreadable = 2002, Config, "A file of the configuration could not be read.";
    NotAnApp = 2101, Config, "The folder is not a clone of an Altinn app: `App/config/applicationmetadata.json` was not found here or above.";
    MetadataBroken = 2102, Config, "`App/config/applicationmetadata.json` is not valid JSON, or its `id` is not `org/app`.";
    NameInvalid = 2103, Usage, "A name breaks its rule: lower-case letters, digits and hyphens, starting with a letter.";
    DockerfileMissing = 2104, Config, "The app has no Dockerfile, neither at its root nor in `App/`.";
    RepositoryUnreadable = 2105, Config, "The app's git repository could not be read.";
    TargetExists = 2106, Conflict, "The folder to write to is there already and is not empty.";
    WidgetInvalid = 2107, Config, "A widget's project cannot be used: its folder or `package.json` is not there or not valid, its tag name cannot be that of a web component, or two widgets share a name.";
    RemoteTaken = 2108, Conflict, "The repository has a remote `altinn-local` that leads elsewhere. It may be somebody's own, so it stays unless `--force` says otherwise.";
    NoRepository = 2109, Config, "The folder is not the top of a git repository, so it can have no remote.";
    GiteaFailed = 3001, Degraded, "Gitea did not do what was asked of it.";
    GiteaPushFailed = 3002, Degraded, "The app's commits could not be pushed to the local Gitea.";
    CloneFailed = 3003, Degraded, "The pipeline could not fetch an app's commit from Gitea: there is no such repository or commit, or the token may not read it.";
    RunRefused = 3004, Usage, "The pipeline refused a run. Each parameter that is missing or wrong is named.";
    GiteaFetchFailed = 3009, Degraded, "Commits could not be fetched from the local Gitea.";
    BuildFailed = 3101, Build, "The app's image could not be built. The failing step and its last lines are shown.";
    CompileFailed = 3102, Build, "The app does not compile. The compiler's messages are shown with file, line and column; the last good version serves on.";
    DockerfileBroken = 3103, Build, "The Dockerfile could not be understood or names something that is not there.";
    WidgetBuildFailed = 3104, Build, "A widget's packages could not be installed, or it does not build. The compiler's messages are shown with file, line and column; the last bundle stays.";
    WidgetServerFailed = 3105, Degraded, "The dev server of a widget does not start, or ended several times; altinn-local stopped trying. The app runs on, with the last bundle of the widget if there is one.";
    TestsFailed = 3106, Build, "The app's own tests failed. Their last lines are shown.";
    AppChanged = 3107, Build, "A file of the app changed each time that the build read it. Files that are written all the time, such as logs, belong in `.dockerignore` or in another folder.";
    RegistryFailed = 3201, Missing, "A local registry refused a push or did not answer.";
    ValuesBroken = 3301, Deploy, "A values file of the app's deployment is not valid YAML, or holds what the chart cannot take.";
    ChartFailed = 3302, Deploy, "Helm could not render or apply the chart.";
    DeployFailed = 3303, Deploy, "The new version did not start: it crashes, cannot be pulled, or never gets ready. The old version serves on.";
    DeployTimedOut = 3304, Deploy, "The new version did not answer through the router in time.";
    ClusterFailed = 3305, Deploy, "The organisation's Kubernetes cluster could not be made, or does not answer.";
    WrongCluster = 3306, Refused, "The cluster that answers is not the one this stack made; nothing was changed in it.";
    RouterRefused = 3307, Deploy, "NGINX refused the new routes; the old ones stay.";
    PublishFailed = 3308, Deploy, "The platform's services did not take what an app brings for them: its metadata, policy, texts or test people. What they had before holds.";
    ServiceSilent = 3401, Degraded, "A service of the platform does not answer, or not as it should: Profile, Register, Authentication and Authorization in `platform`, and `storage` and `events`.";
    RuleInvalid = 3402, Usage, "A service does not take the rule of a fault. What is wrong with it is told.";
    RunUnknown = 3601, NotFound, "The pipeline knows no run of that number; it may have been deleted.";
    RunBuildFailed = 3602, Build, "A run of the pipeline that builds ended with a fault. Its steps and their faults are told by `altinn-local pipeline show`.";
    RunDeployFailed = 3603, Deploy, "A run of the pipeline that deploys or takes away ended with a fault. What served before serves on.";
    RunWorks = 3604, Conflict, "The run has not ended, so it cannot be deleted yet.";
    DataBroken = 4001, Data, "The file is not one of `altinn-local data export`, is damaged, or is of another version.";
    DataRefused = 4002, Data, "A service does not take the data: they are malformed, belong to an app that it does not know, or are there already. It is as it was before.";
    NotRunning = 5001, NotRunning, "The stack is not up, so there is nothing to ask.";
    AgentSilent = 5002, NotRunning, "The agent, which runs in the background, does not answer.";
    AgentVersion = 5003, AgentVersion, "The agent is of another version than this program.";
    Locked = 5004, Locked, "Another altinn-local holds the lock of this stack.";
    Unconfirmed = 5005, Unconfirmed, "The command deletes data and was not confirmed.";
    NotFound = 5006, NotFound, "There is no service, app, organisation or test person of that name in the stack.";
    TimedOut = 5007, TimedOut, "Waiting ended before the work did; the agent goes on with it.";
    Cancelled = 5008, Interrupted, "The work was cancelled.";
    FileFailed = 5009, Refused, "A file or folder of altinn-local's own could not be read or written.";
    Bug = 9001, Bug, "Something happened that should not be possible. Please tell us, with the output of `-v`.";
}

impl Code {
    /// Reads `AL1203` or `1203`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_start_matches(['A', 'a']).trim_start_matches(['L', 'l']);
        let number: u16 = digits.parse().ok()?;
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AL{:04}", self.number())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // A newer agent may know codes that this program does not.
        Ok(Self::parse(&text).unwrap_or(Self::Bug))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_read_back() {
        for (place, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::parse(&code.to_string()), Some(*code));
            assert!(Code::ALL[..place].iter().all(|other| other.number() < code.number()));
        }
        assert_eq!(Code::parse("nonsense"), None);
    }
}
