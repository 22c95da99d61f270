//! Finds our own static Linux programs, also where we ourselves run on another system: the helper that runs inside
//! containers (`inside/` in the source) and the platform's services (`services/`).

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::fs::read_if_there;
use super::machine::architecture;
use super::registry;
use crate::model::{Code, Label, Report, hex};

/// The program, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Helper {
    /// The file.
    pub bytes: Bytes,
    /// `sha256:…` of the file.
    pub digest: String,
}

impl std::fmt::Debug for Helper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Helper").field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Helper {
    /// A helper with these contents.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { digest: registry::digest(&bytes), bytes }
    }

    /// Six digits that change with the program.
    #[must_use]
    pub fn short(&self) -> &str {
        let digits = self.digest.strip_prefix("sha256:").unwrap_or(&self.digest);
        digits.get(..6).unwrap_or(digits)
    }
}

/// The program of the platform's services. It is large and seldom needed, so it stays on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    /// The file.
    pub path: PathBuf,
}

impl Services {
    /// `sha256:…` of the file, which is read for it: a few hundredths of a second of blocking work.
    pub fn digest(&self) -> Result<String, Report> {
        digest_of(&self.path).map_err(|error| {
            Report::new(Code::FileFailed, "a program of ours cannot be read")
                .at(self.path.display().to_string())
                .why(error.to_string())
        })
    }
}

/// The helper for this machine's processor, beside our own program or in the folder of tools. Where there is none, all
/// works but what needs it: the report is then a notice and no error.
pub fn find(tools: &Path) -> Result<Helper, Report> {
    find_in(&folders(tools))
}

fn find_in(folders: &[PathBuf]) -> Result<Helper, Report> {
    let name = named("altinn-inside");
    for folder in folders {
        if let Some(bytes) = read_if_there(&folder.join(&name))? {
            return Ok(Helper::new(bytes));
        }
    }
    Err(Report::new(Code::ToolMissing, "saves are not written into running containers")
        .label(Label::Missing, format!("the helper for containers, `{name}`"))
        .label(Label::Tried, tried(folders))
        .label(Label::Without, "each save is built and deployed as a new image")
        .fix("scripts/tools/inside", "builds it"))
}

/// The services' program, found as [`find`] finds the helper. Without it there is no platform for apps to call.
pub fn services(tools: &Path) -> Result<Services, Report> {
    let (folders, name) = (folders(tools), named("altinn-services"));
    let path = folders.iter().map(|folder| folder.join(&name)).find(|path| path.is_file());
    path.map(|path| Services { path }).ok_or_else(|| {
        Report::new(Code::ToolMissing, "the platform's services are not on this machine")
            .label(Label::Missing, format!("their program, `{name}`"))
            .label(Label::Tried, tried(&folders))
            .fix("scripts/tools/services", "builds it")
    })
}

fn named(program: &str) -> String {
    format!("{program}-linux-{}", architecture())
}

fn folders(tools: &Path) -> Vec<PathBuf> {
    let own = std::env::current_exe().ok();
    let own = own.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    own.into_iter().chain([tools.to_path_buf()]).collect()
}

fn tried(folders: &[PathBuf]) -> String {
    let names: Vec<String> =
        folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
    names.join(" and ")
}

fn digest_of(path: &Path) -> std::io::Result<String> {
    let (mut file, mut sum) = (std::fs::File::open(path)?, Sha256::new());
    let mut part = vec![0; 128 * 1024];
    loop {
        match file.read(&mut part)? {
            0 => break,
            length => sum.update(&part[..length]),
        }
    }
    Ok(format!("sha256:{}", hex(&sum.finalize(), 32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_that_has_it_wins() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (root.path().join("one"), root.path().join("two"));
        let found = || find_in(&[one.clone(), two.clone()]);
        let report = found().unwrap_err();
        assert_eq!(report.code, Code::ToolMissing);
        assert_eq!(report.fixes[0].command, "scripts/tools/inside");
        for (folder, contents) in [(&two, "2"), (&one, "1")] {
            std::fs::create_dir(folder).unwrap();
            let name = format!("altinn-inside-linux-{}", architecture());
            std::fs::write(folder.join(name), contents).unwrap();
            assert_eq!(found().unwrap(), Helper::new(contents));
        }
        assert_eq!(found().unwrap().short(), "6b86b2");
    }
}
