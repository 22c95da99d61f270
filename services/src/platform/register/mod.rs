//! Register (`platform-api.md` §2): parties, organisations and persons.

mod lists;
mod parties;
mod persons;
mod query;

pub use persons::Attempts;

use axum::http::StatusCode;

use super::Platform;
use super::people::party::Party;
use crate::kit::api::{Api, Endpoint};
use crate::kit::fault::Fault;

pub(super) fn endpoints(api: Api<Platform>) -> Api<Platform> {
    let api = api
        .add(
            Endpoint::get("/register/api/v1/parties/{partyId}", "A party")
                .gives::<Party>(200)
                .answers(&[400, 404]),
            parties::by_id,
        )
        .add(
            Endpoint::get("/register/api/v1/parties/byuuid/{partyUuid}", "A party by uuid")
                .gives::<Party>(200)
                .answers(&[400, 404]),
            parties::by_uuid,
        )
        .add(
            Endpoint::post(
                "/register/api/v1/parties/lookup",
                "A party by the number of a person or an organisation",
            )
            .takes::<parties::Lookup>()
            .gives::<Party>(200)
            .answers(&[400, 404]),
            parties::lookup,
        )
        .add(
            Endpoint::get("/register/api/v1/organizations/{orgNr}", "An organisation")
                .answers(&[200, 404]),
            parties::organization,
        )
        .add(
            Endpoint::get("/register/api/v1/persons", "A person by national number and last name")
                .answers(&[200, 400, 403, 404, 429]),
            persons::lookup,
        );
    let api = lists::endpoints(api);
    query::endpoints(api)
}

/// 404 with the register's code for a party.
fn no_party() -> Fault {
    Fault::problem(StatusCode::NOT_FOUND, "The party was not found.").with("code", "REG-00007")
}
