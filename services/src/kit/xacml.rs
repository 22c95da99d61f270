//! Requests for decisions and their answers in JSON (`platform-api.md` §4.1).
//!
//! Requests arrive with names in Pascal or camel case, values as text, numbers or truth values. Answers are written in
//! camel case with their nulls, as the real service writes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Attribute and category names.
pub mod urn {
    /// Category of who asks.
    pub const SUBJECT: &str = "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject";
    /// Category of what is asked about.
    pub const RESOURCE: &str = "urn:oasis:names:tc:xacml:3.0:attribute-category:resource";
    /// Category of what is to be done.
    pub const ACTION: &str = "urn:oasis:names:tc:xacml:3.0:attribute-category:action";
    /// Category of the circumstances.
    pub const ENVIRONMENT: &str = "urn:oasis:names:tc:xacml:3.0:attribute-category:environment";
    /// The action.
    pub const ACTION_ID: &str = "urn:oasis:names:tc:xacml:1.0:action:action-id";
    /// Organisation of an app (resource), or service owner (subject).
    pub const ORG: &str = "urn:altinn:org";
    /// App.
    pub const APP: &str = "urn:altinn:app";
    /// Task that an instance is in.
    pub const TASK: &str = "urn:altinn:task";
    /// Where its process ended.
    pub const END_EVENT: &str = "urn:altinn:end-event";
    /// Instance, `party/guid`.
    pub const INSTANCE: &str = "urn:altinn:instance-id";
    /// Party.
    pub const PARTY: &str = "urn:altinn:partyid";
    /// Resource of the resource registry, `app_ttd_demo` for apps.
    pub const RESOURCE_ID: &str = "urn:altinn:resource";
    /// User.
    pub const USER: &str = "urn:altinn:userid";
    /// Role code that the user has for the party.
    pub const ROLE: &str = "urn:altinn:rolecode";
    /// System user.
    pub const SYSTEM_USER: &str = "urn:altinn:systemuser:uuid";
    /// Organisation by number, older spelling.
    pub const ORG_NUMBER: &str = "urn:altinn:organizationnumber";
    /// Organisation by number.
    pub const ORGANIZATION: &str = "urn:altinn:organization:identifier-no";
    /// Person by number.
    pub const PERSON: &str = "urn:altinn:person:identifier-no";
    /// Older spelling of the same.
    pub const SSN: &str = "urn:altinn:ssn";
    /// Person by uuid.
    pub const PERSON_UUID: &str = "urn:altinn:person:uuid";
    /// Everything went well.
    pub const OK: &str = "urn:oasis:names:tc:xacml:1.0:status:ok";
    /// The request or the policy cannot be read.
    pub const SYNTAX_ERROR: &str = "urn:oasis:names:tc:xacml:1.0:status:syntax-error";
    /// The policy cannot be worked out.
    pub const PROCESSING_ERROR: &str = "urn:oasis:names:tc:xacml:1.0:status:processing-error";
    /// An attribute that must be there is not.
    pub const MISSING_ATTRIBUTE: &str = "urn:oasis:names:tc:xacml:1.0:status:missing-attribute";
    /// The level that the obligation demands of users.
    pub const LEVEL: &str = "urn:altinn:minimum-authenticationlevel";
    /// The level that it demands of organisations.
    pub const LEVEL_ORG: &str = "urn:altinn:minimum-authenticationlevel-org";
    /// Data type of text.
    pub const STRING: &str = "http://www.w3.org/2001/XMLSchema#string";
    /// Data type of whole numbers.
    pub const INTEGER: &str = "http://www.w3.org/2001/XMLSchema#integer";
    /// Data type of URIs.
    pub const ANY_URI: &str = "http://www.w3.org/2001/XMLSchema#anyURI";
}

/// The body that asks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Asked {
    /// The request.
    pub request: Request,
}

