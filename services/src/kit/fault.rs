//! Answers that refuse, with the bodies that the contract gives (`platform-api.md` §0 "Error bodies").

use std::fmt::Display;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::words::Words;

/// The `Err` of every handler.
#[derive(Debug, Clone)]
pub struct Fault(Box<Refusal>);

#[derive(Debug, Clone)]
struct Refusal {
    status: StatusCode,
    body: FaultBody,
    retry_after: Option<u32>,
}

#[derive(Debug, Clone)]
enum FaultBody {
    Empty,
    Words(String),
    Problem(Map<String, Value>),
}

impl Fault {
    fn new(status: StatusCode, body: FaultBody) -> Self {
        Self(Box::new(Refusal { status, body, retry_after: None }))
    }

    /// Only a status. 401 names the scheme that is wanted.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self::new(status, FaultBody::Empty)
    }

    /// A plain string; quoted when the caller asked for JSON. Storage refuses mostly like this.
    pub fn words(status: StatusCode, text: impl Into<String>) -> Self {
        Self::new(status, FaultBody::Words(text.into()))
    }

    /// Problem details of RFC 9457.
    pub fn problem(status: StatusCode, detail: impl Into<String>) -> Self {
        let mut body = problem(status, status.canonical_reason().unwrap_or("Error"));
        body.insert("detail".to_owned(), Value::String(detail.into()));
        Self::new(status, FaultBody::Problem(body))
    }

    /// What ASP.NET answers when a value of the request cannot be bound: 400 with `errors`.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        let mut body = problem(StatusCode::BAD_REQUEST, "One or more validation errors occurred.");
        body.insert("errors".to_owned(), json!({ field: [message.into()] }));
        Self::new(StatusCode::BAD_REQUEST, FaultBody::Problem(body))
    }

    /// Adds a member to problem details; other bodies stay as they are.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let FaultBody::Problem(body) = &mut self.0.body {
            body.insert(name.to_owned(), value.into());
        }
        self
    }

    /// No token, or one that is not accepted.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::empty(StatusCode::UNAUTHORIZED)
    }

    /// A token that is accepted but does not allow this.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::empty(StatusCode::FORBIDDEN)
    }

    /// Nothing here, and no word why.
    #[must_use]
    pub fn not_found() -> Self {
        Self::empty(StatusCode::NOT_FOUND)
    }

    /// Something that this service needs does not answer; the cause is logged, not told.
    pub fn unavailable(what: &str, cause: impl Display) -> Self {
        tracing::warn!(what, %cause, "unavailable");
        let mut fault =
            Self::problem(StatusCode::SERVICE_UNAVAILABLE, format!("{what} does not answer"));
        fault.0.retry_after = Some(1);
        fault
    }

    /// A fault of this program. The cause is logged under a number that the answer carries.
    pub fn internal(cause: impl Display) -> Self {
        let trace = uuid::Uuid::new_v4().simple().to_string();
        tracing::error!(trace, %cause, "internal fault");
        Self::problem(StatusCode::INTERNAL_SERVER_ERROR, "an internal fault; see the log")
            .with("traceId", trace)
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }
}

/// An error with its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn problem(status: StatusCode, title: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("type".to_owned(), Value::String(kind(status).to_owned()));
    body.insert("title".to_owned(), Value::String(title.to_owned()));
    body.insert("status".to_owned(), Value::from(status.as_u16()));
    body
}

/// The links that ASP.NET puts into `type`.
fn kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        401 => "https://tools.ietf.org/html/rfc9110#section-15.5.2",
        403 => "https://tools.ietf.org/html/rfc9110#section-15.5.4",
        404 => "https://tools.ietf.org/html/rfc9110#section-15.5.5",
        405 => "https://tools.ietf.org/html/rfc9110#section-15.5.6",
        408 => "https://tools.ietf.org/html/rfc9110#section-15.5.9",
        409 => "https://tools.ietf.org/html/rfc9110#section-15.5.10",
        412 => "https://tools.ietf.org/html/rfc9110#section-15.5.13",
        413 => "https://tools.ietf.org/html/rfc9110#section-15.5.14",
        415 => "https://tools.ietf.org/html/rfc9110#section-15.5.16",
        422 => "https://tools.ietf.org/html/rfc9110#section-15.5.21",
        429 => "https://tools.ietf.org/html/rfc6585#section-4",
        500 => "https://tools.ietf.org/html/rfc9110#section-15.6.1",
        503 => "https://tools.ietf.org/html/rfc9110#section-15.6.4",
        _ => "about:blank",
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let Refusal { status, body, retry_after } = *self.0;
        let mut response = match body {
            FaultBody::Empty => status.into_response(),
            FaultBody::Words(text) => (status, Words(text)).into_response(),
            FaultBody::Problem(body) => (
                status,
                [(CONTENT_TYPE, "application/problem+json; charset=utf-8")],
                Value::Object(body).to_string(),
            )
                .into_response(),
        };
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
