//! What a working copy tells of itself: its state, its changes line by line, its commits.

use std::path::Path;

use git2::{Patch, Status, StatusOptions};
use schemars::JsonSchema;
use serde::Serialize;

use super::git::{Copy, fault};
use super::place::Place;
use crate::kit::date::Date;
use crate::kit::fault::Fault;

/// Lines of one file's changes that are told.
const LINES: usize = 5_000;

/// How a working copy stands to its last commit and to Gitea.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct State {
    branch: String,
    /// The commit that is checked out; none in an empty repository.
    commit: Option<String>,
    /// Whether Gitea has the branch.
    published: bool,
    /// Commits that Gitea does not have, and those that only Gitea has, as of the last fetch.
    ahead_by: usize,
    behind_by: usize,
    merging: bool,
    changes: Vec<Change>,
}

/// A file that differs from the last commit.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Change {
    file_path: String,
    /// `added`, `modified`, `deleted` or `conflict`.
    file_status: &'static str,
    /// Of a conflict, whether somebody has resolved it.
    resolved: bool,
}

/// Names of branches.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::designer) struct Branches {
    pub(super) current: String,
    pub(super) names: Vec<String>,
}

/// A commit.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::designer) struct Commit {
    sha: String,
    message: String,
    author: String,
    date: Option<Date>,
    /// Whether Gitea has it.
    pushed: bool,
}

/// One line of a file's changes.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::designer) struct Line {
    /// ` ` the same, `+` added, `-` removed, `@` where lines were left out.
    kind: char,
    text: String,
    /// Its number in the committed file and in the file as it is.
    old: Option<u32>,
    new: Option<u32>,
}

/// A file's changes.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::designer) struct Diff {
    /// Whether it is no text.
    binary: bool,
    /// Whether there are more lines than are told.
    cut: bool,
    lines: Vec<Line>,
}

impl Commit {
    pub(super) fn new(commit: &git2::Commit<'_>, pushed: bool) -> Self {
        Self {
            sha: commit.id().to_string(),
            message: String::from_utf8_lossy(commit.message_bytes()).trim().to_owned(),
            author: String::from_utf8_lossy(commit.author().name_bytes()).into_owned(),
            date: Date::from_micros(commit.time().seconds().saturating_mul(1_000_000)),
            pushed,
        }
    }
}

impl Copy {
    pub(in crate::designer) fn state(&self) -> Result<State, Fault> {
        let (head, theirs) = (self.head(), self.theirs());
        let (ahead_by, behind_by) = match (head, theirs) {
            (Some(own), Some(other)) => {
                self.repository.graph_ahead_behind(own, other).map_err(|error| fault(&error))?
            }
            (Some(_), None) => (self.commits(1_000)?.len(), 0),
            (None, _) => (0, 0),
        };
        Ok(State {
            branch: self.branch()?,
            commit: head.map(|commit| commit.to_string()),
            published: theirs.is_some(),
            ahead_by,
            behind_by,
            merging: self.merging(),
            changes: self.changes()?,
        })
    }

    /// The files that differ from the last commit, by path.
    pub(in crate::designer) fn changes(&self) -> Result<Vec<Change>, Fault> {
        let mut options = StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true);
        let found = self.repository.statuses(Some(&mut options)).map_err(|error| fault(&error))?;
        let mut changes: Vec<Change> = found
            .iter()
            .filter_map(|entry| {
                let file_path = String::from_utf8(entry.path_bytes().to_vec()).ok()?;
                let status = entry.status();
                let is = |flags: Status| status.intersects(flags);
                let file_status = if is(Status::CONFLICTED) {
                    "conflict"
                } else if is(Status::WT_DELETED)
                    || (is(Status::INDEX_DELETED) && !is(Status::WT_NEW))
                {
                    "deleted"
                } else if is(Status::INDEX_NEW)
                    || (is(Status::WT_NEW) && !is(Status::INDEX_DELETED))
                {
                    "added"
                } else {
                    "modified"
                };
                let resolved = file_status == "conflict" && self.is_resolved(&file_path);
                Some(Change { file_path, file_status, resolved })
            })
            .collect();
        changes.sort_by(|one, other| one.file_path.cmp(&other.file_path));
        Ok(changes)
    }

    /// Paths whose merge needs a person.
    pub(super) fn conflicts(&self) -> Result<Vec<String>, Fault> {
        let changes = self.changes()?.into_iter();
        Ok(changes
            .filter(|change| change.file_status == "conflict")
            .map(|change| change.file_path)
            .collect())
    }

    /// What differs in a file from the last commit.
    pub(in crate::designer) fn diff(&self, place: &Place) -> Result<Diff, Fault> {
        let root = self.repository.workdir().unwrap_or(Path::new(""));
        let now = std::fs::read(place.under(root)?).unwrap_or_default();
        let before = self.committed(place);
        let binary = now.contains(&0) || before.contains(&0);
        let mut diff = Diff { binary, cut: false, lines: Vec::new() };
        if binary {
            return Ok(diff);
        }
        let patch = Patch::from_buffers(&before, None, &now, None, None);
        let patch = patch.map_err(|error| fault(&error))?;
        for hunk in 0..patch.num_hunks() {
            if hunk > 0 {
                diff.lines.push(Line { kind: '@', text: String::new(), old: None, new: None });
            }
            for index in 0..patch.num_lines_in_hunk(hunk).map_err(|error| fault(&error))? {
                let line = patch.line_in_hunk(hunk, index).map_err(|error| fault(&error))?;
                if !matches!(line.origin(), ' ' | '+' | '-') {
                    continue;
                }
                if diff.lines.len() == LINES {
                    diff.cut = true;
                    return Ok(diff);
                }
                diff.lines.push(Line {
                    kind: line.origin(),
                    text: String::from_utf8_lossy(line.content())
                        .trim_end_matches(['\r', '\n'])
                        .to_owned(),
                    old: line.old_lineno(),
                    new: line.new_lineno(),
                });
            }
        }
        Ok(diff)
    }

    /// A file as the last commit has it; nothing when it has none.
    fn committed(&self, place: &Place) -> Vec<u8> {
        let read = || {
            let tree = self.repository.find_commit(self.head()?).ok()?.tree().ok()?;
            let entry = tree.get_path(Path::new(place.as_str())).ok()?;
            let blob = self.repository.find_blob(entry.id()).ok()?;
            Some(blob.content().to_vec())
        };
        read().unwrap_or_default()
    }
}
