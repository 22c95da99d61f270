//! Tokens: RS256 keys of our own, issuing and checking, what claims say, and the extractors that handlers take.

pub mod access;
pub mod bearer;
pub mod claims;
pub mod der;
pub mod generate;
pub mod jwt;
pub mod key;
pub mod verifier;

pub use access::{AccessTokens, PlatformToken};
pub use bearer::{Bearer, MaybeBearer};
pub use claims::Claims;
pub use key::{PublicKey, SigningKey};
pub use verifier::Verifier;

#[cfg(test)]
mod tests;
