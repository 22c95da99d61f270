//! A named pipe. Its default access list lets the user and administrators write; everybody else may at most open
//! it for reading, which sends us nothing. Pipes of other machines are refused.

use std::io;
use std::time::Duration;

use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};

use super::Endpoint;
use crate::model::{Code, Report};

/// What a client holds.
pub type Stream = NamedPipeClient;

/// All instances of the pipe are in use: wait for the next one.
const PIPE_BUSY: i32 = 231;

/// Accepts connections.
#[derive(Debug)]
pub struct Listener {
    next: NamedPipeServer,
    endpoint: Endpoint,
}

impl Listener {
    /// Listens. It fails when somebody else made a pipe of this name before.
    pub fn bind(endpoint: &Endpoint) -> Result<Self, Report> {
        let next = ServerOptions::new()
            .first_pipe_instance(true)
            .reject_remote_clients(true)
            .create(endpoint.path())
            .map_err(|error| {
                Report::new(
                    Code::AgentSilent,
                    format!("cannot listen on `{}`", endpoint.path().display()),
                )
                .why(error.to_string())
            })?;
        Ok(Self { next, endpoint: endpoint.clone() })
    }

    /// Hands out the connected instance and puts a new one in its place, so that a name is always there.
    async fn take(&mut self) -> io::Result<NamedPipeServer> {
        self.next.connect().await?;
        let fresh =
            ServerOptions::new().reject_remote_clients(true).create(self.endpoint.path())?;
        Ok(std::mem::replace(&mut self.next, fresh))
    }
}

impl axum::serve::Listener for Listener {
    type Io = NamedPipeServer;
    type Addr = ();

    async fn accept(&mut self) -> (NamedPipeServer, ()) {
        loop {
            match self.take().await {
                Ok(connected) => return (connected, ()),
                Err(error) => {
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

/// Connects; waits while every instance is taken.
pub async fn connect(endpoint: &Endpoint) -> io::Result<Stream> {
    loop {
        match ClientOptions::new().open(endpoint.path()) {
            Err(error) if error.raw_os_error() == Some(PIPE_BUSY) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            opened => return opened,
        }
    }
}
