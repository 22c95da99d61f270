//! Profile, Register, Authentication and Authorization over the test people, and the test log-in.
//!
//! | Module | Answers |
//! |---|---|
//! | `profile` | `/profile/api/v1` |
//! | `register` | `/register/api/v1` |
//! | `authentication` | `/authentication/api/v1` |
//! | `authorization` | `/authorization/api/v1` |
//! | `home` | the log-in page and the token paths of the public localtest |
//! | `maskinporten` | a stand-in for Maskinporten |
//! | `manage` | `/platform/local`, the management surface |
//! | `people` | nothing: who there is |

mod authentication;
mod authorization;
mod home;
mod manage;
mod maskinporten;
mod people;
mod profile;
mod register;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::FromRef;

use self::authorization::policies::Policies;
use self::people::{People, PeopleStore, Person};
use self::register::Attempts;
use crate::kit::api::{Api, Service};
use crate::kit::fault::Fault;
use crate::kit::management::Key;
use crate::kit::peer::Peer;
use crate::kit::token::key::KeyFault;
use crate::kit::token::{AccessTokens, Claims, SigningKey, Verifier, jwt};

/// What the service needs to be told.
pub struct Settings {
    /// Folder of its state: `keys/`, `people/`, `apps/{org}/{app}/`, `profile/`.
    pub data: PathBuf,
    /// Storage, which knows where instances stand.
    pub storage: Option<Peer>,
    /// Folder of the certificates that `PlatformAccessToken`s are checked with.
    pub certificates: PathBuf,
    /// Domain of the log-in cookie; else the host's parent domain.
    pub domain: Option<String>,
    /// Answer calls of apps that bring no `PlatformAccessToken`.
    pub lenient: bool,
    /// What opens the management surface; none closes it.
    pub key: Key,
}

/// What the handlers share. Cheap to copy.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    settings: Settings,
    key: Arc<SigningKey>,
    verifier: Verifier,
    access: AccessTokens,
    people: PeopleStore,
    policies: Policies,
    attempts: Attempts,
    codes: manage::Codes,
}

impl Platform {
    fn people(&self) -> Arc<People> {
        self.0.people.now()
    }

    fn policies(&self) -> &Policies {
        &self.0.policies
    }

    fn attempts(&self) -> &Attempts {
        &self.0.attempts
    }

    fn key(&self) -> &SigningKey {
        &self.0.key
    }

    fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    fn storage(&self) -> Option<&Peer> {
        self.0.settings.storage.as_ref()
    }

    fn data(&self) -> &Path {
        &self.0.settings.data
    }

    fn domain(&self) -> Option<&str> {
        self.0.settings.domain.as_deref()
    }

    fn sign(&self, claims: &Claims) -> Result<String, Fault> {
        jwt::sign(self.key(), claims).ok_or_else(|| Fault::internal("a token could not be signed"))
    }
}

/// Whether a token's bearer may act for a party: itself, one of those it may choose, or an organisation of its own.
fn speaks_for(people: &People, claims: &Claims, party: i64) -> bool {
    if claims.party_id() == Some(party) {
        return true;
    }
    let user = claims.user_id().and_then(|user| people.user(user));
    if user.is_some_and(|user: &Person| user.represents(party)) {
        return true;
    }
    let number = match claims.system_user() {
        Some(system) => system.org_number,
        None => claims.org_number(),
    };
    let org = number.and_then(|number| people.org(&number).and_then(|org| org.party_id));
    org == Some(party)
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

impl FromRef<Platform> for Key {
    fn from_ref(platform: &Platform) -> Self {
        platform.0.settings.key.clone()
    }
}

/// The service.
pub fn service(settings: Settings) -> Result<Service, KeyFault> {
    let keys = settings.data.join("keys");
    let key = Arc::new(SigningKey::keep(&keys)?);
    let verifier = Verifier::own(key.clone());
    let access = AccessTokens::new(&settings.certificates, verifier.clone(), settings.lenient);
    let platform = Platform(Arc::new(Inner {
        people: PeopleStore::new(&settings.data),
        policies: Policies::new(&settings.data),
        attempts: Attempts::default(),
        codes: manage::Codes::default(),
        settings,
        key,
        verifier,
        access,
    }));
    let api = Api::new("platform");
    let api = profile::endpoints(api);
    let api = register::endpoints(api);
    let api = authentication::endpoints(api);
    let api = authorization::endpoints(api);
    let api = home::endpoints(api);
    let api = maskinporten::endpoints(api);
    let api = manage::endpoints(api);
    let key = platform.0.settings.key.clone();
    Ok(api.finish(platform).managed(&key))
}

/// Writes a file so that readers see the old one or the new one, never half of it.
fn write_whole(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let draft = folder.join(format!(".{}.new", uuid::Uuid::new_v4().simple()));
    let written = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written
}
