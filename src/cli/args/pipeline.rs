//! The commands that talk to the pipeline.

use clap::{Args as Arguments, Subcommand, ValueEnum};
use semver::Version;

use crate::model::{AppId, EnvironmentName};

/// `pipeline …`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Pipeline {
    /// The runs so far, newest first
    List(List),
    /// Queue a run
    Run(Run),
    /// What a run does or did: its steps, times and faults
    Show {
        /// The run's number
        id: u32,
    },
    /// What a run wrote
    Logs {
        /// The run's number
        id: u32,
        /// Go on with new lines until the run ends; the exit code is then the run's
        #[arg(short, long)]
        follow: bool,
    },
    /// End a run that waits or works
    Cancel {
        /// The run's number
        id: u32,
    },
    /// Queue a new run with the parameters of another one
    Rerun {
        /// The other run's number
        id: u32,
        /// Show what it writes until it ends; the exit code is then the run's
        #[arg(short, long)]
        follow: bool,
    },
    /// Delete a run with its log
    Rm {
        /// The run's number
        id: u32,
        /// Cancel it first when it still works
        #[arg(long)]
        force: bool,
    },
}

/// The flags of `pipeline list`.
#[derive(Debug, Clone, PartialEq, Eq, Arguments)]
pub struct List {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub top: u32,
    /// All of them
    #[arg(long, conflicts_with = "top")]
    pub all: bool,
    /// Only those in this state
    #[arg(long, value_name = "STATE")]
    pub status: Option<RunState>,
}

/// The state of a run, as people say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RunState {
    /// Waits for its turn.
    Queued,
    /// Works.
    Running,
    /// Was told to end and has not yet.
    Cancelling,
    /// Ended well.
    Succeeded,
    /// Ended with a fault.
    Failed,
    /// Was ended.
    Canceled,
}

/// The flags of `pipeline run`.
#[derive(Debug, Clone, PartialEq, Eq, Arguments)]
pub struct Run {
    /// What to do
    pub kind: RunKind,
    /// As `ttd/my-app`; the folder's app when left out
    #[arg(value_name = "ORG/APP")]
    pub app: Option<AppId>,
    /// A commit, branch or tag in the stack's Gitea [default: the newest commit; for deploy the version's own]
    #[arg(long, value_name = "COMMIT")]
    pub commit: Option<String>,
    /// The version [default: for build the next one, for deploy the newest that was built]
    #[arg(long, value_name = "X.Y.Z")]
    pub tag: Option<String>,
    /// With deploy and undeploy: the environment
    #[arg(long = "env", value_name = "NAME", default_value = "local")]
    pub environment: EnvironmentName,
    /// A parameter of the run, as it is called on the wire; wins over the others
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,
    /// Show what it writes until it ends; the exit code is then the run's
    #[arg(short, long)]
    pub follow: bool,
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RunKind {
    /// Build a commit and keep the image under a version.
    Build,
    /// Put a version into an environment.
    Deploy,
    /// Take the app out of an environment.
    Undeploy,
    /// Build and test, and keep nothing.
    Quality,
}

/// The flags of `release`.
#[derive(Debug, Clone, PartialEq, Eq, Arguments)]
pub struct Release {
    /// As `ttd/my-app`; the folder's app when left out
    #[arg(value_name = "ORG/APP")]
    pub app: Option<AppId>,
    /// The version [default: the next one, by the nature of the changes since the last release]
    #[arg(long, value_name = "X.Y.Z")]
    pub version: Option<Version>,
    /// A commit, branch or tag in the stack's Gitea [default: the newest commit]
    #[arg(long, value_name = "COMMIT")]
    pub commit: Option<String>,
    /// What is new, in words
    #[arg(long, value_name = "TEXT")]
    pub notes: Option<String>,
    /// Deploy it to this environment when it is built, and wait for both
    #[arg(long, value_name = "ENV")]
    pub deploy: Option<EnvironmentName>,
    /// Show what it writes until it ends; the exit code is then the run's
    #[arg(short, long)]
    pub follow: bool,
}

/// Reads `NAME=VALUE`.
fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("use NAME=VALUE, as `APP_OWNER=ttd`")?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_word) {
        return Err(format!("`{name}` is no name of a parameter: letters, digits and _"));
    }
    Ok((name.to_owned(), value.to_owned()))
}
