//! Looks at folders without following links, and remembers what files hold: a file whose size, times and inode
//! stand still is not read again.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

/// SHA-256 of a file's bytes or of a link's target.
pub type Digest = [u8; 32];

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, and whether somebody may execute it.
    File {
        /// Any of the three execute bits; always false on Windows.
        executable: bool,
    },
    /// A symbolic link, never followed.
    Link,
    /// A folder.
    Folder,
    /// A socket, pipe or device.
    Other,
}

/// What tells whether a file may have changed without reading it. Times are nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: i64,
    /// When the inode last changed: also after a write that put the old time back. 0 on Windows.
    pub changed: i64,
    /// 0 on Windows.
    pub inode: u64,
}

/// The coarsest step of a file system's clock that is believed when times are whole seconds (FAT has two).
const COARSE: i64 = 2_000_000_000;
/// The step otherwise: a kernel tick, with room.
const FINE: i64 = 20_000_000;

impl Stamp {
    /// Reads it off metadata that were taken without following links.
    #[must_use]
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        let kind = match metadata.file_type() {
            kind if kind.is_symlink() => Kind::Link,
            kind if kind.is_dir() => Kind::Folder,
            kind if kind.is_file() => Kind::File { executable: executable(metadata) },
            _ => Kind::Other,
        };
        let (changed, inode) = inode(metadata);
        Self {
            kind,
            size: metadata.len(),
            modified: metadata.modified().map_or(0, nanoseconds),
            changed,
            inode,
        }
    }

    /// Whether a further write could leave this very stamp, because the last one is younger than the clock's step.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        let step = if self.modified % 1_000_000_000 == 0 { COARSE } else { FINE };
        nanoseconds(SystemTime::now()) < self.modified.saturating_add(step)
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    i64::try_from(since).unwrap_or(i64::MAX)
}

#[cfg(unix)]
fn executable(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0
}

#[cfg(not(unix))]
fn executable(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> (i64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    let changed =
        metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec());
    (changed, metadata.ino())
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> (i64, u64) {
    (0, 0)
}

/// The entries of one folder, sorted by name. Entries that vanish meanwhile are left out.
pub fn list(folder: &Path) -> io::Result<Vec<(OsString, Stamp)>> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // `DirEntry::metadata` does not follow links.
        if let Ok(metadata) = entry.metadata() {
            entries.push((entry.file_name(), Stamp::of(&metadata)));
        }
    }
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

/// A relative path as bytes with forward slashes.
#[must_use]
pub fn path_bytes(path: &Path) -> Cow<'_, [u8]> {
    let bytes = path.as_os_str().as_encoded_bytes();
    if std::path::MAIN_SEPARATOR == '/' {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned(bytes.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect())
}

/// A relative path for people: forward slashes, lossily decoded.
#[must_use]
pub fn path_text(path: &Path) -> String {
    String::from_utf8_lossy(&path_bytes(path)).into_owned()
}

/// The digest of what a path holds now, if it still is the thing the stamp was taken of: a file that became a link
/// or another file meanwhile is not read through.
pub fn digest(path: &Path, stamp: &Stamp) -> io::Result<Digest> {
    if stamp.kind == Kind::Link {
        let target = std::fs::read_link(path)?;
        return Ok(Sha256::digest(target.as_os_str().as_encoded_bytes()).into());
    }
    let mut file = open(path, stamp)?;
    let mut hash = Sha256::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Opens the regular file that a stamp was taken of.
pub fn open(path: &Path, stamp: &Stamp) -> io::Result<std::fs::File> {
    let file = std::fs::File::open(path)?;
    let found = Stamp::of(&file.metadata()?);
    if found.inode != stamp.inode || !matches!(found.kind, Kind::File { .. }) {
        return Err(io::Error::other("was replaced while it was read"));
    }
    Ok(file)
}

/// Digests by path, kept between walks.
#[derive(Debug, Default)]
pub struct Hashes {
    known: HashMap<PathBuf, (Stamp, Digest)>,
}

impl Hashes {
    /// The digest of a file or link; reads it only when its stamp is new.
    pub fn digest(&mut self, path: &Path, stamp: &Stamp) -> io::Result<Digest> {
        if let Some((known, digest)) = self.known.get(path)
            && known == stamp
        {
            return Ok(*digest);
        }
        let digest = digest(path, stamp)?;
        if stamp.is_fresh() {
            self.known.remove(path);
        } else {
            self.known.insert(path.to_path_buf(), (*stamp, digest));
        }
        Ok(digest)
    }

    /// Forgets all paths but these.
    pub fn retain(&mut self, paths: &HashSet<PathBuf>) {
        self.known.retain(|path, _| paths.contains(path));
    }

    /// How many digests are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn stamp(path: &Path) -> Stamp {
        Stamp::of(&path.symlink_metadata().unwrap())
    }

    /// Puts a file's time into the past, so that its stamp is not fresh.
    fn age(path: &Path) {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn unchanged_files_are_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.cs");
        std::fs::write(&path, "one").unwrap();
        let mut hashes = Hashes::default();
        let first = hashes.digest(&path, &stamp(&path)).unwrap();
        assert!(hashes.is_empty(), "a fresh stamp is not trusted");
        age(&path);
        assert_eq!(hashes.digest(&path, &stamp(&path)).unwrap(), first);
        assert_eq!(hashes.len(), 1);
        let old = stamp(&path);
        std::fs::write(&path, "two").unwrap();
        assert_eq!(hashes.digest(&path, &old).unwrap(), first, "the stamp decides");
        assert_ne!(hashes.digest(&path, &stamp(&path)).unwrap(), first);
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "text").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        let kinds: Vec<Kind> =
            list(folder.path()).unwrap().iter().map(|(_, stamp)| stamp.kind).collect();
        assert_eq!(kinds, [Kind::File { executable: false }, Kind::Link]);
        let as_file = stamp(&file);
        assert_eq!(
            digest(&link, &stamp(&link)).unwrap(),
            <Digest>::from(Sha256::digest("/etc/passwd"))
        );
        std::fs::remove_file(&file).unwrap();
        std::fs::rename(&link, &file).unwrap();
        assert!(digest(&file, &as_file).is_err(), "a file that became a link is not read through");
    }
}
