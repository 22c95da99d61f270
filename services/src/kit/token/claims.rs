//! What a token says (`platform-api.md` §5.2). Numbers come as numbers or as strings, depending on who issued it.

use serde_json::{Map, Value};

/// The claims of a token whose signature and lifetime were checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claims(pub Map<String, Value>);

/// A system user as `authorization_details` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemUser {
    /// `systemuser_id`.
    pub id: String,
    /// Number of the organisation that owns it.
    pub org_number: Option<String>,
}

impl Claims {
    /// A claim as text; numbers are written out.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            _ => None,
        }
    }

    /// A claim as a whole number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// `urn:altinn:userid`.
    #[must_use]
    pub fn user_id(&self) -> Option<i64> {
        self.number("urn:altinn:userid")
    }

    /// `urn:altinn:partyid`.
    #[must_use]
    pub fn party_id(&self) -> Option<i64> {
        self.number("urn:altinn:partyid")
    }

    /// `urn:altinn:org`: a service owner's short name.
    #[must_use]
    pub fn org(&self) -> Option<String> {
        self.text("urn:altinn:org").filter(|org| !org.is_empty())
    }

    /// `urn:altinn:orgNumber`, else the number in `consumer`.
    #[must_use]
    pub fn org_number(&self) -> Option<String> {
        self.text("urn:altinn:orgNumber").or_else(|| actor(self.0.get("consumer")?))
    }

    /// `urn:altinn:authlevel`, 0–4.
    #[must_use]
    pub fn level(&self) -> Option<i64> {
        self.number("urn:altinn:authlevel")
    }

    /// `urn:altinn:app`; `studio.designer` for Designer.
    #[must_use]
    pub fn app(&self) -> Option<String> {
        self.text("urn:altinn:app")
    }

    /// Whether one of the words of `scope` is this.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|found| found == scope)
    }

    /// The words of `scope`.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.get("scope").and_then(Value::as_str).unwrap_or_default().split_whitespace()
    }

    /// The system user, if the token is one's. `authorization_details` is an object or a list of one, also as text.
    #[must_use]
    pub fn system_user(&self) -> Option<SystemUser> {
        let details = match self.0.get("authorization_details")? {
            Value::String(text) => serde_json::from_str(text).ok()?,
            details => details.clone(),
        };
        let details = match details {
            Value::Array(list) => list.into_iter().next()?,
            details => details,
        };
        let id = match details.get("systemuser_id")? {
            Value::Array(list) => list.first()?.as_str()?.to_owned(),
            id => id.as_str()?.to_owned(),
        };
        Some(SystemUser { id, org_number: details.get("systemuser_org").and_then(actor) })
    }

    /// Who changes are put down to (`platform-api.md` §1.3 "createdBy"): the user's id, else the number of the system
    /// user's organisation, else that of the org.
    #[must_use]
    pub fn author(&self) -> Option<String> {
        if let Some(user) = self.user_id() {
            return Some(user.to_string());
        }
        match self.system_user() {
            Some(system) => system.org_number,
            None => self.org_number(),
        }
    }
}

/// The organisation's number in `{"authority":"iso6523-actorid-upis","ID":"0192:<number>"}`, also as text.
fn actor(value: &Value) -> Option<String> {
    let actor = match value {
        Value::String(text) => serde_json::from_str(text).ok()?,
        value => value.clone(),
    };
    let id = actor.get("ID")?.as_str()?;
    Some(id.rsplit(':').next().unwrap_or(id).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(value: &Value) -> Claims {
        Claims(value.as_object().unwrap().clone())
    }

    #[test]
    fn numbers_and_strings() {
        let user = claims(&json!({ "urn:altinn:userid": "1337", "urn:altinn:partyid": 501_337 }));
        assert_eq!((user.user_id(), user.party_id()), (Some(1337), Some(501_337)));
        assert_eq!(user.author().as_deref(), Some("1337"));
        let org = claims(&json!({ "consumer": { "ID": "0192:991825827" }, "scope": "a:b c" }));
        assert_eq!(org.org_number().as_deref(), Some("991825827"));
        assert!(org.has_scope("c") && !org.has_scope("a"));
    }

    #[test]
    fn system_users_in_all_their_forms() {
        let details = json!({
            "type": "urn:altinn:systemuser", "systemuser_id": ["x"],
            "systemuser_org": { "ID": "0192:950474084" },
        });
        for value in [details.clone(), json!([details]), json!(details.to_string())] {
            let found =
                claims(&json!({ "authorization_details": value, "urn:altinn:orgNumber": "1" }));
            assert_eq!(found.system_user().unwrap().id, "x");
            assert_eq!(found.author().as_deref(), Some("950474084"));
        }
        assert_eq!(claims(&json!({ "authorization_details": "{" })).system_user(), None);
    }
}
