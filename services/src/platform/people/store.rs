//! Where the files lie.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::People;
use super::draft::{self, Draft};
use crate::kit::watched::{Watched, files, print};

/// What the program brings.
const BUILT_IN: &str = include_str!("../../../data/people.yaml");

/// The people of a data folder, read again whenever a file changed.
#[derive(Debug)]
pub struct PeopleStore {
    folder: PathBuf,
    watched: Watched<People>,
}

impl PeopleStore {
    /// The people of `folder/people/` and of the apps in `folder/apps/`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), watched: Watched::default() }
    }

    /// Everybody, as the files say now.
    #[must_use]
    pub fn now(&self) -> Arc<People> {
        let paths = self.paths();
        self.watched.get(print(paths.iter().cloned()), |_| read(&paths))
    }

    fn paths(&self) -> Vec<PathBuf> {
        let mut paths = files(&self.folder.join("people"), &["yaml", "yml", "json"]);
        for org in folders(&self.folder.join("apps")) {
            for app in folders(&org) {
                paths.push(app.join("testData.json"));
            }
        }
        paths
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders
}

/// A file that cannot be read takes nothing from the others; the log and the log-in page tell of it.
fn read(paths: &[PathBuf]) -> People {
    let mut people = People::default();
    let mut add = |name: &str, draft: Result<Draft, String>| match draft {
        Ok(draft) => people.add(draft),
        Err(error) => {
            tracing::error!(file = name, error, "test people cannot be read");
            people.faults.push(format!("{name}: {error}"));
        }
    };
    add("built in", draft::read(BUILT_IN));
    for path in paths {
        match std::fs::read_to_string(path) {
            Ok(text) => add(&path.display().to_string(), draft::read(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => add(&path.display().to_string(), Err(error.to_string())),
        }
    }
    people
}
