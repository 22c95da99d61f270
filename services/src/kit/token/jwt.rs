//! The compact form of signed tokens (RFC 7515, RFC 7519), RS256 only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::claims::Claims;
use super::key::{PublicKey, SigningKey};

/// Longer than any token that fits a request's head.
const LONGEST: usize = 48 * 1024;
/// How far clocks may differ, in seconds (`platform-api.md` §5.1).
const SKEW: i64 = 10;

/// A token taken apart but not yet believed.
#[derive(Debug)]
pub struct Unchecked<'a> {
    /// Which key it claims to be signed with.
    pub key_id: Option<String>,
    /// Who it claims to be from.
    pub issuer: Option<String>,
    signed: &'a str,
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    x5t: Option<String>,
}

/// A token of these claims.
#[must_use]
pub fn sign(key: &SigningKey, claims: &Claims) -> Option<String> {
    let head = json!({ "alg": "RS256", "typ": "JWT", "kid": key.id(), "x5t": key.id() });
    let part = |value: &[u8]| URL_SAFE_NO_PAD.encode(value);
    let claims = serde_json::to_vec(&claims.0).ok()?;
    let signed = format!("{}.{}", part(head.to_string().as_bytes()), part(&claims));
    let signature = key.sign(signed.as_bytes())?;
    Some(format!("{signed}.{}", part(&signature)))
}

/// Takes a token apart. Any algorithm but RS256 is none: `none` and HMAC over a public key are the classic tricks.
#[must_use]
pub fn parse(token: &str) -> Option<Unchecked<'_>> {
    if token.len() > LONGEST {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok();
    let head: Head = serde_json::from_slice(&bytes(head)?).ok()?;
    if head.alg != "RS256" {
        return None;
    }
    let claims: Map<String, Value> = serde_json::from_slice(&bytes(claims)?).ok()?;
    let issuer = claims.get("iss").and_then(Value::as_str).map(str::to_owned);
    let signature = bytes(signature)?;
    Some(Unchecked { key_id: head.kid.or(head.x5t), issuer, signed, signature, claims })
}

impl Unchecked<'_> {
    /// The claims, if the key signed them and `now` (Unix seconds) is within their lifetime.
    #[must_use]
    pub fn check(&self, key: &PublicKey, now: i64) -> Option<Claims> {
        (self.lives(now) && key.verify(self.signed.as_bytes(), &self.signature))
            .then(|| Claims(self.claims.clone()))
    }

    /// As [`Self::check`], with a key that is not RSA components but does its own check.
    pub fn check_with(
        &self,
        now: i64,
        verify: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Option<Claims> {
        (self.lives(now) && verify(self.signed.as_bytes(), &self.signature))
            .then(|| Claims(self.claims.clone()))
    }

    fn lives(&self, now: i64) -> bool {
        let time = |name: &str| {
            let value = self.claims.get(name)?;
            value.as_i64().or_else(|| {
                // Some issuers write fractions.
                #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
                value.as_f64().map(|seconds| seconds as i64)
            })
        };
        let begun = time("nbf").is_none_or(|begin| begin <= now.saturating_add(SKEW));
        // A token without an end is refused, as the .NET handler does.
        let ended = time("exp").is_none_or(|end| end < now.saturating_sub(SKEW));
        begun && !ended
    }
}

/// Unix seconds.
#[must_use]
pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
