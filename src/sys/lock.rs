//! One agent per stack: a lock of the operating system, which the kernel frees when its holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::Path;

use super::fs::create_private_dir;
use crate::model::{Code, Label, Report};

/// A held lock; dropping it frees it. The file stays, since removing it would let two processes hold
/// locks on two files of one name.
#[derive(Debug)]
pub struct StackLock {
    _file: File,
}

impl StackLock {
    /// Takes the lock, or tells who holds it.
    pub fn take(path: &Path) -> Result<Self, Report> {
        if let Some(directory) = path.parent() {
            create_private_dir(directory)?;
        }
        let failed = |what: &str, error: &std::io::Error| {
            Report::new(Code::FileFailed, format!("cannot {what} `{}`", path.display()))
                .why(error.to_string())
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| failed("open", &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(path)),
            Err(TryLockError::Error(error)) => return Err(failed("lock", &error)),
        }
        // For people alone: the lock is what counts, so a failed note costs nothing.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn held(path: &Path) -> Report {
    let report = Report::new(Code::Locked, "another altinn-local works on this stack")
        .fix("altinn-local status", "see what it does");
    // Windows lets nobody read a locked file; then we do not know who.
    match std::fs::read_to_string(path) {
        Ok(pid) if !pid.trim().is_empty() => {
            report.label(Label::Who, format!("pid {}", pid.trim()))
        }
        _ => report,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("default/lock");
        let first = StackLock::take(&path).unwrap();
        let refused = StackLock::take(&path).unwrap_err();
        assert_eq!(refused.code, Code::Locked);
        #[cfg(unix)]
        assert_eq!(refused.labels[0].1, format!("pid {}", std::process::id()));
        drop(first);
        StackLock::take(&path).unwrap();
    }
}
