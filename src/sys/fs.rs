//! Files of our own: written whole or not at all, with the path in every error.

use std::io::Write as _;
use std::path::Path;

use crate::model::{Code, Report};

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Report {
    Report::new(Code::FileFailed, format!("cannot {what} `{}`", path.display()))
        .why(error.to_string())
}

/// Creates a folder and those above it; on Unix only the owner may enter.
pub fn create_private_dir(path: &Path) -> Result<(), Report> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| failed("create", path, &error))
}

/// Replaces a file in one step, readable by the owner alone: temporary file beside it, flush to disk, rename.
pub fn write_private(path: &Path, contents: &[u8]) -> Result<(), Report> {
    let directory = path.parent().unwrap_or(Path::new("."));
    create_private_dir(directory)?;
    let write = || -> std::io::Result<()> {
        // Temporary files are made with mode 0600.
        let mut file = tempfile::Builder::new().prefix(".altinn-local-").tempfile_in(directory)?;
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|error| failed("write", path, &error))
}

/// Replaces a file of the user's project in one step, readable by all as files of a project are.
pub fn replace(path: &Path, contents: &[u8]) -> Result<(), Report> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(directory)?;
        let mut builder = tempfile::Builder::new();
        // An end of a name that editors use too, so that no watcher takes it for a file of the app.
        builder.prefix(".altinn-local-").suffix("~");
        #[cfg(unix)]
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        #[cfg(unix)]
        builder.permissions(readable);
        let mut file = builder.tempfile_in(directory)?;
        file.write_all(contents)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|error| failed("write", path, &error))
}

/// The contents of a file; none when it is not there.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Report> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, &error)),
    }
}

/// What a folder holds.
pub fn list(folder: &Path) -> Result<Vec<std::path::PathBuf>, Report> {
    let failed = |error: std::io::Error| {
        Report::new(Code::FileFailed, "a folder could not be read")
            .at(folder.display().to_string())
            .why(error.to_string())
    };
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
}

/// Removes a file when it is there.
pub fn remove_if_there(path: &Path) -> Result<(), Report> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failed("remove", path, &error))
        }
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn files_are_private_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/secret.json");
        assert_eq!(read_if_there(&path).unwrap(), None);
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(read_if_there(&path).unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let parent = path.parent().unwrap();
        assert_eq!(std::fs::metadata(parent).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(std::fs::read_dir(parent).unwrap().count(), 1);
        remove_if_there(&path).unwrap();
        remove_if_there(&path).unwrap();
        replace(&path, b"three").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o444, 0o444);
    }
}
