//! The form of the files: YAML or JSON, names in Pascal or camel case, numbers also as text.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::kit::xacml::camel;

/// One file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Draft {
    pub(super) persons: Vec<Person>,
    pub(super) orgs: Vec<Org>,
    pub(super) systems: Vec<System>,
}

/// A person and user.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Party that stands for the person.
    #[serde(deserialize_with = "number")]
    pub party_id: i64,
    /// Its uuid.
    #[serde(default)]
    pub party_uuid: Option<Uuid>,
    /// The user; the party's number when the file names none.
    #[serde(default, deserialize_with = "maybe_number")]
    pub user_id: Option<i64>,
    /// What the user is called.
    #[serde(default)]
    pub user_name: Option<String>,
    /// National number; those who registered themselves have none.
    #[serde(default)]
    pub ssn: Option<String>,
    /// First name.
    #[serde(default)]
    pub first_name: String,
    /// Middle name.
    #[serde(default)]
    pub middle_name: Option<String>,
    /// Last name.
    #[serde(default)]
    pub last_name: String,
    /// `nb`, `nn` or `en`.
    #[serde(default)]
    pub language: Option<String>,
    /// Address of e-mail.
    #[serde(default)]
    pub email: Option<String>,
    /// Whether the app need not ask for a party.
    #[serde(default)]
    pub do_not_prompt_for_party: Option<bool>,
    /// Party and the roles that the person has for it.
    #[serde(default)]
    pub party_roles: BTreeMap<String, Vec<Role>>,
    /// Claims that the person's tokens carry besides the usual ones.
    #[serde(default)]
    pub custom_claims: Vec<CustomClaim>,
    /// Everything else, such as addresses: given to the register of persons as it stands.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// An organisation.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Org {
    /// Its party; organisations without one are known to the register of organisations only.
    #[serde(default, deserialize_with = "maybe_number")]
    pub party_id: Option<i64>,
    /// The party's uuid.
    #[serde(default)]
    pub party_uuid: Option<Uuid>,
    /// Nine digits.
    #[serde(deserialize_with = "digits")]
    pub org_number: String,
    /// The unit that it belongs to.
    #[serde(default, deserialize_with = "maybe_number")]
    pub parent_party_id: Option<i64>,
    /// What it is called.
    pub name: String,
    /// `AS`, `BEDR`, …
    #[serde(default)]
    pub unit_type: Option<String>,
    /// Short name of a service owner.
    #[serde(default)]
    pub org: Option<String>,
    /// Everything else, such as addresses.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A system of a supplier.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct System {
    /// `<number of the supplier>_<name>`.
    pub id: String,
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// Its users.
    #[serde(default)]
    pub system_users: Vec<SystemUser>,
}

/// A system's user at an organisation.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SystemUser {
    /// Its uuid.
    pub id: Uuid,
    /// The organisation that it acts for.
    #[serde(deserialize_with = "digits")]
    pub org_number: String,
    /// What it may do.
    #[serde(default)]
    pub actions: Vec<String>,
    /// Where: resources such as `app_ttd_demo`; everywhere when the file names none.
    #[serde(default)]
    pub resources: Vec<String>,
}

/// A role, or another attribute of the subject whose name is an URN (`urn:altinn:accesspackage`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// `altinn`, or an URN.
    pub kind: String,
    /// Code.
    pub value: String,
}

/// A claim of one's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomClaim {
    /// Its name.
    #[serde(rename = "type")]
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Its type, an URI of XML Schema; numbers and truth values are told by it.
    #[serde(default)]
    pub value_type: Option<String>,
}

/// Reads a file's text; JSON is YAML, too.
pub(super) fn read(text: &str) -> Result<Draft, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())?
    } else {
        serde_saphyr::from_str(text).map_err(|error| error.to_string())?
    };
    if !value.is_object() {
        return Err("this is no list of persons, orgs and systems".to_owned());
    }
    serde_json::from_value(camel(value)).map_err(|error| error.to_string())
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Full {
            #[serde(rename = "type", default = "altinn")]
            kind: String,
            value: String,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Code(String),
            Full(Full),
        }
        Ok(match Either::deserialize(input)? {
            Either::Code(value) => Self { kind: altinn(), value },
            Either::Full(Full { kind, value }) => Self { kind, value },
        })
    }
}

fn altinn() -> String {
    "altinn".to_owned()
}

fn number<'de, D: Deserializer<'de>>(input: D) -> Result<i64, D::Error> {
    maybe_number(input)?.ok_or_else(|| serde::de::Error::custom("a number is missing"))
}

fn maybe_number<'de, D: Deserializer<'de>>(input: D) -> Result<Option<i64>, D::Error> {
    let fault = || serde::de::Error::custom("not a whole number");
    match Value::deserialize(input)? {
        Value::Null => Ok(None),
        Value::Number(number) => number.as_i64().map(Some).ok_or_else(fault),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => text.trim().parse().map(Some).map_err(|_| fault()),
        _ => Err(fault()),
    }
}

fn digits<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    match Value::deserialize(input)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(format!("{:0>9}", number.to_string())),
        _ => Err(serde::de::Error::custom("not a number of an organisation")),
    }
}
