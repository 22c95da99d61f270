//! Errors as Azure DevOps tells them: with the shape that its clients turn into an error with a message.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::model::{Code, Report};
use crate::pipeline::{NotDone, NotQueued};

/// An error.
#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    message: String,
    key: &'static str,
}

impl Fault {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), key: "VssServiceException" }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { key: "InvalidRequestException", ..Self::new(StatusCode::BAD_REQUEST, message) }
    }

    pub(super) fn nothing() -> Self {
        let message = "there is nothing here";
        Self { key: "VssResourceNotFoundException", ..Self::new(StatusCode::NOT_FOUND, message) }
    }

    pub(super) fn no_run(id: &str) -> Self {
        let shown: String = id.chars().take(20).collect();
        let message = format!("The requested build {shown} could not be found.");
        Self { key: "BuildNotFoundException", ..Self::new(StatusCode::NOT_FOUND, message) }
    }

    pub(super) fn unauthorized() -> Self {
        let message = "the pipeline's token is needed: `altinn-local credentials` shows it";
        Self { key: "UnauthorizedRequestException", ..Self::new(StatusCode::UNAUTHORIZED, message) }
    }
}

impl From<Report> for Fault {
    fn from(report: Report) -> Self {
        let status = match report.code {
            Code::NotRunning | Code::AgentSilent => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let why = report.labels.first().map(|(_, why)| format!(": {why}")).unwrap_or_default();
        Self::new(status, format!("{}: {}{why}", report.code, report.title))
    }
}

impl From<NotQueued> for Fault {
    fn from(not: NotQueued) -> Self {
        match not {
            NotQueued::Refused(refused) => {
                let status = StatusCode::BAD_REQUEST;
                Self {
                    key: "BuildRequestValidationFailedException",
                    ..Self::new(status, refused.to_string())
                }
            }
            other => Report::from(other).into(),
        }
    }
}

impl Fault {
    /// Why something was not done to the run of this number.
    pub(super) fn not_done(id: u32, not: NotDone) -> Self {
        match not {
            NotDone::Unknown => Self::no_run(&id.to_string()),
            NotDone::UnderWay => Self {
                key: "InvalidBuildException",
                ..Self::new(
                    StatusCode::CONFLICT,
                    format!("build {id} is carried out now; cancel it first"),
                )
            },
            NotDone::Failed(report) => report.into(),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!({
            "$id": "1",
            "innerException": null,
            "message": self.message,
            "typeName": format!("Microsoft.TeamFoundation.Build.WebApi.{}, Microsoft.TeamFoundation.Build2.WebApi", self.key),
            "typeKey": self.key,
            "errorCode": 0,
            "eventId": 3000,
        });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let value = HeaderValue::from_static("Basic realm=\"altinn-local pipeline\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}
