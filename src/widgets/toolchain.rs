//! The programs that widgets are made with.

use std::path::{Path, PathBuf};

use crate::config::env::Environment;
use crate::model::Report;
use crate::sys::process::Program;
use crate::sys::tools;

/// Node and its npm, as found on PATH.
#[derive(Debug, Clone)]
pub struct Toolchain {
    node: PathBuf,
    npm: PathBuf,
}

impl Toolchain {
    /// Finds both, or tells how to get them.
    pub fn find(environment: &Environment, tools_dir: &Path) -> Result<Self, Report> {
        let find = |name| tools::find(name, environment, tools_dir);
        Ok(Self { node: find("node")?, npm: find("npm")? })
    }

    // Tests with programs of a shell run where there is one.
    #[cfg(all(test, unix))]
    pub(super) fn of(node: &str, npm: &str) -> Self {
        Self { node: node.into(), npm: npm.into() }
    }

    /// Node in a project's folder.
    pub(super) fn node(&self, project: &Path) -> Program {
        in_project(&self.node, project)
    }

    /// npm in a project's folder. It asks nobody for newer versions, advice or donations.
    pub(super) fn npm(&self, project: &Path) -> Program {
        ["update_notifier", "audit", "fund"]
            .into_iter()
            .fold(in_project(&self.npm, project), |npm, name| {
                npm.env(format!("npm_config_{name}"), "false")
            })
    }
}

/// Its output is read, not looked at.
fn in_project(program: &Path, project: &Path) -> Program {
    Program::new(program).directory(project).env("NO_COLOR", "1").env("BROWSER", "none")
}
