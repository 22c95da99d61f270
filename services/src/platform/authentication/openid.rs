//! Keys, and the document that leads to them: every URL in it is one that the caller can reach.

use axum::extract::State;
use serde_json::{Value, json};

use super::super::Platform;
use crate::kit::body::Json;
use crate::kit::origin::Origin;
use crate::kit::token::verifier::KEYS;

pub(super) async fn document(origin: Origin) -> Json<Value> {
    Json(json!({
        "issuer": issuer(&origin),
        "jwks_uri": origin.url(KEYS),
        "authorization_endpoint": origin.url("/authentication/api/v1/authentication"),
        "token_endpoint": origin.url("/maskinporten/token"),
        "end_session_endpoint": origin.url("/authentication/api/v1/logout"),
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

pub(super) async fn keys(State(platform): State<Platform>) -> Json<Value> {
    Json(json!({ "keys": [platform.key().public().jwk()] }))
}

/// `iss` of our tokens. Nobody checks it against the document, but both agree.
pub(in crate::platform) fn issuer(origin: &Origin) -> String {
    origin.url("/authentication/api/v1/openid/")
}
