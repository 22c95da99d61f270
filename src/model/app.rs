//! An Altinn app as found in its repository.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{AppName, InvalidName, OrgName, WatchMode, WatchRule};

/// `org/app`, the identity of an app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppId {
    /// The organisation that owns the app.
    pub org: OrgName,
    /// The app's name within the organisation.
    pub app: AppName,
}

impl AppId {
    /// The Helm release, and the image's repository: `<org>-<app>`.
    #[must_use]
    pub fn release(&self) -> String {
        format!("{}-{}", self.org, self.app)
    }

    /// The resource id of the app: `app.<org>.<app>`.
    #[must_use]
    pub fn resource(&self) -> String {
        format!("app.{}.{}", self.org, self.app)
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.org, self.app)
    }
}

impl FromStr for AppId {
    type Err = InvalidName;
    fn from_str(given: &str) -> Result<Self, InvalidName> {
        // Without a slash the app's part is empty, which its own rule refuses.
        let (org, app) = given.split_once('/').unwrap_or((given, ""));
        Ok(Self { org: org.parse()?, app: app.parse()? })
    }
}

impl TryFrom<String> for AppId {
    type Error = InvalidName;
    fn try_from(given: String) -> Result<Self, InvalidName> {
        given.parse()
    }
}

impl From<AppId> for String {
    fn from(id: AppId) -> Self {
        id.to_string()
    }
}

/// An app repository on this machine, checked: its parts exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// From `App/config/applicationmetadata.json`.
    pub id: AppId,
    /// The repository's root: holds `App/` and, usually, `deployment/`.
    pub root: PathBuf,
    /// The build context: the root, or `App/` when the Dockerfile is there.
    pub context: PathBuf,
    /// The Dockerfile, inside the context.
    pub dockerfile: PathBuf,
    /// `deployment/`, when the repository has one.
    pub deployment: Option<PathBuf>,
    /// Build arguments named by the user (`build.args`), which win over ours.
    pub build_args: Vec<(String, String)>,
    /// Extra values files (`deploy.values`), merged in order after the app's own.
    pub values: Vec<PathBuf>,
    /// Globs, relative to the root, that the watcher leaves out (`watch.exclude`).
    pub watch_exclude: Vec<String>,
    /// Which ways a save may take (`watch.mode`).
    #[serde(default)]
    pub watch_mode: WatchMode,
    /// What to do with which files, in order (`watch.rules`).
    #[serde(default)]
    pub watch_rules: Vec<WatchRule>,
    /// How long a deploy may take until the first answer, in seconds (`deploy.timeout`).
    pub deploy_timeout_seconds: u64,
}
