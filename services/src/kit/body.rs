//! Bodies of requests, read whole and within bounds, refused as ASP.NET refuses them.

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use super::guard::Stalled;

/// A whole body, whatever its type. The endpoint's limit holds (413).
#[derive(Debug, Clone)]
pub struct Raw(pub Bytes);

/// JSON in and out. In: any JSON content type (else 415), not empty, of the right shape (else 400).
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection| broken(&rejection))
    }
}

/// Why a body ended early: too long (413), too slow (408), or cut off (400).
pub fn broken(error: &(dyn std::error::Error + 'static)) -> Fault {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() || error.is::<Box<LengthLimitError>>() {
            return Fault::problem(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large.");
        }
        if error.is::<Stalled>() {
            return Fault::problem(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.");
        }
        cause = error.source();
    }
    Fault::problem(StatusCode::BAD_REQUEST, "The body could not be read.")
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        if !is_json(request.headers()) {
            return Err(Fault::problem(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The content type must be JSON.",
            ));
        }
        let Raw(bytes) = Raw::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// Reads JSON as handlers get it; for bodies that are read by hand.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    // .NET's writers may begin with a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(Fault::invalid("", "A non-empty request body is required."));
    }
    serde_json::from_slice(bytes).map_err(|error| Fault::invalid("$", error.to_string()))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "application/json" | "text/json")
        || (kind.starts_with("application/") && kind.ends_with("+json"))
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response(),
            Err(error) => Fault::internal(error).into_response(),
        }
    }
}
