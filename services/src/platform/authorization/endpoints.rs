//! The endpoints (`platform-api.md` §4.1, §4.4).

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::policies::About;
use super::policy::Effect;
use super::{decide, wire_xml};
use crate::kit::api::{Api, Endpoint};
use crate::kit::body::{Json, Raw};
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::path::value;
use crate::kit::query::Query;
use crate::kit::token::{Bearer, Claims};
use crate::kit::xacml::{Answered, Asked, Outcome, read, urn};
use crate::platform::people::party::Party;
use crate::platform::{Platform, speaks_for};

/// A policy is at most this long.
const POLICY: usize = 4 * 1024 * 1024;
/// A request for decisions is at most this long; lists of instances ask for hundreds at once.
const REQUEST: usize = 8 * 1024 * 1024;

pub(in crate::platform) fn endpoints(api: Api<Platform>) -> Api<Platform> {
    let decision = |path| {
        Endpoint::post(path, "Whether somebody may do something, once or several times")
            .takes::<Asked>()
            .gives::<Answered>(200)
            .body(REQUEST)
    };
    api.add(decision("/authorization/api/v1/decision").open(), decision_of)
        .add(decision("/authorization/api/v1/authorize"), authorize)
        .add(
            Endpoint::get("/authorization/api/v1/parties", "Whom a user may act for")
                .query(&["userid"])
                .gives::<Vec<Party>>(200)
                .answers(&[403, 404]),
            parties,
        )
        .add(
            Endpoint::get(
                "/authorization/api/v1/parties/{partyId}/validate",
                "Whether a user may act for a party",
            )
            .query(&["userid"])
            .gives::<bool>(200)
            .answers(&[400, 403, 404]),
            validate,
        )
        .add(
            Endpoint::get("/authorization/api/v1/roles", "A user's roles for a party")
                .query(&["coveredByUserId", "offeredByPartyId"])
                .gives::<Vec<RoleCode>>(200)
                .answers(&[400, 403, 404]),
            roles,
        )
        .add(
            Endpoint::post("/authorization/api/v1/policies", "Keeps an app's policy")
                .query(&["org", "app"])
                .takes_kind("application/xml")
                .answers(&[200, 400, 403])
                .body(POLICY),
            upload,
        )
        .add(
            Endpoint::get(
                "/authorization/api/v1/policies/roleswithaccess/{org}/{app}",
                "Roles that a policy gives anything",
            )
            .gives::<Vec<String>>(200)
            .open()
            .answers(&[404]),
            roles_with_access,
        )
}

#[derive(Debug, Serialize, JsonSchema)]
struct RoleCode {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

/// Clients send no token here, and take any status but 200 as no answer: faults are indeterminate decisions.
async fn decision_of(
    State(platform): State<Platform>,
    headers: HeaderMap,
    body: Result<Raw, Fault>,
) -> Response {
    let json = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("application/json"));
    let outcomes = match body {
        Err(_) => Ok(unreadable("the request could not be read")),
        Ok(Raw(body)) if json => match read(&body) {
            Ok(asked) => decide::decide(&platform, &asked.request).await,
            Err(error) => Ok(unreadable(&error.to_string())),
        },
        Ok(Raw(body)) => match wire_xml::read(&body) {
            Ok(request) => decide::decide(&platform, &request).await,
            Err(error) => Ok(unreadable(&error.to_string())),
        },
    };
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(fault) => return fault.into_response(),
    };
    if json {
        Json(Answered { response: outcomes }).into_response()
    } else {
        ([(CONTENT_TYPE, "application/xml; charset=utf-8")], wire_xml::write(&outcomes))
            .into_response()
    }
}

async fn authorize(
    state: State<Platform>,
    _: Bearer,
    headers: HeaderMap,
    body: Result<Raw, Fault>,
) -> Response {
    decision_of(state, headers, body).await
}

fn unreadable(why: &str) -> Vec<Outcome> {
    vec![Outcome::indeterminate(urn::SYNTAX_ERROR, why)]
}

