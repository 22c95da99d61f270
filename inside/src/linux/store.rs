//! What is synced, kept in the node: it outlives containers, the agent, and a restart of the node. One set for each
//! image; contents are kept once, by their digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use altinn_inside::wire::{Change, Entry, Set};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::apply::Root;
use super::{Fault, digest, told};

/// How many versions before those that run are kept.
const BEFORE: usize = 3;
/// On the node's own volume.
const FOLDER: &str = "/var/lib/altinn-local/synced";

/// A file of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    digest: String,
    #[serde(default)]
    executable: bool,
}

/// The files of one image, by path from the container's root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Synced {
    image: String,
    files: BTreeMap<String, Kept>,
    deleted: BTreeSet<String>,
}

/// The store, locked: neither another writer nor a container that starts meets it half-changed.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    _lock: File,
}

impl Store {
    /// Waits for the lock.
    pub(super) fn open() -> Result<Self, Fault> {
        Self::open_at(Path::new(FOLDER))
    }

    fn open_at(folder: &Path) -> Result<Self, Fault> {
        let opened = fs::create_dir_all(folder.join("contents"))
            .and_then(|()| File::create(folder.join("lock")))
            .and_then(
                |lock| Ok(flock(lock.as_fd(), FlockOperation::LockExclusive).map(|()| lock)?),
            );
        let lock = opened.map_err(told("open the store of synced files"))?;
        Ok(Self { folder: folder.to_path_buf(), _lock: lock })
    }

    fn set_file(&self, image: &str) -> PathBuf {
        self.folder.join(format!("{}.json", digest::of(image.as_bytes())))
    }

    fn content_file(&self, digest: &str) -> PathBuf {
        self.folder.join("contents").join(digest)
    }

    /// The set of an image; an empty one when nothing is synced for it.
    pub(super) fn set(&self, image: &str) -> Result<Synced, Fault> {
        let none = Synced { image: image.to_owned(), ..Synced::default() };
        match fs::read(self.set_file(image)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(told("read a set of synced files")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(none),
            Err(error) => Err(told("read a set of synced files")(error)),
        }
    }

    /// Adds files to a set, and tells the set as it is now.
    pub(super) fn add(&self, image: &str, entries: &[(&Entry, &[u8])]) -> Result<Synced, Fault> {
        let mut set = self.set(image)?;
        for (entry, contents) in entries {
            let path = entry.path.trim_start_matches('/').to_owned();
            match entry.change {
                Change::Write { executable, .. } => {
                    let digest = digest::of(contents);
                    self.keep(&digest, contents).map_err(told("keep a synced file"))?;
                    set.deleted.remove(&path);
                    set.files.insert(path, Kept { digest, executable });
                }
                Change::Delete => {
                    set.files.remove(&path);
                    set.deleted.insert(path);
                }
            }
        }
        self.put(&set)?;
        Ok(set)
    }

    /// Makes this the set of its image.
    pub(super) fn put(&self, set: &Synced) -> Result<(), Fault> {
        let bytes = serde_json::to_vec(set).map_err(told("write a set of synced files"))?;
        replace(&self.set_file(&set.image), &bytes).map_err(told("write a set of synced files"))
    }

    fn keep(&self, digest: &str, contents: &[u8]) -> io::Result<()> {
        let file = self.content_file(digest);
        if file.exists() { Ok(()) } else { replace(&file, contents) }
    }

    /// All sets.
    pub(super) fn sets(&self) -> Result<Vec<Synced>, Fault> {
        let entries = fs::read_dir(&self.folder).map_err(told("list synced files"))?;
        let sets = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        let sets = sets.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
        sets.map(|path| {
            let bytes = fs::read(path).map_err(told("read a set of synced files"))?;
            serde_json::from_slice(&bytes).map_err(told("read a set of synced files"))
        })
        .collect()
    }

    /// Forgets the set of an image, and tells what it was; none when nothing was synced for it.
    pub(super) fn forget(&self, image: &str) -> Result<Option<Synced>, Fault> {
        let set = self.set(image)?;
        match fs::remove_file(self.set_file(image)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(told("forget synced files")(error))
            }
            _ => Ok(Some(set).filter(|set| !set.is_empty())),
        }
    }

