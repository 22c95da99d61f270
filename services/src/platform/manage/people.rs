//! Who there is, for the command line.

use axum::extract::State;
use serde_json::{Value, json};

use super::super::Platform;
use super::super::people::party::Party;
use super::super::people::{People, Person};
use crate::kit::body::Json;
use crate::kit::management::Manager;

pub(super) async fn all(State(platform): State<Platform>, _: Manager) -> Json<Value> {
    let people = platform.people();
    let persons: Vec<Value> =
        people.persons.iter().map(|person| of_person(&people, person)).collect();
    Json(json!({
        "persons": persons,
        "orgs": people.orgs.iter().map(|org| json!({
            "orgNumber": org.org_number, "name": org.name, "org": org.org, "partyId": org.party_id,
        })).collect::<Vec<_>>(),
        "systemUsers": people.systems.iter().flat_map(|system| {
            system.system_users.iter().map(|user| json!({
                "systemId": system.id, "systemUserId": user.id, "orgNumber": user.org_number,
            }))
        }).collect::<Vec<_>>(),
        "faults": people.faults,
    }))
}

fn of_person(people: &People, person: &Person) -> Value {
    let choices = people.choices(person);
    let units = choices.iter().flat_map(|party| party.child_parties.iter().flatten());
    let parties: Vec<Value> = choices
        .iter()
        .filter(|party| !party.only_hierarchy_element_with_no_access)
        .chain(units)
        .filter(|party| party.party_id != person.party_id)
        .map(|party| of_party(person, party))
        .collect();
    json!({
        "userId": person.user(),
        "partyId": person.party_id,
        "userName": person.user_name,
        "ssn": person.ssn,
        "name": person.name(),
        "parties": parties,
    })
}

fn of_party(person: &Person, party: &Party) -> Value {
    let roles: Vec<&String> = person.roles(party.party_id).iter().map(|role| &role.value).collect();
    json!({
        "partyId": party.party_id,
        "name": party.name,
        "orgNumber": party.org_number,
        "ssn": party.ssn,
        "roles": roles,
    })
}
