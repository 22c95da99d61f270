//! Parties by URN, as apps and access management ask for them (`platform-api.md` §2.1).

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::Platform;
use super::super::people::People;
use super::super::people::party::Party;
use crate::kit::api::{Api, Endpoint};
use crate::kit::body::Json;
use crate::kit::fault::Fault;
use crate::kit::token::access::App;

/// URNs in one question.
const MOST: usize = 100;

pub(super) fn endpoints(api: Api<Platform>) -> Api<Platform> {
    let endpoint = |path| {
        Endpoint::post(path, "Parties by URN; URNs of nobody are left out")
            .query(&["fields"])
            .takes::<Urns>()
            .gives::<Found>(200)
            .answers(&[400])
    };
    api.add(endpoint("/register/api/v1/apps/parties/query"), query)
        .add(endpoint("/register/api/v1/access-management/parties/query"), query)
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Urns {
    #[serde(alias = "Data")]
    data: Vec<String>,
}

/// Every field is given, also those that `fields` did not ask for: readers take what they know.
#[derive(Debug, Serialize, JsonSchema)]
struct Found {
    data: Vec<Value>,
}

async fn query(
    State(platform): State<Platform>,
    _: App,
    Json(urns): Json<Urns>,
) -> Result<Json<Found>, Fault> {
    if urns.data.len() > MOST {
        return Err(Fault::invalid("data", format!("At most {MOST} URNs.")));
    }
    let people = platform.people();
    let mut parties: Vec<Party> = Vec::new();
    for party in urns.data.iter().filter_map(|urn| by_urn(&people, urn)) {
        if parties.iter().all(|known| known.party_id != party.party_id) {
            parties.push(party);
        }
    }
    Ok(Json(Found { data: parties.iter().map(|party| item(&people, party)).collect() }))
}

fn by_urn(people: &People, urn: &str) -> Option<Party> {
    let (kind, value) = urn.rsplit_once(':')?;
    let org = || people.org(value).and_then(Party::of_org);
    let person = match kind {
        "urn:altinn:person:identifier-no" => people.by_ssn(value),
        "urn:altinn:user:id" | "urn:altinn:userid" => people.user(value.parse().ok()?),
        "urn:altinn:party:username" => people.by_user_name(value),
        "urn:altinn:organization:identifier-no" => return org(),
        "urn:altinn:party:id" | "urn:altinn:partyid" => return people.party(value.parse().ok()?),
        "urn:altinn:party:uuid" | "urn:altinn:person:uuid" | "urn:altinn:organization:uuid" => {
            return people.party_by_uuid(value.parse().ok()?);
        }
        _ => None,
    };
    person.map(Party::of_person)
}

fn item(people: &People, party: &Party) -> Value {
    let kind = match party.party_type_name {
        2 => "organization",
        3 => "self-identified-user",
        _ => "person",
    };
    let mut item = json!({
        "partyUuid": party.party_uuid,
        "versionId": 1,
        "urn": party.party_uuid.map(|uuid| format!("urn:altinn:party:uuid:{uuid}")),
        "externalUrn": party.external_urn,
        "partyId": party.party_id,
        "partyType": kind,
        "displayName": party.name,
        "isDeleted": party.is_deleted,
    });
    if let Some(person) = people.persons.iter().find(|person| person.party_id == party.party_id) {
        item["user"] = json!({
            "userId": person.user(), "username": person.user_name, "userIds": [person.user()],
        });
    }
    item
}