/// The user that is asked about must be the token's.
fn own(claims: &Claims, asked: i64) -> Result<(), Fault> {
    if claims.user_id() == Some(asked) { Ok(()) } else { Err(Fault::forbidden()) }
}

async fn parties(
    State(platform): State<Platform>,
    Bearer(claims): Bearer,
    query: Query,
) -> Result<Json<Vec<Party>>, Fault> {
    let user = query.parsed::<i64>("userid")?.unwrap_or(0);
    if user == 0 {
        return Err(Fault::not_found());
    }
    own(&claims, user)?;
    let people = platform.people();
    let person = people.user(user).ok_or_else(Fault::not_found)?;
    Ok(Json(people.choices(person)))
}

async fn validate(
    State(platform): State<Platform>,
    Bearer(claims): Bearer,
    Path(party): Path<String>,
    query: Query,
) -> Result<Json<bool>, Fault> {
    let party: i64 = value("partyId", &party)?;
    let user = query.parsed::<i64>("userid")?.unwrap_or(0);
    if user == 0 || party == 0 {
        return Err(Fault::not_found());
    }
    own(&claims, user)?;
    Ok(Json(speaks_for(&platform.people(), &claims, party)))
}

async fn roles(
    State(platform): State<Platform>,
    Bearer(claims): Bearer,
    query: Query,
) -> Result<Json<Vec<RoleCode>>, Fault> {
    let user = query.parsed::<i64>("coveredByUserId")?.unwrap_or(0);
    let party = query.parsed::<i64>("offeredByPartyId")?.unwrap_or(0);
    if user == 0 || party == 0 {
        return Err(Fault::words(
            StatusCode::BAD_REQUEST,
            "Both coveredByUserId and offeredByPartyId are required.",
        ));
    }
    own(&claims, user)?;
    let people = platform.people();
    let person = people.user(user).ok_or_else(Fault::not_found)?;
    let codes: Vec<RoleCode> = person
        .roles(party)
        .iter()
        .map(|role| RoleCode { kind: role.kind.clone(), value: role.value.clone() })
        .collect();
    if codes.is_empty() { Err(Fault::not_found()) } else { Ok(Json(codes)) }
}

/// Designer sends an app's policy at each deploy.
async fn upload(
    State(platform): State<Platform>,
    Bearer(claims): Bearer,
    query: Query,
    Raw(body): Raw,
) -> Result<StatusCode, Fault> {
    if claims.app().as_deref() != Some("studio.designer") {
        return Err(Fault::forbidden());
    }
    let refuse = |text: &str| Fault::words(StatusCode::BAD_REQUEST, text);
    let org = query.get("org").ok_or_else(|| refuse("Organisation is missing"))?;
    let app = query.get("app").ok_or_else(|| refuse("Application is missing"))?;
    let id = AppId::new(org, app).map_err(|error| refuse(&error.to_string()))?;
    if body.trim_ascii().is_empty() {
        return Err(refuse("Policy file is empty"));
    }
    let text = std::str::from_utf8(&body).map_err(|_| refuse("Policy file is not UTF-8"))?;
    platform
        .policies()
        .put(&id, text)
        .map_err(|fault| refuse(&fault.to_string()))?
        .map_err(Fault::internal)?;
    Ok(StatusCode::OK)
}

async fn roles_with_access(
    State(platform): State<Platform>,
    Path((org, app)): Path<(String, String)>,
) -> Result<Json<Vec<String>>, Fault> {
    let id = AppId::new(&org, &app).map_err(|_| Fault::not_found())?;
    let read = platform.policies().get(&About::App(id));
    let Ok(Some(policy)) = read.as_ref() else { return Err(Fault::not_found()) };
    let mut codes: Vec<String> = policy
        .matches()
        .filter(|(rule, found)| rule.effect == Effect::Permit && found.attribute.id == urn::ROLE)
        .map(|(_, found)| found.value.text.to_uppercase())
        .collect();
    codes.sort();
    codes.dedup();
    if codes.is_empty() { Err(Fault::not_found()) } else { Ok(Json(codes)) }
}
