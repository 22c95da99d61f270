//! A Unix socket (0600) in a folder of our own (0700); the kernel tells who is at the other end.

use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};

use super::Endpoint;
use crate::model::{Code, Report};
use crate::sys::fs::{create_private_dir, remove_if_there};

/// A connection whose other end is the same user.
pub type Stream = UnixStream;

/// Accepts connections of the same user.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    endpoint: Endpoint,
    user: u32,
}

impl Listener {
    /// Listens. The caller holds the stack's lock, so a socket that is there already belongs to a dead agent.
    pub fn bind(endpoint: &Endpoint) -> Result<Self, Report> {
        let path = endpoint.path();
        let failed = |error: io::Error| {
            Report::new(Code::AgentSilent, format!("cannot listen on `{}`", path.display()))
                .why(error.to_string())
        };
        let user = user().map_err(failed)?;
        if let Some(folder) = path.parent() {
            create_private_dir(folder)?;
            keep_private(folder, user).map_err(failed)?;
        }
        remove_if_there(path)?;
        let socket = UnixListener::bind(path).map_err(failed)?;
        // The folder keeps others out until the socket itself does.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { socket, endpoint: endpoint.clone(), user })
    }
}

impl axum::serve::Listener for Listener {
    type Io = Stream;
    type Addr = ();

    async fn accept(&mut self) -> (Stream, ()) {
        loop {
            match self.socket.accept().await {
                Ok((stream, _)) if same_user(&stream, self.user) => return (stream, ()),
                Ok(_) => {
                    tracing::warn!(socket = %self.endpoint.path().display(), "another user was turned away");
                }
                Err(error) => {
                    // Most often no file descriptor is free: others must close some first.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Only a courtesy: the next agent removes what is left.
        let _ = std::fs::remove_file(self.endpoint.path());
    }
}

/// Connects, and checks that the agent is ours: a socket in a shared temporary folder could be anybody's.
pub async fn connect(endpoint: &Endpoint) -> io::Result<Stream> {
    let stream = UnixStream::connect(endpoint.path()).await?;
    if same_user(&stream, user()?) {
        return Ok(stream);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "the socket belongs to another user"))
}

fn same_user(stream: &UnixStream, user: u32) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == user)
}

/// Our effective user: the owner of a file we make.
fn user() -> io::Result<u32> {
    tempfile::tempfile()?.metadata().map(|file| file.uid())
}

/// A folder that was there before must be ours and closed to others.
fn keep_private(folder: &Path, user: u32) -> io::Result<()> {
    let found = std::fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != user {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "its folder belongs to another user",
        ));
    }
    if found.mode() & 0o077 != 0 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::serve::Listener as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn sockets_are_private_and_replace_dead_ones() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = folder.path().join("run");
        std::fs::create_dir(&runtime).unwrap();
        std::fs::set_permissions(&runtime, std::fs::Permissions::from_mode(0o755)).unwrap();
        let endpoint = Endpoint::new(&runtime, &"default".parse().unwrap());
        // Left by an agent that was killed.
        drop(std::os::unix::net::UnixListener::bind(endpoint.path()).unwrap());
        assert!(connect(&endpoint).await.is_err());

        let mut listener = Listener::bind(&endpoint).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(endpoint.path()), 0o600);
        assert_eq!(mode(&runtime), 0o700);
        let (accepted, connected) = tokio::join!(listener.accept(), connect(&endpoint));
        connected.unwrap().write_all(b"hello").await.unwrap();
        let mut heard = String::new();
        let mut stream = accepted.0;
        stream.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "hello");
        drop(listener);
        assert!(!endpoint.path().exists());
    }
}
