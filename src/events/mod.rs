//! The event stream: the only way out of the engine. Terminal, log file, JSON and browser are folds of it.

mod event;
mod journal;
mod scope;

pub use event::{Event, EventKind, Stage};
pub use journal::Journal;
pub use scope::StepScope;
pub(crate) use scope::clean;
