//! A token of ours for one of Maskinporten, ID-porten or Studio (`platform-api.md` §5.3 "exchange").
//!
//! Tokens of our own Maskinporten stand-in are checked with our own key. The keys of other issuers lie as a JSON Web
//! Key Set in `keys/exchange/{provider}.json` and take effect at once.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::super::Platform;
use super::issue;
use crate::kit::fault::Fault;
use crate::kit::origin::Origin;
use crate::kit::query::Query;
use crate::kit::token::{Claims, PublicKey, bearer, jwt};
use crate::kit::words::Words;

pub(super) async fn exchange(
    State(platform): State<Platform>,
    Path(provider): Path<String>,
    origin: Origin,
    query: Query,
    headers: HeaderMap,
) -> Result<Words, Fault> {
    let provider = provider.to_ascii_lowercase();
    let make: fn(&Platform, &Claims, bool) -> Result<Claims, Fault> = match provider.as_str() {
        "maskinporten" => maskinporten,
        "id-porten" => id_porten,
        "altinnstudio" => studio,
        _ => return Err(Fault::words(StatusCode::BAD_REQUEST, "Invalid tokenProvider")),
    };
    let test = query.flag("test")?.unwrap_or(false);
    let token = bearer::token(&headers).ok_or_else(Fault::unauthorized)?;
    let claims = trusted(&platform, &provider, &token).await?;
    platform.issue(make(&platform, &claims, test)?, &origin).map(Words)
}

/// The claims of a token that we signed, or that a key of this provider signed.
async fn trusted(platform: &Platform, provider: &str, token: &str) -> Result<Claims, Fault> {
    if let Some(claims) = platform.verifier().verify(token).await? {
        return Ok(claims);
    }
    let file = platform.data().join("keys/exchange").join(format!("{provider}.json"));
    let keys: Value = std::fs::read(file)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let token = jwt::parse(token).ok_or_else(Fault::unauthorized)?;
    keys.get("keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(PublicKey::from_jwk)
        .find_map(|key| token.check(&key, jwt::now()))
        .ok_or_else(Fault::unauthorized)
}

fn maskinporten(platform: &Platform, claims: &Claims, test: bool) -> Result<Claims, Fault> {
    let number = claims.org_number().ok_or_else(Fault::unauthorized)?;
    let owner = claims.scopes().any(|scope| scope.starts_with("altinn:serviceowner"));
    let people = platform.people();
    let org = people.org(&number).and_then(|org| org.org.as_deref()).filter(|_| owner);
    let org = org.map(|org| if test && org == "digdir" { "ttd" } else { org });
    let mut ours = issue::org(&number, org, &claims.scopes().collect::<Vec<_>>().join(" "), 3);
    for kept in ["authorization_details", "client_id", "consumer", "supplier"] {
        if let Some(value) = claims.0.get(kept) {
            ours.0.insert(kept.to_owned(), value.clone());
        }
    }
    Ok(ours)
}

fn id_porten(platform: &Platform, claims: &Claims, _: bool) -> Result<Claims, Fault> {
    if !claims.scopes().any(|scope| scope.starts_with("altinn:")) {
        return Err(Fault::forbidden());
    }
    let people = platform.people();
    let person =
        claims.text("pid").and_then(|ssn| people.by_ssn(&ssn)).ok_or_else(Fault::unauthorized)?;
    let level = match claims.text("acr").as_deref() {
        Some("Level4" | "idporten-loa-high") => 4,
        _ => 3,
    };
    Ok(issue::user(person, level, &claims.scopes().collect::<Vec<_>>().join(" ")))
}

/// All claims are kept; that is where `urn:altinn:app` = `studio.designer` comes from.
fn studio(_: &Platform, claims: &Claims, _: bool) -> Result<Claims, Fault> {
    let issuer = claims.text("iss").unwrap_or_default();
    let known = ["studio", "dev-studio", "staging-studio"].contains(&issuer.as_str());
    if !known && claims.app().as_deref() != Some("studio.designer") {
        return Err(Fault::unauthorized());
    }
    let mut claims = claims.clone();
    claims.0.entry("urn:altinn:authlevel").or_insert(json!(3));
    Ok(claims)
}
