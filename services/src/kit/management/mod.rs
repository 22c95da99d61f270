//! The management surface, `/{service}/local/…`: no part of Altinn, open to whoever holds the stack's key.
//!
//! Every service has faults and a word about itself (`kit::front` mounts both); what it keeps it can tell, forget, give
//! away and take back, in the form of [`archive`].

pub mod archive;
pub mod faults;
mod latency;
mod path;
pub mod scope;
pub mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ring::digest::{SHA256, digest};

use super::fault::Fault;
use super::token::bearer;

/// The key, as a bearer token. Cheap to copy; without one the surface is closed.
#[derive(Clone, Default)]
pub struct Key(Option<Arc<str>>);

impl Key {
    /// An empty text is no key.
    #[must_use]
    pub fn new(key: Option<&str>) -> Self {
        Self(key.map(str::trim).filter(|key| !key.is_empty()).map(Into::into))
    }

    /// Passes who brings the key: 401 without it, 404 where there is none.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let key = self.0.as_ref().ok_or_else(Fault::not_found)?;
        let given = bearer::token(headers).unwrap_or_default();
        // Digests are compared, so that the time tells nothing of the key.
        let same =
            digest(&SHA256, key.as_bytes()).as_ref() == digest(&SHA256, given.as_bytes()).as_ref();
        if same { Ok(()) } else { Err(Fault::unauthorized()) }
    }
}

/// Whoever holds the key.
#[derive(Debug, Clone, Copy)]
pub struct Manager;

impl<S: Send + Sync> FromRequestParts<S> for Manager
where
    Key: FromRef<S>,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        Key::from_ref(state).check(&parts.headers).map(|()| Self)
    }
}
