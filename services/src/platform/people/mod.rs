//! The test people, their parties and roles (`platform-api.md` §9): files that are looked at on each request.
//!
//! Later files add to earlier ones: first what the program brings, then the folder `people/`, then what apps bring in
//! `apps/{org}/{app}/testData.json`.

mod draft;
mod find;
mod merge;
pub mod party;
mod store;
#[cfg(test)]
mod tests;

pub use draft::{Org, Person, System, SystemUser};
pub use store::PeopleStore;

/// Whether a file can be read; the text says why not.
pub fn check(text: &str) -> Result<(), String> {
    draft::read(text).map(drop)
}

/// Everybody, as of now.
#[derive(Debug, Default)]
pub struct People {
    /// Persons, by user id.
    pub persons: Vec<Person>,
    /// Organisations in the order of the files.
    pub orgs: Vec<Org>,
    /// Systems and their users.
    pub systems: Vec<System>,
    /// Files that could not be read, and why.
    pub faults: Vec<String>,
}
