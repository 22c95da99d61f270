//! The platform's services inside this process. The only file that knows the package `altinn-services`.

use std::net::Ipv4Addr;
use std::path::Path;

use altinn_services::embedded::{Embedded, Settings};
use altinn_services::kit::management::Key;
use altinn_services::kit::token::generate;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::model::{Code, Report};

/// The port that apps listen on when they are started with `dotnet run`.
pub use altinn_services::embedded::APP_PORT;

/// What the targets of the package's log lines begin with.
pub const LOG_TARGET: &str = "altinn_services";

/// Services that answer. Dropped, they end by themselves.
#[derive(Debug)]
pub struct Services {
    served: JoinHandle<()>,
    closing: DropGuard,
}

impl Services {
    /// Opens the folder and answers at a port of 127.0.0.1. A port that is taken is told as such, without its owner.
    pub async fn start(data: &Path, port: u16, app_port: u16, key: &str) -> Result<Self, Report> {
        let failed = |why: String| {
            Report::new(Code::ServiceFailed, "the platform's services cannot start")
                .at(data.display().to_string())
                .why(why)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
            Report::new(Code::PortTaken, format!("port {port} is in use")).why(error.to_string())
        })?;
        let settings = Settings { data: data.to_owned(), app_port, key: Key::new(Some(key)) };
        let services = Embedded::open(settings).await.map_err(failed)?;
        let closing = CancellationToken::new();
        let served = tokio::spawn(services.serve(listener, closing.clone()));
        Ok(Self { served, closing: closing.drop_guard() })
    }

    /// Ends them: what is under way is answered first. Their folder is free afterwards.
    pub async fn stop(self) {
        drop(self.closing);
        // That they ended by a fault before is no reason to keep them.
        let _ = self.served.await;
    }

    /// Whether they ended by themselves.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.served.is_finished()
    }
}

/// A new RSA key of 2048 bits, PKCS#8 in DER; up to a second of computing.
#[must_use]
pub fn private_key() -> Vec<u8> {
    generate::private_key()
}
