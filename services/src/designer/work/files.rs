//! Files of a working copy: list, read, write, move, delete.

use std::io::ErrorKind;
use std::path::Path;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use schemars::JsonSchema;
use serde::Serialize;

use super::place::Place;
use crate::kit::fault::Fault;

/// A text may be this long to be edited, in bytes.
pub(in crate::designer) const TEXT: usize = 2 * 1024 * 1024;
/// A file may be this long to be sent here, or given out, in bytes; larger ones are git's own business.
pub(in crate::designer) const WHOLE: usize = 10 * 1024 * 1024;
/// More files than this are not listed.
const MOST: usize = 10_000;

/// A file as the list has it.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::designer) struct Listed {
    pub(in crate::designer) path: String,
    /// In bytes.
    size: u64,
}

/// A file with its contents.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::designer) struct Contents {
    pub(in crate::designer) path: String,
    /// In bytes.
    pub(in crate::designer) size: u64,
    /// Changes with every change of the contents.
    pub(in crate::designer) etag: String,
    /// `None` for what is no UTF-8 text, or is too long to be edited.
    pub(in crate::designer) text: Option<String>,
}

/// What the writer believes to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::designer) enum Expected {
    /// No file yet.
    Nothing,
    /// A file with this etag.
    Etag(String),
}

pub(in crate::designer) fn list(root: &Path) -> Result<Vec<Listed>, Fault> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Fault::internal)? {
            let entry = entry.map_err(Fault::internal)?;
            let kind = entry.file_type().map_err(Fault::internal)?;
            if kind.is_dir() && entry.file_name() != ".git" {
                folders.push(entry.path());
            } else if kind.is_file() && files.len() < MOST {
                let path = entry.path();
                let below = path.strip_prefix(root).map_err(Fault::internal)?;
                // A name that is no text cannot be asked for.
                let Some(below) = below.to_str() else { continue };
                let size = entry.metadata().map_or(0, |found| found.len());
                files.push(Listed { path: below.replace('\\', "/"), size });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

pub(in crate::designer) fn read(root: &Path, place: &Place) -> Result<Contents, Fault> {
    let path = place.under(root)?;
    let size = match std::fs::symlink_metadata(&path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing(place)),
        Err(error) => return Err(Fault::internal(error)),
    };
    let path_text = place.as_str().to_owned();
    if size > WHOLE as u64 {
        let etag = format!("large-{size}");
        return Ok(Contents { path: path_text, size, etag, text: None });
    }
    let bytes = std::fs::read(&path).map_err(Fault::internal)?;
    let etag = etag(&bytes);
    let short = bytes.len() <= TEXT;
    // Gitea and git take a NUL for the mark of a file that is no text.
    let text = String::from_utf8(bytes).ok().filter(|text| short && !text.contains('\0'));
    Ok(Contents { path: path_text, size, etag, text })
}

/// A file as it is.
pub(in crate::designer) fn bytes(root: &Path, place: &Place) -> Result<Vec<u8>, Fault> {
    let size = read(root, place)?.size;
    if size > WHOLE as u64 {
        let detail = format!("`{}` is too large to be given out here: use git.", place.as_str());
        return Err(Fault::problem(StatusCode::CONFLICT, detail).with("code", "too-large"));
    }
    std::fs::read(place.under(root)?).map_err(Fault::internal)
}

/// Writes a file whole: readers see the old or the new one. Gives the new etag.
pub(in crate::designer) fn write(
    root: &Path,
    place: &Place,
    expected: &Expected,
    contents: &[u8],
) -> Result<String, Fault> {
    let path = place.under(root)?;
    check(root, place, expected)?;
    put(&path, contents)?;
    Ok(etag(contents))
}

/// Puts a file where [`Place::under`] said. A new script is executable.
pub(in crate::designer) fn put(path: &Path, contents: &[u8]) -> Result<(), Fault> {
    let folder = path.parent().ok_or_else(|| Fault::internal("a file without a folder"))?;
    std::fs::create_dir_all(folder).map_err(Fault::internal)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.new~"));
    std::fs::write(&beside, contents).map_err(Fault::internal)?;
    match std::fs::metadata(path) {
        // Scripts stay executable.
        Ok(found) => drop(std::fs::set_permissions(&beside, found.permissions())),
        Err(_) if contents.starts_with(b"#!") => allow_running(&beside),
        Err(_) => {}
    }
    std::fs::rename(&beside, path).map_err(Fault::internal)
}

#[cfg(unix)]
fn allow_running(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755));
}

