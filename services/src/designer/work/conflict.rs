//! Conflicts of a merge, until each is resolved: one side taken whole, or the text written anew.
//!
//! Git's marks say which texts nobody has looked at. What cannot bear marks, as an image, or a file that one side
//! deleted, stands in the folder as one side has it; a list beside the merge says that somebody has to choose.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::files;
use super::git::{Copy, conflict, fault};
use super::place::Place;
use crate::kit::fault::Fault;

impl Copy {
    fn root(&self) -> &Path {
        self.repository.workdir().unwrap_or(Path::new(""))
    }

    /// The list, in the repository's own folder; a new merge writes it anew.
    fn list(&self) -> PathBuf {
        self.repository.path().join("altinn-to-choose")
    }

    fn to_choose(&self) -> BTreeSet<String> {
        let text = std::fs::read_to_string(self.list()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn put_list(&self, paths: &BTreeSet<String>) -> Result<(), Fault> {
        let text: String = paths.iter().flat_map(|path| [path, "\n"]).collect();
        std::fs::write(self.list(), text).map_err(Fault::internal)
    }

    /// Notes which conflicts of a merge that just began show no marks.
    pub(super) fn begin_choosing(&self) -> Result<(), Fault> {
        let unmarked = |path: &String| !self.is_marked(path);
        self.put_list(&self.conflicts()?.into_iter().filter(unmarked).collect())
    }

    /// A person wrote or deleted this file, which is a choice where one is open.
    pub(in crate::designer) fn chosen(&self, place: &Place) -> Result<(), Fault> {
        let mut open = self.to_choose();
        if self.merging() && open.remove(place.as_str()) {
            return self.put_list(&open);
        }
        Ok(())
    }

    /// Whether the text still shows git's marks.
    fn is_marked(&self, path: &str) -> bool {
        let text = std::fs::read(self.root().join(path)).unwrap_or_default();
        text.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<< "))
    }

    pub(super) fn is_resolved(&self, path: &str) -> bool {
        !self.to_choose().contains(path) && !self.is_marked(path)
    }

    /// A merge does not end before each conflict was resolved by somebody.
    pub(super) fn refuse_unresolved(&self) -> Result<(), Fault> {
        match self.conflicts()?.into_iter().find(|path| !self.is_resolved(path)) {
            None => Ok(()),
            Some(path) => {
                let detail = format!("`{path}` still has a conflict.");
                Err(conflict("unresolved", detail).with("path", path))
            }
        }
    }

    /// Takes one side of a conflict whole. `mine` is what this copy had committed.
    pub(in crate::designer) fn resolve(&self, place: &Place, mine: bool) -> Result<(), Fault> {
        let path = place.under(self.root())?;
        let index = self.repository.index().map_err(|error| fault(&error))?;
        let found = index
            .conflict_get(Path::new(place.as_str()))
            .map_err(|_| conflict("no-conflict", "That file has no conflict."))?;
        let side = if mine { found.our } else { found.their };
        match side {
            Some(entry) => {
                let blob = self.repository.find_blob(entry.id).map_err(|error| fault(&error))?;
                files::put(&path, blob.content())?;
            }
            None => drop(std::fs::remove_file(&path)),
        }
        self.chosen(place)
    }
}
