//! Profile, Register, Authentication and Authorization over the test people, and the test log-in.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::FromRef;

use crate::kit::api::{Api, Service};
use crate::kit::peer::Peer;
use crate::kit::token::key::KeyFault;
use crate::kit::token::{AccessTokens, SigningKey, Verifier};

/// What the service needs to be told.
pub struct Settings {
    /// Folder of its state: `keys/`, `people/`, `apps/{org}/{app}/`.
    pub data: PathBuf,
    /// Storage, which knows where instances stand.
    pub storage: Option<Peer>,
    /// Domain of the log-in cookie; else the host's parent domain.
    pub domain: Option<String>,
    /// Answer calls of apps that bring no `PlatformAccessToken`.
    pub lenient: bool,
}

/// What the handlers share. Cheap to copy.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    settings: Settings,
    key: Arc<SigningKey>,
    verifier: Verifier,
    access: AccessTokens,
}

impl FromRef<Platform> for Verifier {
    fn from_ref(platform: &Platform) -> Self {
        platform.0.verifier.clone()
    }
}

impl FromRef<Platform> for AccessTokens {
    fn from_ref(platform: &Platform) -> Self {
        platform.0.access.clone()
    }
}

/// The service.
pub fn service(settings: Settings) -> Result<Service, KeyFault> {
    let keys = settings.data.join("keys");
    let key = Arc::new(SigningKey::keep(&keys)?);
    let verifier = Verifier::own(key.clone());
    let access = AccessTokens::new(&keys.join("access"), verifier.clone(), settings.lenient);
    let platform = Platform(Arc::new(Inner { settings, key, verifier, access }));
    Ok(Api::new("platform").finish(platform))
}
