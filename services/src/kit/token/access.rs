//! `PlatformAccessToken`: which app is calling (`platform-api.md` §5.5).
//!
//! The issuer of such a token is the organisation; it is checked against the organisation's public certificate, which
//! production keeps in the vault as `{issuer}-access-token-public-cert`. Here it lies in a folder as `{issuer}.pem` or
//! as `{issuer}.cer` (base64 of the DER form, as in the vault) and takes effect at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use webpki::EndEntityCert;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;

use super::jwt;
use super::verifier::Verifier;
use crate::kit::fault::Fault;

/// Header of the token.
pub const HEADER: &str = "PlatformAccessToken";

/// Checks tokens of apps.
#[derive(Clone)]
pub struct AccessTokens(Arc<Inner>);

struct Inner {
    certificates: PathBuf,
    own: Verifier,
    lenient: bool,
}

/// Which app called: the issuer's short name and the app's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformToken {
    /// `ttd`, or `platform` for the platform's own services.
    pub issuer: String,
    /// `demo`.
    pub app: String,
}

impl AccessTokens {
    /// Checks against the certificates of a folder; tokens of issuer `platform` against the platform's own key.
    /// `lenient` lets requests without such a token pass, as `DisableAccessTokenVerification` does.
    #[must_use]
    pub fn new(certificates: &Path, own: Verifier, lenient: bool) -> Self {
        Self(Arc::new(Inner { certificates: certificates.to_owned(), own, lenient }))
    }

    /// Who signed the token, if it is good.
    pub async fn check(&self, token: &str) -> Option<PlatformToken> {
        let unchecked = jwt::parse(token)?;
        let issuer = unchecked.issuer.clone()?;
        let claims = if issuer == "platform" {
            self.0.own.verify(token).await.ok()??
        } else {
            let certificate = self.certificate(&issuer)?;
            let certificate = certificate.as_slice().into();
            let certificate = EndEntityCert::try_from(&certificate).ok()?;
            unchecked.check_with(jwt::now(), |message, signature| {
                certificate.verify_signature(RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            })?
        };
        Some(PlatformToken { issuer, app: claims.app()? })
    }

    fn certificate(&self, issuer: &str) -> Option<Vec<u8>> {
        // The issuer names a file: letters and digits only.
        if issuer.is_empty() || !issuer.chars().all(|c| c.is_ascii_alphanumeric()) {
            return None;
        }
        let text = ["pem", "cer"].iter().find_map(|ending| {
            std::fs::read_to_string(self.0.certificates.join(format!("{issuer}.{ending}"))).ok()
        })?;
        let body: String =
            text.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        STANDARD.decode(body).ok()
    }
}

/// Refuses with 401 without a good token; `None` only where tokens are not demanded.
#[derive(Debug, Clone)]
pub struct App(pub Option<PlatformToken>);

impl<S: Send + Sync> FromRequestParts<S> for App
where
    AccessTokens: FromRef<S>,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let tokens = AccessTokens::from_ref(state);
        let given = parts.headers.get(HEADER).and_then(|value| value.to_str().ok());
        let found = match given.map(str::trim).filter(|token| !token.is_empty()) {
            Some(token) => tokens.check(token).await,
            None => None,
        };
        if found.is_none() && !tokens.0.lenient {
            return Err(Fault::unauthorized());
        }
        Ok(Self(found))
    }
}
