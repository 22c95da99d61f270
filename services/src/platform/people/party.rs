//! The wire's picture of parties, organisations and persons (`platform-api.md` §2.2).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::draft::{Org, Person};

/// Somebody that can own instances.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    /// Its number.
    pub party_id: i64,
    /// Its uuid.
    #[schemars(with = "Option<String>")]
    pub party_uuid: Option<Uuid>,
    /// `urn:altinn:person:identifier-no:…` or `urn:altinn:organization:identifier-no:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_urn: Option<String>,
    /// 1 person, 2 organisation, 3 self-identified, 4 unit, 5 bankruptcy estate.
    pub party_type_name: u8,
    /// Nine digits.
    pub org_number: Option<String>,
    /// Eleven digits.
    pub ssn: Option<String>,
    /// `AS`, `BEDR`, …
    pub unit_type: Option<String>,
    /// What it is called.
    pub name: String,
    /// Whether it ended.
    pub is_deleted: bool,
    /// Whether it stands in a list only because of its units.
    pub only_hierarchy_element_with_no_access: bool,
    /// The register's entry of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Value>,
    /// The register's entry of an organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Value>,
    /// Its units.
    pub child_parties: Option<Vec<Party>>,
}

/// The uuid of a party whose file names none; the public test data has the same form.
#[must_use]
pub fn uuid_of(party: i64) -> Uuid {
    format!("00000000-0000-0000-0000-{party:0>12}").parse().unwrap_or_default()
}

impl Party {
    /// A person's party.
    #[must_use]
    pub fn of_person(person: &Person) -> Self {
        let ssn = person.ssn.clone().filter(|ssn| !ssn.is_empty());
        Self {
            party_id: person.party_id,
            party_uuid: Some(person.uuid()),
            external_urn: ssn.as_ref().map(|ssn| format!("urn:altinn:person:identifier-no:{ssn}")),
            party_type_name: if ssn.is_some() { 1 } else { 3 },
            ssn,
            name: match person.user_name.as_deref() {
                Some(user_name) if person.self_identified() => user_name.to_owned(),
                _ => person.name(),
            },
            ..Self::default()
        }
    }

    /// An organisation's party; not every organisation is one.
    #[must_use]
    pub fn of_org(org: &Org) -> Option<Self> {
        let party_id = org.party_id?;
        Some(Self {
            party_id,
            party_uuid: Some(org.party_uuid.unwrap_or_else(|| uuid_of(party_id))),
            external_urn: Some(format!("urn:altinn:organization:identifier-no:{}", org.org_number)),
            party_type_name: 2,
            org_number: Some(org.org_number.clone()),
            unit_type: org.unit_type.clone(),
            name: org.name.clone(),
            ..Self::default()
        })
    }
}

/// The register's entry of a person.
#[must_use]
pub fn person(person: &Person) -> Value {
    const MEMBERS: [&str; 13] = [
        "telephoneNumber",
        "mobileNumber",
        "mailingAddress",
        "mailingPostalCode",
        "mailingPostalCity",
        "addressMunicipalNumber",
        "addressMunicipalName",
        "addressStreetName",
        "addressHouseNumber",
        "addressHouseLetter",
        "addressPostalCode",
        "addressCity",
        "dateOfDeath",
    ];
    let mut entry = Map::new();
    entry.insert("ssn".to_owned(), json!(person.ssn));
    entry.insert("name".to_owned(), json!(person.name()));
    entry.insert("firstName".to_owned(), json!(person.first_name));
    entry.insert("middleName".to_owned(), json!(person.middle_name.as_deref().unwrap_or_default()));
    entry.insert("lastName".to_owned(), json!(person.last_name));
    fill(&mut entry, &person.more, &MEMBERS);
    Value::Object(entry)
}

/// The register's entry of an organisation.
#[must_use]
pub fn organization(org: &Org) -> Value {
    const MEMBERS: [&str; 12] = [
        "telephoneNumber",
        "mobileNumber",
        "faxNumber",
        "eMailAddress",
        "internetAddress",
        "mailingAddress",
        "mailingPostalCode",
        "mailingPostalCity",
        "businessAddress",
        "businessPostalCode",
        "businessPostalCity",
        "unitStatus",
    ];
    let mut entry = Map::new();
    entry.insert("orgNumber".to_owned(), json!(org.org_number));
    entry.insert("name".to_owned(), json!(org.name));
    entry.insert("unitType".to_owned(), json!(org.unit_type));
    fill(&mut entry, &org.more, &MEMBERS);
    Value::Object(entry)
}

/// Members that the file leaves out are there as null.
fn fill(entry: &mut Map<String, Value>, more: &Map<String, Value>, members: &[&str]) {
    for member in members {
        entry.insert((*member).to_owned(), more.get(*member).cloned().unwrap_or(Value::Null));
    }
}
