//! The container engine, through its HTTP API: Docker, Podman's Docker-compatible socket, Colima and the like.
//!
//! Reading never counts as a change; every method that alters something notes it with [`Calls`].

mod connect;
mod containers;
mod exec;
mod images;
mod networks;
mod session;

use bollard::errors::Error;

use crate::model::{Code, Report};
use crate::sys::calls::Calls;

pub use connect::{Candidate, EngineChoice};
pub(crate) use containers::stamped;
pub use containers::{SET_UP_MARKER, Stamped};
pub use exec::Executed;
pub use images::{BuildOutput, BuildRequest, FoundImage};
pub use session::{Idle, Session};

/// A connection to the engine; clones share it.
#[derive(Debug, Clone)]
pub struct Docker {
    pub(crate) client: bollard::Docker,
    pub(crate) calls: Calls,
    product: Product,
    /// How the engine was found, as `unix:///var/run/docker.sock`.
    pub endpoint: String,
    /// The engine's version, as `26.1.5`.
    pub version: String,
    /// The newest API it speaks, as `1.45`.
    pub api: String,
}

/// What kind of engine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// Docker, by whatever packaging.
    Docker,
    /// Podman: no `BuildKit`, and kind needs to be told.
    Podman,
}

impl Docker {
    /// What kind of engine answers.
    #[must_use]
    pub fn product(&self) -> Product {
        self.product
    }

    /// The engine's name for people.
    #[must_use]
    pub fn product_name(&self) -> &'static str {
        match self.product {
            Product::Docker => "Docker",
            Product::Podman => "Podman",
        }
    }
}

/// The status of an answer that is an error, as 404 or 409.
fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// A failed call, told with the engine's own words.
pub(crate) fn failed(what: &str, error: &Error) -> Report {
    let words = match error {
        Error::DockerResponseServerError { message, .. } => message.clone(),
        other => other.to_string(),
    };
    Report::new(Code::EngineFailed, format!("the container engine could not {what}")).why(words)
}

/// Turns "not found" into nothing.
fn found<T>(what: &str, result: Result<T, Error>) -> Result<Option<T>, Report> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(failed(what, &error)),
    }
}