/// A request for one decision or several.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Request {
    /// Whether the answer names the policies.
    #[serde(deserialize_with = "or_default")]
    pub return_policy_id_list: bool,
    /// Who.
    #[serde(deserialize_with = "or_default")]
    pub access_subject: Vec<Category>,
    /// Does what.
    #[serde(deserialize_with = "or_default")]
    pub action: Vec<Category>,
    /// To what.
    #[serde(deserialize_with = "or_default")]
    pub resource: Vec<Category>,
    /// Categories that name themselves.
    #[serde(deserialize_with = "or_default")]
    pub category: Vec<Category>,
    /// Which of the above belong together.
    pub multi_requests: Option<MultiRequests>,
}

/// Attributes of one category.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Category {
    /// Its URN, where the place does not tell it.
    pub category_id: Option<String>,
    /// What references call it.
    pub id: Option<String>,
    /// The attributes.
    #[serde(deserialize_with = "or_default")]
    pub attribute: Vec<Attribute>,
}

/// One attribute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Attribute {
    /// Its URN.
    #[serde(deserialize_with = "or_default")]
    pub attribute_id: String,
    /// Its value as text.
    #[serde(deserialize_with = "as_text")]
    pub value: String,
    /// Who says so.
    pub issuer: Option<String>,
    /// `string`, `anyURI`, or the URI of an XML Schema type.
    pub data_type: Option<String>,
    /// Whether the answer repeats it.
    #[serde(deserialize_with = "or_default")]
    pub include_in_result: bool,
}

/// The references of a multi-request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MultiRequests {
    /// One entry for each decision.
    #[serde(deserialize_with = "or_default")]
    pub request_reference: Vec<RequestReference>,
}

/// The parts of one decision.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestReference {
    /// Ids of categories.
    #[serde(deserialize_with = "or_default")]
    pub reference_id: Vec<String>,
}

/// The body that answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    /// One for each decision asked for.
    #[serde(alias = "Response")]
    pub response: Vec<Outcome>,
}

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Decision {
    /// Yes.
    Permit,
    /// No.
    Deny,
    /// No rule says anything.
    NotApplicable,
    /// It cannot be worked out.
    Indeterminate,
}

/// A decision and what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The decision.
    pub decision: Decision,
    /// How it was come by.
    pub status: Status,
    /// What the caller must see to.
    pub obligations: Option<Vec<Obligation>>,
    /// Always null.
    pub associate_advice: Option<Value>,
    /// The attributes that were to be repeated; never null in answers to multi-requests.
    pub category: Option<Vec<Category>>,
    /// The policies, if asked for.
    pub policy_identifier_list: Option<Value>,
}

/// How a decision was come by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// For people.
    pub status_message: Option<String>,
    /// Always null.
    pub status_details: Option<Value>,
    /// For programs.
    pub status_code: StatusCode,
}

/// A code, perhaps with a finer one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusCode {
    /// Its URN.
    pub value: String,
    /// Always null.
    pub status_code: Option<Box<StatusCode>>,
}

/// What the caller must see to before the decision holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Obligation {
    /// Its URN.
    pub id: String,
    /// Its values.
    pub attribute_assignment: Vec<Assignment>,
}

/// A value of an obligation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// Its URN.
    pub attribute_id: String,
    /// Its value as text.
    pub value: String,
    /// Its category; the client library looks for `urn:altinn:minimum-authenticationlevel` here.
    pub category: Option<String>,
    /// Its type.
    pub data_type: Option<String>,
    /// Who says so.
    pub issuer: Option<String>,
}

impl Attribute {
    /// A text attribute as the client library makes them.
    #[must_use]
    pub fn new(id: &str, value: impl Into<String>) -> Self {
        Self {
            attribute_id: id.to_owned(),
            value: value.into(),
            issuer: Some("Altinn".to_owned()),
            data_type: Some("string".to_owned()),
            include_in_result: false,
        }
    }

    /// The same, repeated in the answer.
    #[must_use]
    pub fn repeated(mut self) -> Self {
        self.include_in_result = true;
        self
    }
}

impl Category {
    /// Attributes under an id.
    #[must_use]
    pub fn new(id: &str, attribute: Vec<Attribute>) -> Self {
        Self { category_id: None, id: Some(id.to_owned()), attribute }
    }