#[cfg(not(unix))]
fn allow_running(_: &Path) {}

pub(in crate::designer) fn delete(
    root: &Path,
    place: &Place,
    expected: &Expected,
) -> Result<(), Fault> {
    let path = place.under(root)?;
    check(root, place, expected)?;
    std::fs::remove_file(&path).map_err(Fault::internal)?;
    prune(root, &path);
    Ok(())
}

/// Moves a file to a place where there is none.
pub(in crate::designer) fn rename(root: &Path, from: &Place, to: &Place) -> Result<(), Fault> {
    let (source, target) = (from.under(root)?, to.under(root)?);
    if !source.is_file() {
        return Err(missing(from));
    }
    if target.exists() {
        let detail = format!("`{}` is there already.", to.as_str());
        return Err(Fault::problem(StatusCode::CONFLICT, detail).with("code", "exists"));
    }
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(Fault::internal)?;
    }
    std::fs::rename(&source, &target).map_err(Fault::internal)?;
    prune(root, &source);
    Ok(())
}

/// Git knows no empty folders, so none stay behind.
fn prune(root: &Path, path: &Path) {
    let mut folder = path.parent();
    while let Some(empty) = folder.filter(|folder| *folder != root) {
        if std::fs::remove_dir(empty).is_err() {
            return;
        }
        folder = empty.parent();
    }
}

fn check(root: &Path, place: &Place, expected: &Expected) -> Result<(), Fault> {
    let found = match read(root, place) {
        Ok(found) => Some(found.etag),
        Err(fault) if fault.status() == StatusCode::NOT_FOUND => None,
        Err(fault) => return Err(fault),
    };
    match (expected, found) {
        (Expected::Nothing, None) => Ok(()),
        (Expected::Etag(wanted), Some(found)) if *wanted == found => Ok(()),
        (Expected::Etag(_), None) => Err(missing(place)),
        _ => {
            let detail = format!("`{}` has changed meanwhile.", place.as_str());
            Err(Fault::problem(StatusCode::PRECONDITION_FAILED, detail).with("code", "changed"))
        }
    }
}

fn missing(place: &Place) -> Fault {
    let detail = format!("There is no file `{}`.", place.as_str());
    Fault::problem(StatusCode::NOT_FOUND, detail).with("code", "no-file")
}

fn etag(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, bytes).as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::new(text).unwrap()
    }

    #[test]
    fn nobody_writes_over_what_they_have_not_seen() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let file = place("App/a.json");
        let first = write(root, &file, &Expected::Nothing, b"1").unwrap();
        let again = write(root, &file, &Expected::Nothing, b"2").unwrap_err();
        assert_eq!(again.status(), 412);
        let second = write(root, &file, &Expected::Etag(first.clone()), b"2").unwrap();
        assert_ne!(first, second);
        assert_eq!(write(root, &file, &Expected::Etag(first), b"3").unwrap_err().status(), 412);
        assert_eq!(read(root, &file).unwrap().text.as_deref(), Some("2"));
        rename(root, &file, &place("b.json")).unwrap();
        assert_eq!(read(root, &file).unwrap_err().status(), 404);
        assert!(!root.join("App").exists());
        assert_eq!(rename(root, &file, &place("c")).unwrap_err().status(), 404);
        delete(root, &place("b.json"), &Expected::Etag(second)).unwrap();
        assert!(list(root).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_text_or_too_long_is_not_given_as_text() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (name, bytes) in [("a", &b"\xff\xfe"[..]), ("b", b"x\0y"), ("c", &vec![b'x'; TEXT + 1])]
        {
            std::fs::write(root.join(name), bytes).unwrap();
            let found = read(root, &place(name)).unwrap();
            assert_eq!((found.text, found.size), (None, bytes.len() as u64), "{name}");
            assert_eq!(super::bytes(root, &place(name)).unwrap(), bytes, "{name}");
        }
        std::fs::write(root.join("d"), vec![0; WHOLE + 1]).unwrap();
        assert_eq!(super::bytes(root, &place("d")).unwrap_err().status(), 409);
        assert_eq!(super::bytes(root, &place("e")).unwrap_err().status(), 404);
    }
}
