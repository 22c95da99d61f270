//! Single parties and organisations.

use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::super::people::party::{self, Party};
use super::super::{Platform, speaks_for};
use super::no_party;
use crate::kit::body::Json;
use crate::kit::fault::Fault;
use crate::kit::path::value;
use crate::kit::token::access::App;
use crate::kit::token::{Bearer, Claims};

/// One of the two.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Lookup {
    #[serde(alias = "Ssn")]
    ssn: Option<String>,
    #[serde(alias = "OrgNo", alias = "OrgNumber", alias = "orgNumber")]
    org_no: Option<String>,
}

/// Service owners may read any party; users only those that they may act for, and learn nothing of others.
pub(super) async fn by_id(
    State(platform): State<Platform>,
    Bearer(claims): Bearer,
    _: App,
    Path(id): Path<String>,
) -> Result<Json<Party>, Fault> {
    let id: i64 = value("partyId", &id)?;
    give(&platform, &claims, platform.people().party(id))
}

pub(super) async fn by_uuid(
    State(platform): State<Platform>,
    Bearer(claims): Bearer,
    _: App,
    Path(uuid): Path<String>,
) -> Result<Json<Party>, Fault> {
    let uuid: Uuid = value("partyUuid", &uuid)?;
    give(&platform, &claims, platform.people().party_by_uuid(uuid))
}

fn give(platform: &Platform, claims: &Claims, party: Option<Party>) -> Result<Json<Party>, Fault> {
    if claims.org().is_some() {
        return party.map(Json).ok_or_else(no_party);
    }
    party
        .filter(|party| speaks_for(&platform.people(), claims, party.party_id))
        .map(Json)
        .ok_or_else(Fault::unauthorized)
}

pub(super) async fn lookup(
    State(platform): State<Platform>,
    _: Bearer,
    _: App,
    Json(lookup): Json<Lookup>,
) -> Result<Json<Party>, Fault> {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let people = platform.people();
    let party = match (given(lookup.ssn), given(lookup.org_no)) {
        (Some(ssn), None) if digits(&ssn, 11) => people.by_ssn(&ssn).map(Party::of_person),
        (None, Some(number)) if digits(&number, 9) => people.org(&number).and_then(Party::of_org),
        (Some(_), None) => return Err(Fault::invalid("ssn", "The value must have 11 digits.")),
        (None, Some(_)) => return Err(Fault::invalid("orgNo", "The value must have 9 digits.")),
        _ => return Err(Fault::invalid("", "Exactly one of ssn and orgNo is required.")),
    };
    party.map(Json).ok_or_else(no_party)
}

pub(super) async fn organization(
    State(platform): State<Platform>,
    _: Bearer,
    _: App,
    Path(number): Path<String>,
) -> Result<Json<Value>, Fault> {
    let people = platform.people();
    people.org(&number).map(|org| Json(party::organization(org))).ok_or_else(Fault::not_found)
}
