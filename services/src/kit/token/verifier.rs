//! Checks bearer tokens: with the key of this process, or with the keys that `platform` publishes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use serde_json::Value;

use super::claims::Claims;
use super::jwt::{self, Unchecked};
use super::key::{PublicKey, SigningKey};
use crate::kit::fault::Fault;
use crate::kit::peer::Peer;

/// Where `platform` publishes its keys.
pub const KEYS: &str = "/authentication/api/v1/openid/.well-known/openid-configuration/jwks";

/// An unknown key makes the keys be fetched again, but not more often than this.
const PAUSE: Duration = Duration::from_secs(5);

/// Checks signature and lifetime; issuer and audience are not looked at, as in production (`platform-api.md` §5.1).
#[derive(Clone)]
pub struct Verifier(Arc<Keys>);

enum Keys {
    Own(Arc<SigningKey>),
    Published { platform: Peer, known: Mutex<Known> },
}

#[derive(Default)]
struct Known {
    keys: Vec<PublicKey>,
    asked: Option<Instant>,
}

impl Verifier {
    /// Trusts the key that this process signs with.
    #[must_use]
    pub fn own(key: Arc<SigningKey>) -> Self {
        Self(Arc::new(Keys::Own(key)))
    }

    /// Trusts what `platform` publishes. Fetched when first needed.
    #[must_use]
    pub fn published(platform: Peer) -> Self {
        Self(Arc::new(Keys::Published { platform, known: Mutex::default() }))
    }

    /// The claims of a token that is accepted, `None` for any other; a fault when the keys cannot be had.
    pub async fn verify(&self, token: &str) -> Result<Option<Claims>, Fault> {
        let Some(token) = jwt::parse(token) else { return Ok(None) };
        let now = jwt::now();
        match self.0.as_ref() {
            Keys::Own(key) => Ok(token.check(key.public(), now)),
            Keys::Published { platform, known } => {
                if let Some(claims) =
                    check(&token, &known.lock().unwrap_or_else(PoisonError::into_inner).keys, now)
                {
                    return Ok(Some(claims));
                }
                if !may_ask(known, &token) {
                    return Ok(None);
                }
                let set: Option<Value> = platform.get(KEYS, HeaderMap::new()).await?;
                let keys: Vec<PublicKey> = set
                    .as_ref()
                    .and_then(|set| set.get("keys")?.as_array())
                    .map(|keys| keys.iter().filter_map(PublicKey::from_jwk).collect())
                    .unwrap_or_default();
                let claims = check(&token, &keys, now);
                known.lock().unwrap_or_else(PoisonError::into_inner).keys = keys;
                Ok(claims)
            }
        }
    }
}

fn check(token: &Unchecked<'_>, keys: &[PublicKey], now: i64) -> Option<Claims> {
    keys.iter()
        .filter(|key| token.key_id.as_ref().is_none_or(|id| *id == key.id))
        .find_map(|key| token.check(key, now))
}

/// Whether the keys are to be fetched for this token: its key is not known, and the last time is long enough ago.
fn may_ask(known: &Mutex<Known>, token: &Unchecked<'_>) -> bool {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let named = known.keys.iter().any(|key| Some(&key.id) == token.key_id.as_ref());
    let recent = known.asked.is_some_and(|asked| asked.elapsed() < PAUSE) && !known.keys.is_empty();
    if named || recent {
        return false;
    }
    known.asked = Some(Instant::now());
    true
}