    /// Forgets sets of a repository's other images but the last few, which somebody may go back to, and contents that no
    /// set has.
    pub(super) fn keep_only(&self, repository: &str, images: &[String]) -> Result<(), Fault> {
        let of = |set: &Synced| set.image.rsplit_once(':').is_some_and(|(of, _)| of == repository);
        let (others, mut kept): (Vec<_>, Vec<_>) =
            self.sets()?.into_iter().partition(|set| of(set) && !images.contains(&set.image));
        let changed = |set: &Synced| {
            fs::metadata(self.set_file(&set.image)).and_then(|found| found.modified()).ok()
        };
        let mut others: Vec<_> = others.into_iter().map(|set| (changed(&set), set)).collect();
        others.sort_by_key(|(changed, _)| std::cmp::Reverse(*changed));
        for (place, (_, set)) in others.into_iter().enumerate() {
            if place < BEFORE {
                kept.push(set);
            } else {
                self.forget(&set.image)?;
            }
        }
        let files = kept.into_iter().flat_map(|set| set.files.into_values());
        let used: BTreeSet<String> = files.map(|kept| kept.digest).collect();
        let contents = fs::read_dir(self.folder.join("contents"));
        for entry in contents.map_err(told("list synced files"))?.flatten() {
            if !used.contains(&*entry.file_name().to_string_lossy()) {
                // What cannot go now goes the next time.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Files of a set, with their contents.
    pub(super) fn contents(&self, set: &Synced) -> Result<Vec<(String, String, Vec<u8>)>, Fault> {
        let read = |(path, kept): (&String, &Kept)| {
            let bytes =
                fs::read(self.content_file(&kept.digest)).map_err(told("read a synced file"))?;
            Ok((path.clone(), kept.digest.clone(), bytes))
        };
        set.files.iter().map(read).collect()
    }

    /// Puts a whole set into a container's files.
    pub(super) fn apply(&self, set: &Synced, root: &Root) -> Result<(), Fault> {
        for (path, kept) in &set.files {
            let bytes =
                fs::read(self.content_file(&kept.digest)).map_err(told("read a synced file"))?;
            root.write(path, &bytes, kept.executable).map_err(told(&format!("write `/{path}`")))?;
        }
        for path in &set.deleted {
            root.delete(path).map_err(told(&format!("delete `/{path}`")))?;
        }
        Ok(())
    }
}

impl Synced {
    /// Whether nothing is synced.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.deleted.is_empty()
    }

    /// Whether it is the set of this image.
    pub(super) fn is_of(&self, image: &str) -> bool {
        self.image == image
    }

    /// As it is told to the agent.
    pub(super) fn told(self) -> Set {
        Set {
            image: self.image,
            files: self.files.into_iter().map(|(path, kept)| (path, kept.digest)).collect(),
            deleted: self.deleted.into_iter().collect(),
        }
    }
}

/// In one step: a reader sees the old file or the new one.
fn replace(file: &Path, contents: &[u8]) -> io::Result<()> {
    let unfinished = file.with_extension("unfinished");
    fs::write(&unfinished, contents)?;
    fs::rename(unfinished, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &str, len: u64) -> Entry {
        Entry { path: path.to_owned(), change: Change::Write { len, executable: false } }
    }

    #[test]
    fn sets_grow_and_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_at(folder.path()).unwrap();
        let gone = Entry { path: "app/b".to_owned(), change: Change::Delete };
        store.add("r/a:1", &[(&write("/app/a", 1), b"x")]).unwrap();
        let set = store.add("r/a:1", &[(&write("app/b", 1), b"y"), (&gone, b"")]).unwrap();
        assert_eq!(set.files.keys().collect::<Vec<_>>(), ["app/a"]);
        assert_eq!(set.deleted.iter().collect::<Vec<_>>(), ["app/b"]);

        let root = folder.path().join("root");
        fs::create_dir_all(root.join("app")).unwrap();
        fs::write(root.join("app/b"), "old").unwrap();
        store.apply(&set, &Root::open(&root).unwrap()).unwrap();
        assert_eq!(fs::read(root.join("app/a")).unwrap(), b"x");
        assert!(!root.join("app/b").exists());

        store.add("r/a:2", &[(&write("app/c", 1), b"z")]).unwrap();
        store.add("r/other:1", &[(&write("app/d", 1), b"w")]).unwrap();
        let left = |store: &Store| -> BTreeSet<String> {
            store.sets().unwrap().into_iter().map(|set| set.image).collect()
        };
        store.keep_only("r/a", &["r/a:2".to_owned()]).unwrap();
        assert_eq!(left(&store), ["r/a:1", "r/a:2", "r/other:1"].map(str::to_owned).into());
        for number in 3..=5 {
            store.add(&format!("r/a:{number}"), &[(&write("app/c", 1), b"v")]).unwrap();
        }
        store.keep_only("r/a", &["r/a:2".to_owned()]).unwrap();
        let expected = ["r/a:2", "r/a:3", "r/a:4", "r/a:5", "r/other:1"];
        assert_eq!(left(&store), expected.map(str::to_owned).into());
        assert_eq!(fs::read_dir(folder.path().join("contents")).unwrap().count(), 3);
        assert_eq!(store.forget("r/a:2").unwrap().unwrap().files.len(), 1);
        assert_eq!(store.forget("r/a:2").unwrap(), None);
    }
}
