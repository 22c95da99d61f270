//! Storage: applications, instances, their data, process, events and texts (`platform-api.md` §1).
//!
//! | | |
//! |---|---|
//! | [`api`] | the endpoints, one module for each kind of resource |
//! | [`access`] | who may do what: finds an instance and asks Authorization |
//! | [`metadata`] | the seam to what keeps the documents |
//! | [`blobs`] | the bytes |
//! | [`manage`] | `/storage/local`, the management surface |
//! | [`model`] | the documents |

pub mod access;
pub mod api;
pub mod blobs;
pub mod manage;
pub mod metadata;
pub mod model;
mod tell;
mod upload;

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::FromRef;

use crate::kit::api::Service;
use crate::kit::management::Key;
use crate::kit::pdp::Pdp;
use crate::kit::peer::Peer;
use crate::kit::token::{AccessTokens, Verifier};
use blobs::Blobs;
use metadata::{Metadata, Sql};
use upload::Turns;

/// What the service needs to be told.
pub struct Settings {
    /// `postgres://…` or `sqlite:FILE`.
    pub metadata: String,
    /// `azure:CONNECTION` or `file:FOLDER`.
    pub blobs: String,
    /// The environment in the names of blob containers.
    pub environment: String,
    /// Folder of the certificates that `PlatformAccessToken`s are checked with.
    pub certificates: PathBuf,
    /// Answer calls that bring no `PlatformAccessToken`.
    pub lenient: bool,
    /// Authentication, Authorization, Register.
    pub platform: Peer,
    /// Events, when Storage itself is to tell it what happens to instances.
    pub events: Option<Peer>,
    /// What opens the management surface; none closes it.
    pub key: Key,
}

/// What the handlers share. Cheap to copy.
#[derive(Clone)]
pub struct Storage(Arc<Inner>);

struct Inner {
    metadata: Metadata,
    blobs: Blobs,
    turns: Turns,
    pdp: Pdp,
    verifier: Verifier,
    access: AccessTokens,
    platform: Peer,
    teller: Option<tell::Teller>,
    key: Key,
}

impl FromRef<Storage> for Verifier {
    fn from_ref(storage: &Storage) -> Self {
        storage.0.verifier.clone()
    }
}

impl FromRef<Storage> for AccessTokens {
    fn from_ref(storage: &Storage) -> Self {
        storage.0.access.clone()
    }
}

impl FromRef<Storage> for Key {
    fn from_ref(storage: &Storage) -> Self {
        storage.0.key.clone()
    }
}

impl Storage {
    /// Opens what it stands on; stores that are away are waited for by each request.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let verifier = Verifier::published(settings.platform.clone());
        Ok(Self(Arc::new(Inner {
            metadata: Metadata::Sql(Sql::new(&settings.metadata)?),
            blobs: Blobs::new(&settings.blobs, &settings.environment)?,
            turns: Turns::default(),
            pdp: Pdp::new(settings.platform.clone()),
            access: AccessTokens::new(&settings.certificates, verifier.clone(), settings.lenient),
            verifier,
            platform: settings.platform,
            teller: settings.events.map(tell::Teller::new),
            key: settings.key,
        })))
    }

    /// Ends its connections, after the last request.
    pub async fn close(&self) {
        self.0.metadata.close().await;
    }

    /// The endpoints.
    #[must_use]
    pub fn service(&self) -> Service {
        let (metadata, blobs) = (self.clone(), self.clone());
        manage::endpoints(api::endpoints())
            .check("metadata", move || {
                let storage = metadata.clone();
                async move { storage.0.metadata.answers().await }
            })
            .check("blobs", move || {
                let storage = blobs.clone();
                async move { storage.0.blobs.answers().await }
            })
            .finish(self.clone())
            .managed(&self.0.key)
    }
}
