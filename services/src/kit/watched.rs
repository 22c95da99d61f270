//! Files that people edit while the service runs: looked at on each request, read again only when they changed.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// What was read from some files, and a print of the files it was read from.
#[derive(Debug)]
pub struct Watched<T> {
    kept: Mutex<Option<Kept<T>>>,
}

#[derive(Debug)]
struct Kept<T> {
    print: Print,
    value: Arc<T>,
}

/// Path, size, time of change and (where there is one) number of each file.
pub type Print = Vec<(PathBuf, u64, Option<SystemTime>, u64)>;

impl<T> Default for Watched<T> {
    fn default() -> Self {
        Self { kept: Mutex::new(None) }
    }
}

impl<T> Watched<T> {
    /// The value that belongs to `print`; `read` makes it when the files are not those of last time. A reading that
    /// fails must give a usable value itself: what serves must go on serving.
    pub fn get(&self, print: Print, read: impl FnOnce(Option<&Arc<T>>) -> T) -> Arc<T> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref()
            && kept.print == print
        {
            return kept.value.clone();
        }
        let value = Arc::new(read(kept.as_ref().map(|kept| &kept.value)));
        *kept = Some(Kept { print, value: value.clone() });
        value
    }
}

/// Looks at files; those that are missing leave no trace.
pub fn print(paths: impl IntoIterator<Item = PathBuf>) -> Print {
    paths
        .into_iter()
        .filter_map(|path| {
            let found = std::fs::metadata(&path).ok()?;
            Some((path, found.len(), found.modified().ok(), number(&found)))
        })
        .collect()
}

#[cfg(unix)]
fn number(found: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    // An edit of the same size within one tick of the clock shows in the time of the inode's change or in its number.
    found.ino() ^ found.ctime_nsec().unsigned_abs().rotate_left(32)
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> u64 {
    0
}

/// The files of a folder with one of these endings, by name; a missing folder has none.
#[must_use]
pub fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| {
                endings.iter().any(|known| known.eq_ignore_ascii_case(ending))
            })
        })
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_seen_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.json");
        let watched = Watched::default();
        let mut readings = 0;
        let mut look = || {
            let text = watched.get(print(files(folder.path(), &["json"])), |_| {
                readings += 1;
                std::fs::read_to_string(&file).unwrap_or_default()
            });
            (text.to_string(), readings)
        };
        assert_eq!(look(), (String::new(), 1));
        std::fs::write(&file, "a").unwrap();
        assert_eq!(look(), ("a".to_owned(), 2));
        assert_eq!(look(), ("a".to_owned(), 2));
        std::fs::write(&file, "b").unwrap();
        assert_eq!(look(), ("b".to_owned(), 3));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(look(), (String::new(), 4));
    }
}
