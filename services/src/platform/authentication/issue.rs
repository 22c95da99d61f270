//! What tokens of each kind say (`platform-api.md` §5.2).

use serde_json::{Map, Value, json};

use super::openid;
use crate::kit::fault::Fault;
use crate::kit::origin::Origin;
use crate::kit::token::{Claims, jwt};
use crate::platform::Platform;
use crate::platform::people::{Person, System, SystemUser};

/// Lifetime of our tokens in seconds: a working day, as in the public localtest.
pub const LIFETIME: i64 = 1337 * 60;

/// What an organisation's token may do unless asked otherwise.
pub const ORG_SCOPES: &str = "altinn:instances.read altinn:instances.write";
/// What a service owner's token may do unless asked otherwise.
pub const OWNER_SCOPES: &str =
    "altinn:serviceowner/instances.read altinn:serviceowner/instances.write";
/// What a user's token may do unless asked otherwise.
pub const USER_SCOPES: &str = "altinn:portal/enduser";

/// A user; the level is 0 for those who registered themselves.
#[must_use]
pub fn user(person: &Person, level: i64, scope: &str) -> Claims {
    let (method, level) =
        if person.self_identified() { ("SelfIdentified", 0) } else { ("BankID", level) };
    let mut claims = object(json!({
        "nameid": person.user().to_string(),
        "urn:altinn:userid": person.user().to_string(),
        "urn:altinn:username": person.user_name.clone().unwrap_or_default(),
        "urn:altinn:partyid": person.party_id,
        "urn:altinn:party:uuid": person.uuid(),
        "urn:altinn:authenticatemethod": method,
        "urn:altinn:authlevel": level,
        "scope": scope,
    }));
    if let Some(ssn) = person.ssn.as_ref().filter(|ssn| !ssn.is_empty()) {
        claims.insert("pid".to_owned(), json!(ssn));
    }
    for custom in &person.custom_claims {
        claims.insert(custom.name.clone(), typed(&custom.value, custom.value_type.as_deref()));
    }
    Claims(claims)
}

/// An organisation, or a service owner when it has a short name.
#[must_use]
pub fn org(number: &str, short_name: Option<&str>, scope: &str, level: i64) -> Claims {
    let mut claims = machine(number, scope, level);
    if let Some(short_name) = short_name {
        claims.insert("urn:altinn:org".to_owned(), json!(short_name));
    }
    Claims(claims)
}

/// A system user; the token is the supplier's.
#[must_use]
pub fn system_user(supplier: &str, system: &System, user: &SystemUser, scope: &str) -> Claims {
    let mut claims = machine(supplier, scope, 3);
    claims.insert(
        "authorization_details".to_owned(),
        json!({
            "type": "urn:altinn:systemuser",
            "systemuser_id": [user.id],
            "system_id": system.id,
            "systemuser_org": consumer(&user.org_number),
        }),
    );
    Claims(claims)
}

/// An organisation as Maskinporten writes it.
#[must_use]
pub fn consumer(number: &str) -> Value {
    json!({ "authority": "iso6523-actorid-upis", "ID": format!("0192:{number}") })
}

fn machine(number: &str, scope: &str, level: i64) -> Map<String, Value> {
    object(json!({
        "urn:altinn:orgNumber": number,
        "urn:altinn:authenticatemethod": "maskinporten",
        "urn:altinn:authlevel": level,
        "consumer": consumer(number),
        "scope": scope,
        "client_id": "altinn-local",
        "token_type": "Bearer",
    }))
}

fn typed(value: &Value, kind: Option<&str>) -> Value {
    let (Some(text), Some(kind)) = (value.as_str(), kind) else { return value.clone() };
    let kind = kind.rsplit('#').next().unwrap_or(kind);
    match kind {
        "integer" | "integer32" | "integer64" | "int" | "long" => {
            text.parse::<i64>().map_or_else(|_| value.clone(), Value::from)
        }
        "boolean" => text.parse::<bool>().map_or_else(|_| value.clone(), Value::from),
        _ => value.clone(),
    }
}

pub(in crate::platform) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

impl Platform {
    /// Signs claims, with issuer and lifetime set anew.
    pub(in crate::platform) fn issue(
        &self,
        mut claims: Claims,
        origin: &Origin,
    ) -> Result<String, Fault> {
        let now = jwt::now();
        let new = json!({
            "iss": openid::issuer(origin),
            "jti": uuid::Uuid::new_v4(),
            "iat": now, "nbf": now, "exp": now + LIFETIME,
            // Makes the app library read the token as today's kind on every host name.
            "actual_iss": "localtest",
        });
        claims.0.extend(object(new));
        self.sign(&claims)
    }
}
