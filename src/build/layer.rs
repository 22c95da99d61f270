//! One layer of an image as a plain tar: equal entries make equal bytes, and so the same digest.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;

use crate::model::{Code, Report};
use crate::sys::registry::digest;

/// A change to one path of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Absolute, with forward slashes, as `/app/wwwroot/site.css`.
    pub path: String,
    /// What is there from now on; none when it goes.
    pub file: Option<File>,
}

/// A file of an image. It belongs to root and everybody may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What it holds.
    pub bytes: Bytes,
    /// Whether everybody may execute it.
    pub executable: bool,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// A plain tar.
    pub bytes: Bytes,
    /// Its digest, which is also the id of what it unpacks to, as nothing is compressed.
    pub digest: String,
}

impl Layer {
    /// The layer with these changes; of several to one path the last counts.
    pub fn of(entries: &[Entry]) -> Result<Self, Report> {
        let mut changes = BTreeMap::new();
        for entry in entries {
            changes.insert(inside(&entry.path)?, entry.file.as_ref());
        }
        let bytes = Bytes::from(
            tar(&changes)
                .map_err(|error| Report::bug("a layer could not be written in memory", &error))?,
        );
        Ok(Self { digest: digest(&bytes), bytes })
    }
}

/// A path as layers name it: from the root, without the leading slash.
fn inside(path: &str) -> Result<&str, Report> {
    let bad = |name: &str| matches!(name, "" | "." | "..") || name.starts_with(WHITEOUT);
    match path.strip_prefix('/') {
        Some(inside) if !inside.split('/').any(bad) => Ok(inside),
        _ => Err(Report::new(Code::Bug, "a layer cannot hold such a path").at(path)),
    }
}

/// What marks a path as gone (contract: opencontainers/image-spec, `layer.md`, "Whiteouts").
const WHITEOUT: &str = ".wh.";

fn tar(changes: &BTreeMap<&str, Option<&File>>) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, file) in changes {
        match file {
            Some(file) => append(&mut archive, path, &file.bytes, file.executable)?,
            // A folder that takes a file's place hides it by itself; both in one layer would contradict each other.
            None if changes.keys().any(|other| is_below(other, path)) => {}
            None => append(&mut archive, &whiteout(path), &[], false)?,
        }
    }
    archive.into_inner()
}

fn append(
    archive: &mut tar::Builder<Vec<u8>>,
    path: &str,
    bytes: &[u8],
    executable: bool,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(bytes.len() as u64);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    archive.append_data(&mut header, path, bytes)
}

fn whiteout(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/{WHITEOUT}{name}"),
        None => format!("{WHITEOUT}{path}"),
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn put(path: &str, text: &str, executable: bool) -> Entry {
        let bytes = Bytes::from(text.to_owned());
        Entry { path: path.to_owned(), file: Some(File { bytes, executable }) }
    }

    fn gone(path: &str) -> Entry {
        Entry { path: path.to_owned(), file: None }
    }

    fn listed(layer: &Layer) -> Vec<String> {
        let mut archive = tar::Archive::new(&layer.bytes[..]);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let header = entry.header();
            assert_eq!(
                (header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()),
                (0, 0, 0)
            );
            let mode = header.mode().unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            format!("{mode:o} {path} {text}")
        });
        entries.collect()
    }

    #[test]
    fn changes_become_files_and_whiteouts() {
        let long = format!("/app/{}/x", "long".repeat(40));
        for (entries, expected) in [
            (
                vec![put("/b", "2", false), put("/a/b", "1", true), put("/b", "3", false)],
                vec!["755 a/b 1".to_owned(), "644 b 3".to_owned()],
            ),
            (
                vec![gone("/app/wwwroot/a.css"), gone("/x")],
                vec!["644 app/wwwroot/.wh.a.css ".to_owned(), "644 .wh.x ".to_owned()],
            ),
            (vec![gone("/a"), put("/a/b", "", false)], vec!["644 a/b ".to_owned()]),
            (vec![put(&long, "é", false)], vec![format!("644 {} é", &long[1..])]),
        ] {
            assert_eq!(listed(&Layer::of(&entries).unwrap()), expected);
        }
    }

    #[test]
    fn the_order_does_not_matter() {
        let (a, b) = (put("/a", "1", false), gone("/b"));
        let layer = Layer::of(&[a.clone(), b.clone()]).unwrap();
        assert_eq!(Layer::of(&[b, a]).unwrap(), layer);
        assert_eq!(layer.digest, digest(&layer.bytes));
    }

    #[test]
    fn paths_stay_below_the_root() {
        for path in ["a", "", "/", "/a/../b", "/./a", "/a//b", "/a/.wh.b", "/a/"] {
            assert_eq!(Layer::of(&[gone(path)]).unwrap_err().code, Code::Bug, "{path}");
        }
    }
}
