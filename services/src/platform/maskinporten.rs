//! A stand-in for Maskinporten: apps outside localtest's own host names get their service-owner token from there and
//! exchange it at Authentication (`platform-api.md` §5.2, §8).
//!
//! It knows no clients: who a client is, its id says (a number of an organisation, or the short name of a service
//! owner, also before a dash or colon); any other client is the test department. Assertions are read, their signatures
//! not: there is nobody here who could have registered a key.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::Platform;
use super::authentication::issue;
use super::people::People;
use crate::kit::api::{Api, Endpoint};
use crate::kit::body::{Json, Raw};
use crate::kit::fault::Fault;
use crate::kit::origin::Origin;
use crate::kit::query::Query;
use crate::kit::token::{Claims, jwt};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Lifetime of its tokens in seconds, as the real one's.
const LIFETIME: i64 = 120;
/// The test department.
const NOBODY: &str = "405003309";

pub(super) fn endpoints(api: Api<Platform>) -> Api<Platform> {
    let document = |path| Endpoint::get(path, "Where tokens are had").open().answers(&[200]);
    api.add(document("/maskinporten/.well-known/oauth-authorization-server"), well_known)
        .add(document("/maskinporten/.well-known/openid-configuration"), well_known)
        // Clients that follow RFC 8414 put the issuer's path behind the well-known one.
        .add(document("/.well-known/oauth-authorization-server/maskinporten"), well_known)
        .add(Endpoint::get("/maskinporten/jwk", "Its keys").open().answers(&[200]), keys)
        .add(
            Endpoint::post("/maskinporten/token", "A token for an assertion")
                .takes_kind("application/x-www-form-urlencoded")
                .open()
                .gives::<Token>(200)
                .answers(&[400]),
            token,
        )
}

#[derive(Debug, Serialize, JsonSchema)]
struct Token {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
}

async fn well_known(origin: Origin) -> Json<Value> {
    Json(json!({
        "issuer": origin.url("/maskinporten/"),
        "token_endpoint": origin.url("/maskinporten/token"),
        "jwks_uri": origin.url("/maskinporten/jwk"),
        "grant_types_supported": [GRANT],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "RS512"],
    }))
}

async fn keys(State(platform): State<Platform>) -> Json<Value> {
    Json(json!({ "keys": [platform.key().public().jwk()] }))
}

async fn token(
    State(platform): State<Platform>,
    origin: Origin,
    Raw(body): Raw,
) -> Result<Response, Fault> {
    let form = Query::parse(&String::from_utf8_lossy(&body));
    if form.get("grant_type") != Some(GRANT) {
        return Ok(refuse("unsupported_grant_type", "The grant type must be jwt-bearer."));
    }
    let Some(assertion) = form.get("assertion").and_then(claims) else {
        return Ok(refuse("invalid_grant", "The assertion is not a JWT."));
    };
    let now = jwt::now();
    if assertion.number("exp").is_some_and(|end| end < now - 10) {
        return Ok(refuse("invalid_grant", "The assertion has expired."));
    }
    let Some(client) = assertion.text("iss") else {
        return Ok(refuse("invalid_grant", "The assertion names no client in `iss`."));
    };
    let scope = assertion.scopes().collect::<Vec<_>>().join(" ");
    let number = organisation(&platform.people(), &client);
    let mut claims = issue::object(json!({
        "scope": scope, "iss": origin.url("/maskinporten/"), "client_amr": "private_key_jwt",
        "token_type": "Bearer", "exp": now + LIFETIME, "iat": now, "client_id": client,
        "jti": uuid::Uuid::new_v4(), "consumer": issue::consumer(&number),
    }));
    if let Some(details) = assertion.0.get("authorization_details") {
        claims.insert("authorization_details".to_owned(), details.clone());
    }
    let access_token = platform.sign(&Claims(claims))?;
    let token = Token { access_token, token_type: "Bearer", expires_in: LIFETIME, scope };
    Ok(Json(token).into_response())
}

/// What an assertion says; any algorithm will do, since no signature is checked.
fn claims(assertion: &str) -> Option<Claims> {
    use base64::Engine as _;
    let body = assertion.split('.').nth(1)?.trim_end_matches('=');
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).ok()?;
    serde_json::from_slice(&body).ok().map(Claims)
}

fn organisation(people: &People, client: &str) -> String {
    let name = client.split(['-', ':', '_']).next().unwrap_or(client);
    let digits = name.len() == 9 && name.bytes().all(|byte| byte.is_ascii_digit());
    match people.service_owner(name) {
        Some(org) => org.org_number.clone(),
        None if digits => name.to_owned(),
        None => NOBODY.to_owned(),
    }
}

fn refuse(error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
