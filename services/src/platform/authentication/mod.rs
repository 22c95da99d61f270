//! Authentication (`platform-api.md` §5): keys and their document, log-in, refresh, exchange, log-out.

mod exchange;
pub mod issue;
mod openid;
pub mod session;

use super::Platform;
use crate::kit::api::{Api, Endpoint};

pub(super) fn endpoints(api: Api<Platform>) -> Api<Platform> {
    const ROOT: &str = "/authentication/api/v1/openid/.well-known/openid-configuration";
    let api = api
        .add(
            Endpoint::get(ROOT, "Where keys and log-in are").open().answers(&[200]),
            openid::document,
        )
        .add(
            Endpoint::get(
                crate::kit::token::verifier::KEYS,
                "The keys that tokens are signed with",
            )
            .open()
            .answers(&[200]),
            openid::keys,
        )
        .add(
            Endpoint::get("/authentication/api/v1/refresh", "The same token, newer")
                .answers(&[200]),
            session::refresh,
        )
        .add(
            Endpoint::get(
                "/authentication/api/v1/exchange/{provider}",
                "A token of ours for another issuer's",
            )
            .query(&["test"])
            .open()
            .answers(&[200, 400, 401, 403]),
            exchange::exchange,
        )
        .add(
            Endpoint::get(
                "/authentication/api/v1/authentication",
                "To the log-in, or on when logged in",
            )
            .query(&["goto"])
            .open()
            .answers(&[302]),
            session::authenticate,
        )
        .add(
            Endpoint::get("/authentication/api/v1/orgToken", "A test token of an organisation")
                .query(&["org", "orgNumber", "scope"])
                .open()
                .answers(&[200, 400]),
            super::home::tokens::org,
        )
        .add(
            Endpoint::get("/authentication/api/v1/appToken", "A test token of a user")
                .query(&["userId", "authenticationLevel"])
                .open()
                .answers(&[200, 400, 404]),
            super::home::tokens::user_by_query,
        );
    let out = |path| Endpoint::get(path, "Ends the session").open().answers(&[200, 302]);
    api.add(out("/authentication/api/v1/logout"), session::logout)
        .add(out("/authentication/api/v1/logout/handleloggedout"), session::logout)
        .add(out("/authentication/api/v1/frontchannel_logout"), session::frontchannel)
}
