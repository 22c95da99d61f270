//! What a changed file means to a running app, and what the user says about it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a file of the build context becomes in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It is in the image with the same bytes, under these absolute paths; at least one.
    Copied(Vec<String>),
    /// Only the project's compiler reads it.
    Compiled {
        /// Whether the same compiler call, made again, gives what a build would give.
        replay: bool,
    },
    /// Only a whole build tells; the reason in a few words that follow "because".
    Rebuild(String),
    /// It is not in the image.
    Nowhere,
}

/// Which ways a save may take (`watch.mode`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WatchMode {
    /// The lightest one that is right.
    #[default]
    Auto,
    /// Never into a running container: each save becomes an image and a new pod.
    Image,
    /// Always the whole Dockerfile.
    Build,
}

impl WatchMode {
    /// Its word in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Image => "image",
            Self::Build => "build",
        }
    }
}

impl fmt::Display for WatchMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the user wants done with files (`watch.rules[].action`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WatchAction {
    /// Write them into the running containers.
    Sync,
    /// Build the whole Dockerfile.
    Rebuild,
    /// Write them into the running containers and start the app's process anew.
    Restart,
    /// Leave them alone.
    Ignore,
    /// Write them into the running containers and load the page anew.
    Reload,
}

impl WatchAction {
    /// Its word in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Rebuild => "rebuild",
            Self::Restart => "restart",
            Self::Ignore => "ignore",
            Self::Reload => "reload",
        }
    }
}

impl fmt::Display for WatchAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule of the user's (`watch.rules`). The first one whose glob matches a path decides about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchRule {
    /// Relative to the app's root; the same language as `watch.exclude`.
    pub glob: String,
    /// What to do.
    pub action: WatchAction,
    /// Where in the image, absolute: a file, or with a slash at the end a folder, which gets the part of the path
    /// that follows the glob's fixed folders. Without it the Dockerfile and the project tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What open pages do after a save.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Reload {
    /// Nothing.
    #[default]
    None,
    /// Style sheets are swapped in place.
    Css,
    /// The page is loaded anew.
    Page,
}
