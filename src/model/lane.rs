//! How a save gets live.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The way a save takes, from the lightest to the heaviest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Nothing follows from it.
    Ignore,
    /// A widget's dev server has seen it by itself.
    Widget,
    /// Its bytes are written into the running containers.
    Asset,
    /// Compiled in a warm build container, written into the running containers, the app's process restarted in place.
    Code,
    /// Helm alone: values, chart, the master file.
    Config,
    /// Compiled in a warm build container, pushed as one layer, rolled out as a new pod.
    Layer,
    /// The whole Dockerfile, pushed, and rolled out by Helm.
    Build,
}

impl Lane {
    /// Its name for people and for scripts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Widget => "widget",
            Self::Asset => "asset",
            Self::Code => "code",
            Self::Config => "config",
            Self::Layer => "layer",
            Self::Build => "build",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
