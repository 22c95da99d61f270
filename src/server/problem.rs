//! Errors as RFC 9457 problem details.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::model::{Exit, Report};

/// A problem, as `application/problem+json`. Nothing of the request is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// What happened, a few words.
    pub title: String,
    /// More of it, for those who passed the guard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The fault in full, when the engine told one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<Report>>,
}

impl Problem {
    /// A problem with a title alone.
    #[must_use]
    pub fn new(status: StatusCode, title: &str) -> Self {
        Self { status: status.as_u16(), title: title.to_owned(), detail: None, report: None }
    }

    /// Adds detail.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl From<Report> for Problem {
    fn from(report: Report) -> Self {
        let status = match report.exit() {
            Exit::Usage | Exit::Config => StatusCode::UNPROCESSABLE_ENTITY,
            Exit::NotFound => StatusCode::NOT_FOUND,
            Exit::NoEngine | Exit::NotRunning => StatusCode::SERVICE_UNAVAILABLE,
            Exit::Bug => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::CONFLICT,
        };
        let mut problem = Self::new(status, &report.title);
        problem.report = Some(Box::new(report));
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Plain data of ours always has a JSON form; an empty body would still carry the status.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
