//! Writes and deletes files below a root that is not trusted: links are resolved beneath it, never outside.

use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    self, AtFlags, CWD, Gid, Mode, OFlags, ResolveFlags, Stat, Uid, fchmod, fchown, mkdirat,
    openat, openat2, renameat, statat, unlinkat,
};
use rustix::io::Errno;

/// A folder that nothing leads out of.
#[derive(Debug)]
pub(super) struct Root {
    folder: OwnedFd,
}

/// The folders, not the files in them.
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// Beside the file that it becomes; no app asks for such a name.
const UNFINISHED: &str = ".altinn-local-unfinished";

impl Root {
    /// Opens a folder that is there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { folder: openat(CWD, path, FOLDER, Mode::empty())? })
    }

    /// Writes a file in one step: who reads it sees the old or the new content, whole. Mode and owner stay; a new
    /// file is like its folder's owner's.
    pub(super) fn write(&self, path: &str, contents: &[u8], executable: bool) -> io::Result<()> {
        let (folder, name) = self.parent(path, true)?;
        let there = match statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if fs::FileType::from_raw_mode(stat.st_mode).is_dir() => {
                return Err(Errno::ISDIR.into());
            }
            Ok(stat) if fs::FileType::from_raw_mode(stat.st_mode).is_file() => Some(stat),
            _ => None,
        };
        // One that a killed writer left.
        let _ = unlinkat(&folder, UNFINISHED, AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(&folder, UNFINISHED, flags, Mode::from_raw_mode(0o600))?;
        let written = fill(&file, contents)
            .and_then(|()| Ok(dress(&file, there.as_ref(), &folder, executable)?))
            .and_then(|()| Ok(renameat(&folder, UNFINISHED, &folder, name)?));
        if written.is_err() {
            let _ = unlinkat(&folder, UNFINISHED, AtFlags::empty());
        }
        written
    }

    /// A file's content and whether it may be executed; none when there is no such file.
    pub(super) fn read(&self, path: &str) -> io::Result<Option<(Vec<u8>, bool)>> {
        let opened = self.parent(path, false).and_then(|(folder, name)| {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(openat(&folder, name, flags, Mode::empty())?)
        });
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => std::fs::File::from(opened?),
        };
        let executable = fs::fstat(&file)?.st_mode & 0o111 != 0;
        let mut contents = Vec::new();
        (&file).read_to_end(&mut contents)?;
        Ok(Some((contents, executable)))
    }

    /// Deletes a file; one that is not there is as wanted.
    pub(super) fn delete(&self, path: &str) -> io::Result<()> {
        let found = self
            .parent(path, false)
            .and_then(|(folder, name)| Ok(unlinkat(&folder, name, AtFlags::empty())?));
        match found {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// The folder that a file lies in, and the file's name.
    fn parent<'a>(&self, path: &'a str, make: bool) -> io::Result<(OwnedFd, &'a str)> {
        let path = path.trim_start_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        if parts.iter().any(|part| matches!(*part, "" | "." | "..") || part.contains('\0')) {
            return Err(Errno::INVAL.into());
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        match self.enter(folder) {
            Err(Errno::NOENT) if make => {}
            opened => return Ok((opened?, name)),
        }
        for end in folder.match_indices('/').map(|(end, _)| end).chain([folder.len()]) {
            self.make(&folder[..end])?;
        }
        Ok((self.enter(folder)?, name))
    }

    fn enter(&self, folder: &str) -> Result<OwnedFd, Errno> {
        let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        openat2(&self.folder, folder, FOLDER, Mode::empty(), within)
    }

    /// Makes a folder like the one it lies in.
    fn make(&self, folder: &str) -> Result<(), Errno> {
        let (above, name) = folder.rsplit_once('/').unwrap_or((".", folder));
        let above = self.enter(above)?;
        match mkdirat(&above, name, Mode::from_raw_mode(0o755)) {
            Err(Errno::EXIST) => return Ok(()),
            made => made?,
        }
        let like = fs::fstat(&above)?;
        own(&above, name, &like)
    }
}

fn own(folder: &OwnedFd, name: &str, like: &Stat) -> Result<(), Errno> {
    let (user, group) = (Uid::from_raw(like.st_uid), Gid::from_raw(like.st_gid));
    allowed(fs::chownat(folder, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW))
}

/// Outside a node we may not be allowed to give files away; they are ours then.
fn allowed(done: Result<(), Errno>) -> Result<(), Errno> {
    if done == Err(Errno::PERM) { Ok(()) } else { done }
}

fn fill(file: &OwnedFd, mut contents: &[u8]) -> io::Result<()> {
    while !contents.is_empty() {
        let written = rustix::io::write(file, contents)?;
        contents = &contents[written..];
    }
    Ok(())
}

fn dress(
    file: &OwnedFd,
    there: Option<&Stat>,
    folder: &OwnedFd,
    executable: bool,
) -> Result<(), Errno> {
    let (like, mode) = match there {
        Some(stat) => (*stat, Mode::from_raw_mode(stat.st_mode)),
        None => (
            fs::fstat(folder.as_fd())?,
            Mode::from_raw_mode(if executable { 0o755 } else { 0o644 }),
        ),
    };
    allowed(fchown(file, Some(Uid::from_raw(like.st_uid)), Some(Gid::from_raw(like.st_gid))))?;
    fchmod(file, mode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    fn root() -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        let root = Root::open(&folder.path().join("root")).unwrap();
        (folder, root)
    }

    #[test]
    fn files_are_replaced_in_one_step_and_keep_their_mode() {
        let (folder, root) = root();
        let path = folder.path().join("root/app/a/x.dll");
        root.write("app/a/x.dll", b"one", false).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&path).unwrap();
        root.write("/app/a/x.dll", b"two", true).unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_ne!(before.ino(), after.ino(), "a mapped library must not change under its reader");
        assert_eq!(after.mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        root.write("app/tool", b"", true).unwrap();
        assert_eq!(
            fs::metadata(folder.path().join("root/app/tool")).unwrap().mode() & 0o777,
            0o755
        );
    }

    #[test]
    fn deletes_are_as_wanted() {
        let (folder, root) = root();
        root.write("a/b", b"", false).unwrap();
        root.delete("a/b").unwrap();
        root.delete("a/b").unwrap();
        root.delete("never/was").unwrap();
        assert!(!folder.path().join("root/a/b").exists());
    }

    #[test]
    fn nothing_leads_outside() {
        let (folder, root) = root();
        fs::create_dir(folder.path().join("outside")).unwrap();
        fs::create_dir(folder.path().join("root/inner")).unwrap();
        symlink(folder.path().join("outside"), folder.path().join("root/absolute")).unwrap();
        symlink("../outside", folder.path().join("root/above")).unwrap();
        symlink("/inner", folder.path().join("root/within")).unwrap();
        symlink(folder.path().join("outside/file"), folder.path().join("root/link")).unwrap();
        for path in ["../outside/x", "a/../../x", "", "a//b", "a/./b"] {
            assert!(root.write(path, b"x", false).is_err(), "{path}");
        }
        // An absolute link means the container's own root, where that folder is not.
        let _ = root.write("absolute/x", b"x", false);
        let _ = root.write("above/x", b"x", false);
        root.write("within/x", b"x", false).unwrap();
        root.write("link", b"x", false).unwrap();
        assert!(folder.path().join("root/inner/x").exists());
        assert_eq!(fs::read_dir(folder.path().join("outside")).unwrap().count(), 0);
        assert!(root.write("inner", b"x", false).is_err(), "a folder is not replaced");
    }
}
