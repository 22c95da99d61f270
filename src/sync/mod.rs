//! Notices what a developer saves. It does not decide what follows from it; the engine does.

mod rules;
mod settle;
mod tree;
mod watch;

pub use watch::{ChangeSet, Watcher};

use std::path::Path;

use crate::model::{App, Report};

/// Whether the watcher of an app tells of changes of a file, whose path is relative to the app's root.
pub fn heeds(app: &App, path: &Path) -> Result<bool, Report> {
    Ok(rules::Rules::read(app)?.heeds(path))
}