    /// The first value of an attribute.
    #[must_use]
    pub fn value(&self, id: &str) -> Option<&str> {
        self.attribute
            .iter()
            .find(|attribute| attribute.attribute_id == id)
            .map(|attribute| attribute.value.as_str())
    }
}

impl Outcome {
    /// A decision without anything that belongs to it.
    #[must_use]
    pub fn plain(decision: Decision) -> Self {
        Self::with_status(decision, urn::OK, None)
    }

    /// No decision, and why.
    #[must_use]
    pub fn indeterminate(code: &str, message: impl Into<String>) -> Self {
        Self::with_status(Decision::Indeterminate, code, Some(message.into()))
    }

    fn with_status(decision: Decision, code: &str, message: Option<String>) -> Self {
        Self {
            decision,
            status: Status {
                status_message: message,
                status_details: None,
                status_code: StatusCode { value: code.to_owned(), status_code: None },
            },
            obligations: None,
            associate_advice: None,
            category: None,
            policy_identifier_list: None,
        }
    }
}

/// Reads a body that asks; names in Pascal or camel case.
pub fn read(bytes: &[u8]) -> Result<Asked, serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value = camel(serde_json::from_slice(bytes)?);
    // Lists are read as structs, too, which would make an empty request of `[]`.
    if value.get("request").is_none_or(|request| !request.is_object()) {
        return Err(serde::de::Error::custom("there is no `Request`"));
    }
    serde_json::from_value(value)
}

/// Reads a body that answers, likewise.
pub fn read_answer(bytes: &[u8]) -> Result<Answered, serde_json::Error> {
    serde_json::from_value(camel(serde_json::from_slice(bytes)?))
}

/// Gives every name a small first letter.
#[must_use]
pub fn camel(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let mut letters = name.chars();
                    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
                    (first.into_iter().chain(letters).collect(), camel(value))
                })
                .collect::<Map<String, Value>>(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(camel).collect()),
        other => other,
    }
}

/// Clients write nulls where they have nothing.
fn or_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(input).map(Option::unwrap_or_default)
}

fn as_text<'de, D: serde::Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    match Value::deserialize(input)? {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        _ => Err(serde::de::Error::custom(
            "an attribute's value must be text, a number or a truth value",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_and_nulls() {
        let asked = read(
            br#"{"Request":{"ReturnPolicyIdList":false,"Category":null,"Resource":[{"Attribute":[
                {"AttributeId":"urn:altinn:partyid","Value":500000,"IncludeInResult":null}]}],
                "Action":null,"MultiRequests":null}}"#,
        )
        .unwrap();
        assert_eq!(asked.request.resource[0].value(urn::PARTY), Some("500000"));
        let camel = serde_json::to_vec(&asked).unwrap();
        assert_eq!(read(&camel).unwrap(), asked);
    }

    #[test]
    fn what_is_no_request() {
        for text in [
            "",
            "[]",
            "7",
            "{\"Request\":7}",
            "{\"Request\":{\"Action\":{}}}",
            "{",
            &"[".repeat(5000),
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text:.20}");
        }
    }

    proptest::proptest! {
        /// A good request with a piece of something else in it.
        #[test]
        fn any_damage_is_judged(at in 0_usize..220, length in 0_usize..20, piece in "[{}\\[\\]\":,a-zA-Z0-9]{0,20}") {
            const GOOD: &str = r#"{"Request":{"ReturnPolicyIdList":true,"AccessSubject":[{"Id":"s1","Attribute":[{"AttributeId":"urn:altinn:userid","Value":"1337"}]}],"Action":[{"Attribute":[]}],"Resource":[],"MultiRequests":null}}"#;
            assert!(read(GOOD.as_bytes()).is_ok());
            let mut text: String = GOOD.chars().take(at).collect();
            text.push_str(&piece);
            text.extend(GOOD.chars().skip(at + length));
            let _ = read(text.as_bytes());
        }

        #[test]
        fn any_text_is_judged(text in ".{0,200}") {
            let _ = read(text.as_bytes());
        }
    }
}
