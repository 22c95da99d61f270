//! The agent's token, and the single-use codes that a browser swaps for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::model::Report;

/// How long a code may wait to be swapped.
const CODE_LIFE: Duration = Duration::from_mins(1);

/// How many codes may wait at once; a person opens one page at a time.
const CODES: usize = 16;

/// 256 random bits, new with every agent.
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

impl Token {
    /// A new one.
    pub fn random() -> Result<Self, Report> {
        secret().map(Self)
    }

    /// The token as text, for a file of mode 0600 or the one who showed a code.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this is the token; takes the same time wherever the first difference is.
    #[must_use]
    pub fn matches(&self, given: &str) -> bool {
        same(&self.0, given)
    }
}

/// Codes that were handed out and not used yet.
#[derive(Debug, Default)]
pub struct Codes(Mutex<HashMap<String, Instant>>);

impl Codes {
    /// A new code.
    pub fn issue(&self) -> Result<String, Report> {
        let code = secret()?;
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, born| born.elapsed() < CODE_LIFE);
        if waiting.len() >= CODES {
            let oldest = waiting.iter().min_by_key(|(_, born)| **born);
            if let Some(oldest) = oldest.map(|(code, _)| code.clone()) {
                waiting.remove(&oldest);
            }
        }
        waiting.insert(code.clone(), Instant::now());
        Ok(code)
    }

    /// Takes a code out; whether it was there and young enough.
    #[must_use]
    pub fn redeem(&self, given: &str) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = waiting.keys().find(|code| same(code, given)).cloned();
        found.and_then(|code| waiting.remove(&code)).is_some_and(|born| born.elapsed() < CODE_LIFE)
    }
}

fn secret() -> Result<String, Report> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Report::bug("the system gives no random numbers", &error))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Compares digests to the last byte: what is learnt from the time taken is about a digest, not the secret.
pub(super) fn same(one: &str, other: &str) -> bool {
    let (one, other) = (Sha256::digest(one), Sha256::digest(other));
    let difference = one.iter().zip(other.iter()).fold(0, |all, (a, b)| all | (a ^ b));
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_match_themselves_only() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(one.reveal().len(), 43);
        assert!(one.matches(one.reveal()));
        for wrong in [other.reveal(), "", &one.reveal()[1..]] {
            assert!(!one.matches(wrong));
        }
        assert!(!format!("{one:?}").contains(one.reveal()));
    }

    #[test]
    fn codes_work_once() {
        let codes = Codes::default();
        let code = codes.issue().unwrap();
        assert!(!codes.redeem("wrong"));
        assert!(codes.redeem(&code));
        assert!(!codes.redeem(&code));
        for _ in 0..2 * CODES {
            codes.issue().unwrap();
        }
        assert!(codes.0.lock().unwrap().len() <= CODES);
    }
}
