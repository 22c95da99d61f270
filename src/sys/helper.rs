//! Finds the helper that runs inside containers: a static Linux program (`inside/` in the source), also where we
//! ourselves run on another system.

use std::path::Path;

use bytes::Bytes;

use super::fs::read_if_there;
use super::machine::architecture;
use super::registry;
use crate::model::{Code, Label, Report};

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

/// The helper for this machine's processor, beside our own program or in the folder of tools. Where there is none, all
/// works but what needs it: the report is then a notice and no error.
pub fn find(tools: &Path) -> Result<Helper, Report> {
    let own = std::env::current_exe().ok();
    find_in([own.as_deref().and_then(Path::parent), Some(tools)].into_iter().flatten())
}

fn find_in<'a>(folders: impl Iterator<Item = &'a Path>) -> Result<Helper, Report> {
    let name = format!("altinn-inside-linux-{}", architecture());
    let mut tried = Vec::new();
    for folder in folders {
        match read_if_there(&folder.join(&name))? {
            Some(bytes) => return Ok(Helper::new(bytes)),
            None => tried.push(format!("`{}`", folder.display())),
        }
    }
    Err(Report::new(Code::ToolMissing, "saves are not written into running containers")
        .label(Label::Missing, format!("the helper for containers, `{name}`"))
        .label(Label::Tried, tried.join(" and "))
        .label(Label::Without, "each save is built and deployed as a new image")
        .fix("scripts/tools/inside", "builds it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_that_has_it_wins() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (root.path().join("one"), root.path().join("two"));
        let found = || find_in([one.as_path(), two.as_path()].into_iter());
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
