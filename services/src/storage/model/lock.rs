//! The lock of an instance (`platform-api.md` §1.5 "concurrency").

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::date::Date;

/// The last lock that was taken of an instance. Kept when it ended, so that its number is not given twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    pub(crate) id: i64,
    pub(crate) until: Date,
    pub(crate) by: String,
    /// SHA-256 of the secret, base64.
    pub(crate) hash: String,
}

/// What the holder of a lock shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockToken {
    pub(crate) id: i64,
    secret: String,
}

/// The body of both methods of `lock`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockRequest {
    pub(crate) ttl_seconds: i64,
}

/// The answer to who took a lock.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockResponse {
    pub(crate) lock_token: String,
}

impl LockToken {
    /// A token for a new lock; `None` when the system gives no random bytes.
    #[must_use]
    pub fn new(id: i64) -> Option<Self> {
        let mut secret = [0; 20];
        getrandom::fill(&mut secret).ok()?;
        Some(Self { id, secret: STANDARD.encode(secret) })
    }

    /// As the wire has it.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads what a holder shows.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).ok()?;
        let token: Self = serde_json::from_slice(&bytes).ok()?;
        STANDARD.decode(&token.secret).ok()?;
        Some(token)
    }

    /// What the store keeps of the secret.
    #[must_use]
    pub fn hash(&self) -> String {
        STANDARD.encode(digest(&SHA256, &STANDARD.decode(&self.secret).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let token = LockToken::new(7).unwrap();
        assert_eq!(LockToken::read(&token.text()).unwrap(), token);
        for bad in ["", "x", "e30", "\u{e6}"] {
            assert!(LockToken::read(bad).is_none(), "{bad}");
        }
    }
}
