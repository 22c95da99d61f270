//! All services in one process, over `SQLite` and files, behind one port: for machines without containers, and for
//! tests.
//!
//! | | |
//! |---|---|
//! | `gate` | which host and path mean the services, and which the app |
//! | `forward` | the app that somebody runs on this machine, as a router would reach it |

mod forward;
mod gate;

use std::path::PathBuf;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::events::{self, Events};
use crate::kit::fault::chain;
use crate::kit::front::Front;
use crate::kit::management::Key;
use crate::kit::peer::Peer;
use crate::kit::server;
use crate::platform;
use crate::storage::{self, Storage};
use forward::Forward;
use gate::Gate;

/// The port that Altinn's apps listen on when they are started with `dotnet run`.
pub const APP_PORT: u16 = 5005;

/// What they need to be told.
pub struct Settings {
    /// Folder of everything that is kept: `platform/`, `storage.db`, `events.db`, `blobs/`.
    pub data: PathBuf,
    /// The port of 127.0.0.1 where the app listens.
    pub app_port: u16,
    /// What opens the management surface.
    pub key: Key,
}

/// The services, ready to answer.
pub struct Embedded {
    front: Front,
    app_port: u16,
    storage: Storage,
    events: Events,
}

impl Embedded {
    /// Opens what is in the folder, or begins it. The text says what is wrong.
    pub async fn open(settings: Settings) -> Result<Self, String> {
        let Settings { data, app_port, key } = settings;
        let peer = Peer::inside();
        let certificates = data.join("certificates");
        let state = platform::Settings {
            certificates: certificates.clone(),
            data: data.join("platform"),
            storage: Some(peer.clone()),
            domain: None,
            lenient: true,
            key: key.clone(),
        };
        // The first start makes a key, which is work.
        let platform = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&state.data).map_err(|error| error.to_string())?;
            platform::service(state).map_err(|fault| chain(&fault))
        });
        let platform = platform.await.map_err(|error| error.to_string())??;
        let storage = Storage::new(storage::Settings {
            metadata: format!("sqlite:{}", data.join("storage.db").display()),
            blobs: format!("file:{}", data.join("blobs").display()),
            environment: "local".to_owned(),
            certificates: certificates.clone(),
            lenient: true,
            platform: peer.clone(),
            // Apps tell of their instances themselves, as in production.
            events: None,
            key: key.clone(),
        })?;
        let events = Events::new(events::Settings {
            metadata: format!("sqlite:{}", data.join("events.db").display()),
            certificates,
            lenient: true,
            platform: peer.clone(),
            second: Duration::from_secs(1),
            loopback: true,
            key,
        })?;
        let front = Front::new(platform.and(storage.service()).and(events.service()));
        peer.join(&front);
        let all = Self { front, app_port, storage, events };
        all.ready().await?;
        Ok(all)
    }

    /// Opens the stores, so that the first request finds them open.
    async fn ready(&self) -> Result<(), String> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = axum::http::Uri::from_static("/health/ready");
        let answer = self.front.answer(request).await;
        if answer.status().is_success() {
            return Ok(());
        }
        let body = axum::body::to_bytes(answer.into_body(), 64 * 1024).await;
        Err(String::from_utf8_lossy(&body.unwrap_or_default()).into_owned())
    }

    /// Serves until `closing` is cancelled and everything has ended; then the folder is free.
    pub async fn serve(self, listener: TcpListener, closing: CancellationToken) {
        let port = listener.local_addr().map_or(0, |address| address.port());
        let forward = Forward::new(self.app_port, closing.clone());
        let gate = Gate::new(self.front, forward, port);
        let answer = move |request| {
            let gate = gate.clone();
            async move { gate.answer(request).await }
        };
        let deliver = self.events.clone().deliver(closing.clone());
        tokio::join!(server::serve_by(listener, answer, closing), deliver);
        tokio::join!(self.storage.close(), self.events.close());
    }
}
