//! Several parties at once, rarely asked for by apps (`platform-api.md` §2.3).

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::Platform;
use super::super::people::party::Party;
use super::no_party;
use crate::kit::api::{Api, Endpoint};
use crate::kit::body::Json;
use crate::kit::fault::Fault;
use crate::kit::query::Query;
use crate::kit::token::Bearer;
use crate::kit::token::access::App;

/// Identifiers in one question.
const MOST: usize = 100;
/// Names in one question.
const MOST_NAMES: usize = 1000;

pub(super) fn endpoints(api: Api<Platform>) -> Api<Platform> {
    api.add(
        Endpoint::post("/register/api/v1/parties/partylist", "Parties by id")
            .query(&["fetchSubUnits"])
            .takes::<Vec<i64>>()
            .gives::<Vec<Party>>(200)
            .answers(&[400, 404]),
        by_ids,
    )
    .add(
        Endpoint::post("/register/api/v1/parties/partylistbyuuid", "Parties by uuid")
            .query(&["fetchSubUnits"])
            .takes::<Vec<String>>()
            .gives::<Vec<Party>>(200)
            .answers(&[400, 404]),
        by_uuids,
    )
    .add(
        Endpoint::get("/register/api/v1/parties/identifiers", "All identifiers of parties")
            .query(&["ids", "uuids", "orgs"])
            .gives::<Vec<Identifiers>>(200)
            .answers(&[400]),
        identifiers,
    )
    .add(
        Endpoint::post(
            "/register/api/v1/parties/nameslookup",
            "Names of persons and organisations",
        )
        .takes::<NamesAsked>()
        .gives::<NamesTold>(200)
        .answers(&[400]),
        names,
    )
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Identifiers {
    party_id: i64,
    #[schemars(with = "Option<String>")]
    party_uuid: Option<Uuid>,
    org_number: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NamesAsked {
    parties: Vec<Numbers>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct Numbers {
    ssn: Option<String>,
    org_no: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NamesTold {
    party_names: Vec<Named>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Named {
    ssn: Option<String>,
    org_no: Option<String>,
    name: Option<String>,
    person_name: Option<PersonName>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PersonName {
    first_name: String,
    middle_name: Option<String>,
    last_name: String,
}

async fn by_ids(
    State(platform): State<Platform>,
    _: App,
    query: Query,
    Json(ids): Json<Vec<i64>>,
) -> Result<Json<Vec<Party>>, Fault> {
    let people = platform.people();
    list(&platform, &query, ids.into_iter().filter_map(|id| people.party(id)))
}

async fn by_uuids(
    State(platform): State<Platform>,
    _: App,
    query: Query,
    Json(uuids): Json<Vec<Uuid>>,
) -> Result<Json<Vec<Party>>, Fault> {
    let people = platform.people();
    list(&platform, &query, uuids.into_iter().filter_map(|uuid| people.party_by_uuid(uuid)))
}

fn list(
    platform: &Platform,
    query: &Query,
    parties: impl Iterator<Item = Party>,
) -> Result<Json<Vec<Party>>, Fault> {
    let units = query.flag("fetchSubUnits")?.unwrap_or(false);
    let people = platform.people();
    let parties: Vec<Party> =
        parties.map(|party| if units { people.with_units(party) } else { party }).collect();
    if parties.is_empty() { Err(no_party()) } else { Ok(Json(parties)) }
}

async fn identifiers(
    State(platform): State<Platform>,
    _: Bearer,
    _: App,
    query: Query,
) -> Result<Json<Vec<Identifiers>>, Fault> {
    // Both `ids=1&ids=2` and `ids=1,2` are in use.
    let all = |name| -> Vec<String> {
        query
            .all(name)
            .flat_map(|text| text.split(','))
            .map(|text| text.trim().to_owned())
            .collect()
    };
    let (ids, uuids, orgs) = (all("ids"), all("uuids"), all("orgs"));
    if ids.len() + uuids.len() + orgs.len() > MOST {
        return Err(Fault::invalid("ids", format!("At most {MOST} identifiers.")));
    }
    let people = platform.people();
    let mut parties = Vec::new();
    for id in &ids {
        parties.extend(people.party(crate::kit::path::value("ids", id)?));
    }
    for uuid in &uuids {
        parties.extend(people.party_by_uuid(crate::kit::path::value("uuids", uuid)?));
    }
    parties.extend(orgs.iter().filter_map(|org| people.org(org).and_then(Party::of_org)));
    Ok(Json(
        parties
            .into_iter()
            .map(|party| Identifiers {
                party_id: party.party_id,
                party_uuid: party.party_uuid,
                org_number: party.org_number,
            })
            .collect(),
    ))
}

async fn names(
    State(platform): State<Platform>,
    _: App,
    Json(asked): Json<NamesAsked>,
) -> Result<Json<NamesTold>, Fault> {
    if asked.parties.is_empty() || asked.parties.len() > MOST_NAMES {
        return Err(Fault::invalid("parties", format!("Between 1 and {MOST_NAMES} parties.")));
    }
    let people = platform.people();
    let party_names = asked
        .parties
        .into_iter()
        .map(|Numbers { ssn, org_no }| {
            let person = ssn.as_deref().and_then(|ssn| people.by_ssn(ssn));
            let org = org_no.as_deref().and_then(|number| people.org(number));
            Named {
                name: person
                    .map(super::super::Person::name)
                    .or_else(|| org.map(|org| org.name.clone())),
                person_name: person.map(|person| PersonName {
                    first_name: person.first_name.clone(),
                    middle_name: person.middle_name.clone(),
                    last_name: person.last_name.clone(),
                }),
                ssn,
                org_no,
            }
        })
        .collect();
    Ok(Json(NamesTold { party_names }))
}
