//! Who calls: the extractors that handlers take.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::claims::Claims;
use super::verifier::Verifier;
use crate::kit::cookie;
use crate::kit::fault::Fault;

/// The cookies that carry a token, in the order in which they are tried (`platform-api.md` §5.1).
pub const COOKIES: [&str; 2] = [".ALTINNTOKEN", "AltinnStudioRuntime"];

/// The claims of an accepted token; 401 without one.
#[derive(Debug, Clone)]
pub struct Bearer(pub Claims);

/// The claims of an accepted token, if there is one; a bad one is as none.
#[derive(Debug, Clone)]
pub struct MaybeBearer(pub Option<Claims>);

/// The token of a request as it stands there: bearer header first, then the cookies.
#[must_use]
pub fn token(headers: &HeaderMap) -> Option<String> {
    if let Some(header) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())
        && let Some((scheme, token)) = header.split_once(' ')
        && scheme.eq_ignore_ascii_case("bearer")
    {
        return Some(token.trim().to_owned());
    }
    COOKIES.iter().find_map(|name| cookie::read(headers, name))
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeBearer
where
    Verifier: FromRef<S>,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let Some(token) = token(&parts.headers) else { return Ok(Self(None)) };
        Verifier::from_ref(state).verify(&token).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Bearer
where
    Verifier: FromRef<S>,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let MaybeBearer(claims) = MaybeBearer::from_request_parts(parts, state).await?;
        claims.map(Self).ok_or_else(Fault::unauthorized)
    }
}
