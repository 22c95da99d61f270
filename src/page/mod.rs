//! What open pages of apps are told: which files are new, and why a build failed. A fold of the journal for one app at
//! a time, served to the script that the router puts into pages. Whoever can reach the router can ask, pods included;
//! so there is nothing secret in it, and nothing of another organisation's app.

mod excerpt;
mod news;
mod service;
#[cfg(test)]
mod tests;

pub use news::{Broken, Finding, News, Told};
pub use service::{Pages, converse};
