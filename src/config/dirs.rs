//! The folders of altinn-local's own files. Only names are decided here; folders are made by whoever writes first.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::env::{Environment, Variable};
use crate::model::{Code, Report, StackName};

/// Where things are kept. All paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dirs {
    /// Stacks, credentials, logs.
    pub state: PathBuf,
    /// What can be made again.
    pub cache: PathBuf,
    /// Sockets and locks.
    pub runtime: PathBuf,
    /// kind, helm, kubectl.
    pub tools: PathBuf,
    /// What should be kept.
    pub data: PathBuf,
}

impl Dirs {
    /// Decides the folders: each one's own variable, then `ALTINN_LOCAL_HOME`, then what the platform says.
    pub fn resolve(environment: &Environment) -> Result<Self, Report> {
        let home = match environment.get(Variable::Home) {
            Some(home) => Self::below(&absolute(Variable::Home, home)?),
            None => match directories::ProjectDirs::from("no", "altinn", "altinn-local") {
                Some(platform) => Self::of_platform(&platform),
                // Good enough when each folder is named on its own; else the error below tells.
                None => Self::below(Path::new("")),
            },
        };
        let named = |variable: Variable, otherwise: PathBuf| match environment.get(variable) {
            Some(path) => absolute(variable, path),
            None if otherwise.is_absolute() => Ok(otherwise),
            None => Err(homeless()),
        };
        let data = named(Variable::DataDir, home.data)?;
        let tools =
            environment.get(Variable::Home).map_or_else(|| data.join("tools"), |_| home.tools);
        Ok(Self {
            state: named(Variable::StateDir, home.state)?,
            cache: named(Variable::CacheDir, home.cache)?,
            runtime: named(Variable::RuntimeDir, home.runtime)?,
            tools: named(Variable::ToolsDir, tools)?,
            data,
        })
    }

    /// The folder of one stack: credentials, kubeconfigs, journal.
    #[must_use]
    pub fn stack(&self, stack: &StackName) -> PathBuf {
        self.state.join("stacks").join(stack.as_str())
    }

    /// Makes the folder of a stack, so that a read-only home is told before anything else is done.
    pub fn prepare(&self, stack: &StackName) -> Result<PathBuf, Report> {
        let folder = self.stack(stack);
        crate::sys::fs::create_private_dir(&folder).map_err(|report| {
            report.fix(
                "export ALTINN_LOCAL_HOME=FOLDER",
                "keep everything in a folder that can be written to",
            )
        })?;
        Ok(folder)
    }

    /// Whether the nearest folder above the state that is there could be written to; makes nothing. A full or
    /// read-only disk is only seen by writing.
    pub fn check_writable(&self) -> Result<(), Report> {
        let there = self.state.ancestors().find(|folder| folder.exists());
        let writable = there.is_some_and(|folder| {
            std::fs::metadata(folder).is_ok_and(|it| it.is_dir() && !it.permissions().readonly())
        });
        if writable {
            return Ok(());
        }
        Err(Report::new(Code::FileFailed, "the folder for own files cannot be written to")
            .at(self.state.display().to_string())
            .fix(
                "export ALTINN_LOCAL_HOME=FOLDER",
                "keep everything in a folder that can be written to",
            ))
    }

    fn below(home: &Path) -> Self {
        Self {
            state: home.join("state"),
            cache: home.join("cache"),
            runtime: home.join("run"),
            tools: home.join("tools"),
            data: home.join("data"),
        }
    }

    fn of_platform(platform: &directories::ProjectDirs) -> Self {
        // Only Linux tells state, runtime and data apart.
        let data = platform.data_local_dir();
        let state = platform.state_dir().map_or_else(|| data.join("state"), Path::to_path_buf);
        Self {
            cache: platform.cache_dir().to_path_buf(),
            runtime: platform.runtime_dir().map_or_else(|| state.join("run"), Path::to_path_buf),
            tools: data.join("tools"),
            data: data.to_path_buf(),
            state,
        }
    }
}

fn absolute(variable: Variable, path: &str) -> Result<PathBuf, Report> {
    let path = PathBuf::from(path);
    if path.is_absolute() {
        return Ok(path);
    }
    Err(Report::new(Code::FileFailed, format!("`{}` must be an absolute path", variable.name()))
        .why(format!("it is `{}`", path.display())))
}

fn homeless() -> Report {
    Report::new(Code::FileFailed, "there is no home folder to keep files in")
        .why("HOME is not set, and the user database names no folder")
        .fix("export ALTINN_LOCAL_HOME=FOLDER", "keep everything in a folder of your choice")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn resolve(pairs: &[(Variable, &str)]) -> Result<Dirs, Report> {
        Dirs::resolve(&Environment::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn own_variables_win_over_the_common_one() {
        let dirs = resolve(&[(Variable::Home, "/h"), (Variable::CacheDir, "/c")]).unwrap();
        assert_eq!(dirs, Dirs { cache: "/c".into(), ..Dirs::below(Path::new("/h")) });
        assert_eq!(dirs.stack(&"default".parse().unwrap()), Path::new("/h/state/stacks/default"));
    }

    #[test]
    fn tools_stand_beside_data_unless_named() {
        let dirs = resolve(&[(Variable::DataDir, "/d")]).unwrap();
        assert_eq!(dirs.tools, Path::new("/d/tools"));
        let dirs = resolve(&[(Variable::DataDir, "/d"), (Variable::ToolsDir, "/t")]).unwrap();
        assert_eq!(dirs.tools, Path::new("/t"));
    }

    #[test]
    fn relative_paths_are_refused() {
        let report = resolve(&[(Variable::StateDir, "here")]).unwrap_err();
        assert_eq!(report.title, "`ALTINN_LOCAL_STATE_DIR` must be an absolute path");
    }

    #[test]
    fn a_home_that_cannot_be_written_names_the_way_out() {
        // /dev/null is no folder for anybody, root included.
        let dirs = resolve(&[(Variable::Home, "/dev/null")]).unwrap();
        let report = dirs.prepare(&"default".parse().unwrap()).unwrap_err();
        assert_eq!(report.code, Code::FileFailed);
        assert!(report.fixes[0].command.contains("ALTINN_LOCAL_HOME"));
    }
}
