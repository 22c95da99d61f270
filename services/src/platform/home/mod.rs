//! The log-in page, and tokens for tests at the paths of the public localtest (`platform-api.md` §5.3 "LT").

mod page;
pub mod tokens;

use super::Platform;
use crate::kit::api::{Api, Endpoint};
use crate::kit::words::Words;

/// The localtest version that app libraries of version 9 demand.
const VERSION: &str = "6";

pub(super) fn endpoints(api: Api<Platform>) -> Api<Platform> {
    let page =
        |path| Endpoint::get(path, "The log-in page").query(&["goto"]).open().answers(&[200]);
    let token = |path| Endpoint::get(path, "A test token").open().answers(&[200, 400, 404]);
    api.add(page("/"), page::show)
        .add(page("/Home"), page::show)
        .add(page("/Home/Index"), page::show)
        .add(
            Endpoint::post("/Home/LogInTestUser", "Logs a test person in")
                .takes_kind("application/x-www-form-urlencoded")
                .query(&["action"])
                .open()
                .answers(&[204, 302, 400, 403]),
            page::log_in,
        )
        .add(token("/Home/Localtest/Version"), async || Words(VERSION.to_owned()))
        .add(
            token("/Home/GetTestUserToken").query(&["userId", "authenticationLevel"]),
            tokens::user_by_query,
        )
        .add(
            token("/Home/GetTestUserToken/{userId}").query(&["authenticationLevel", "scope"]),
            tokens::user,
        )
        .add(token("/Home/GetTestOrgToken").query(tokens::ORG), tokens::org)
        .add(token("/Home/GetTestOrgToken/{org}").query(tokens::ORG), tokens::org_by_path)
        .add(token("/Home/GetTestSystemUserToken").query(tokens::SYSTEM), tokens::system_user)
        .add(
            token("/Home/auth/user").query(&["userId", "partyId", "authenticationLevel", "scope"]),
            tokens::any_user,
        )
        .add(
            token("/Home/auth/selfidentifieduser").query(&["username", "scope"]),
            tokens::self_identified,
        )
        .add(token("/Home/auth/org").query(&["orgNumber", "scope"]), tokens::plain_org)
        .add(token("/Home/auth/serviceowner").query(tokens::ORG), tokens::service_owner)
        .add(token("/Home/auth/systemuser").query(tokens::SYSTEM), tokens::system_user)
        .add(token("/Home/auth/generate").query(&["type"]), tokens::generate)
        .add(token("/Home/auth/info"), tokens::info)
}
