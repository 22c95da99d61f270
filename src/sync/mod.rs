//! Notices what a developer saves. It does not decide what follows from it; the engine does.

mod rules;
mod settle;
mod tree;
mod watch;

pub use watch::{ChangeSet, Watcher};
