//! What the cluster tells of a deployment after the pipeline is done (`altinn-contracts.md` §2): in production the
//! runtime's gateway tells it with a token of Maskinporten, here the pipeline does, with its own token.

use axum::extract::{FromRequestParts, Path, State};
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use schemars::JsonSchema;
use serde::Deserialize;

use super::builds::Number;
use super::model::{DeploymentType, Event, EventType};
use crate::designer::Designer;
use crate::designer::api::app_id;
use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;

/// The longest message that is kept, in letters; Helm tells whole manifests when it is upset.
const MESSAGE: usize = 4_000;

/// The body of POST.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Happened {
    /// The pipeline's number; without it, the newest deployment to the environment is meant.
    #[serde(default)]
    build_id: Option<Number>,
    #[serde(default)]
    message: String,
    timestamp: Date,
    event_type: EventType,
    environment: String,
}

/// Whoever holds the pipeline's token, as a bearer token or as the password of Basic. Nobody does when there is none.
pub(in crate::designer) struct FromPipeline;

impl FromRequestParts<Designer> for FromPipeline {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, designer: &Designer) -> Result<Self, Fault> {
        let token = designer.0.pipeline_token.trim();
        let given = given(&parts.headers).unwrap_or_default();
        // Digests are compared, so that the time tells nothing of the token.
        let hash = |text: &str| digest(&SHA256, text.as_bytes());
        if !token.is_empty() && hash(token).as_ref() == hash(&given).as_ref() {
            Ok(Self)
        } else {
            Err(Fault::unauthorized())
        }
    }
}

fn given(headers: &HeaderMap) -> Option<String> {
    let (scheme, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(rest.trim().to_owned()),
        "basic" => {
            let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
            pair.split_once(':').map(|(_, password)| password.to_owned())
        }
        _ => None,
    }
}

/// POST: keeps what happened with the deployment that it happened to. One that is told again is kept once.
pub(in crate::designer) async fn hear(
    State(designer): State<Designer>,
    _: FromPipeline,
    Path((org, app)): Path<(String, String)>,
    Json(happened): Json<Happened>,
) -> Result<StatusCode, Fault> {
    let app = app_id(&org, &app)?;
    let wanted = happened.event_type.of();
    let build = happened.build_id.map(String::from).filter(|id| !id.is_empty());
    let known = designer.0.store.deployments(&app).await?;
    let deployment = known.into_iter().find(|deployment| {
        deployment.env_name.eq_ignore_ascii_case(&happened.environment)
            && match &build {
                Some(build) => deployment.build.id == *build,
                None => deployment.deployment_type == wanted,
            }
    });
    let Some(deployment) = deployment else {
        let detail = format!("There is no such deployment of {app} to {}.", happened.environment);
        let fault = Fault::problem(StatusCode::NOT_FOUND, detail);
        return Err(fault.with("code", "no-deployment"));
    };
    let event = Event {
        message: happened.message.chars().take(MESSAGE).collect(),
        timestamp: happened.timestamp,
        event_type: happened.event_type,
    };
    designer.0.store.add_event(deployment.id, &event).await?;
    Ok(StatusCode::OK)
}

impl EventType {
    /// Which kind of deployment it ends.
    fn of(self) -> DeploymentType {
        match self {
            Self::UninstallSucceeded | Self::UninstallFailed => DeploymentType::Decommission,
            _ => DeploymentType::Deploy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_both_schemes() {
        for (header, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Basic OmFiYw==", Some("abc")),
            ("Basic dXNlcjphOmI=", Some("a:b")),
            ("Basic YWJj", None),
            ("Basic ???", None),
            ("Digest abc", None),
            ("abc", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, header.parse().unwrap());
            assert_eq!(given(&headers).as_deref(), token, "{header}");
        }
        assert_eq!(given(&HeaderMap::new()), None);
    }
}
