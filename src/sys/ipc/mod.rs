//! The way between the command line and the agent: a socket or a pipe that only the same user can use.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{Listener, Stream, connect};
#[cfg(windows)]
pub use windows::{Listener, Stream, connect};

use std::path::{Path, PathBuf};

use crate::model::{StackName, short_hash};

/// Where the agent of one stack listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    path: PathBuf,
}

/// Kernels take 103 to 107 bytes; what is longer gets a hashed name.
const LONGEST: usize = 100;

impl Endpoint {
    /// The endpoint of a stack below the user's runtime folder.
    #[must_use]
    pub fn new(runtime: &Path, stack: &StackName) -> Self {
        if cfg!(windows) {
            // Pipes live in one space for all users; the folder lies in the user's profile and tells them apart.
            let name = format!(r"\\.\pipe\altinn-local-{}-{stack}", short_hash(&runtime));
            return Self { path: name.into() };
        }
        let path = runtime.join(format!("{stack}.sock"));
        if path.as_os_str().len() < LONGEST {
            return Self { path };
        }
        let folder = format!("altinn-local-{}", short_hash(&runtime));
        let path = std::env::temp_dir().join(folder).join(format!("{stack}.sock"));
        if path.as_os_str().len() < LONGEST {
            return Self { path };
        }
        // A long TMPDIR too: `/tmp` is there on every Unix.
        let name = format!("/tmp/altinn-local-{}/{}.sock", short_hash(&runtime), short_hash(stack));
        Self { path: name.into() }
    }

    /// The socket's path or the pipe's name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn paths_always_fit_a_socket_address() {
        let stack: StackName = "default".parse().unwrap();
        let near = Endpoint::new(Path::new("/run/user/1000/altinn-local"), &stack);
        assert_eq!(near.path(), Path::new("/run/user/1000/altinn-local/default.sock"));
        let deep = PathBuf::from(format!("/home/{}", "a/".repeat(60)));
        let far = Endpoint::new(&deep, &stack);
        assert!(far.path().as_os_str().len() < LONGEST);
        assert_ne!(far, Endpoint::new(&deep.join("b"), &stack), "users do not share a name");
    }
}
