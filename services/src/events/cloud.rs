//! CloudEvents 1.0 in JSON, with the extensions that Altinn adds (`platform-api.md` §6.1).

use reqwest::Url;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::kit::date::Date;
use crate::kit::name::AppId;

/// How resources of apps begin.
pub(crate) const APP: &str = "urn:altinn:resource:app_";
/// How all resources begin.
pub(crate) const RESOURCE: &str = "urn:altinn:resource:";
/// Attributes are at most this long together, without `data`.
const LONGEST: usize = 16 * 1024;

/// An event whose attributes were checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CloudEvent(pub(crate) Map<String, Value>);

impl CloudEvent {
    /// What an app publishes: source, subject and type count, everything else is made here.
    pub(crate) fn of_app(given: &Map<String, Value>) -> Result<Self, String> {
        let text = |name: &str| given.get(name).and_then(Value::as_str).filter(|s| !s.is_empty());
        let (Some(source), Some(subject), Some(kind)) =
            (text("source"), text("subject"), text("type"))
        else {
            return Err(
                "Missing parameter values: source, subject and type cannot be null".to_owned()
            );
        };
        let url = Url::parse(source).map_err(|_| "source is not an absolute URI".to_owned())?;
        let words: Vec<&str> = url.path().trim_start_matches('/').split('/').collect();
        let [org, app, rest @ ..] = words.as_slice() else {
            return Err("source does not name an app".to_owned());
        };
        AppId::new(org, app).map_err(|error| error.to_string())?;
        let mut event = Map::new();
        event.insert("specversion".to_owned(), json!("1.0"));
        event.insert("id".to_owned(), json!(Uuid::new_v4().to_string()));
        event.insert("source".to_owned(), json!(source));
        event.insert("type".to_owned(), json!(kind));
        event.insert("subject".to_owned(), json!(subject));
        event.insert("time".to_owned(), json!(Date::now()));
        event.insert("resource".to_owned(), json!(format!("{APP}{org}_{app}")));
        if let ["instances", party, guid, ..] = rest {
            event.insert("resourceinstance".to_owned(), json!(format!("{party}/{guid}")));
        }
        if let Some(alternative) = text("alternativesubject") {
            event.insert("alternativesubject".to_owned(), json!(alternative));
        }
        Self::checked(event)
    }

    /// What others publish, kept as it is.
    pub(crate) fn generic(mut event: Map<String, Value>) -> Result<Self, String> {
        event.retain(|_, value| !value.is_null());
        let resource = event.get("resource").and_then(Value::as_str).unwrap_or_default();
        if !resource.starts_with(RESOURCE) || resource.len() == RESOURCE.len() {
            return Err(format!("'resource' must begin with '{RESOURCE}'"));
        }
        event.entry("time").or_insert_with(|| json!(Date::now()));
        Self::checked(event)
    }

    /// Holds an event against the specification.
    fn checked(event: Map<String, Value>) -> Result<Self, String> {
        for name in ["id", "source", "specversion", "type"] {
            if event.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(format!("'{name}' is required and is text"));
            }
        }
        if event.get("specversion") != Some(&json!("1.0")) {
            return Err("'specversion' must be 1.0".to_owned());
        }
        let mut length = 0;
        for (name, value) in &event {
            if name == "data" {
                continue;
            }
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(plain) {
                return Err(format!("'{name}' is not a name of an attribute"));
            }
            if value.is_object() || value.is_array() {
                return Err(format!("'{name}' must be a plain value"));
            }
            length += name.len() + value.to_string().len();
        }
        if length > LONGEST {
            return Err("the attributes are too long".to_owned());
        }
        let event = Self(event);
        if event.text("source").is_none_or(|source| Url::parse(source).is_err()) {
            return Err("'source' must be an absolute URI".to_owned());
        }
        if event.text("time").is_none_or(|time| time.parse::<Date>().is_err()) {
            return Err("'time' is not a date".to_owned());
        }
        Ok(event)
    }

    /// An attribute.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// An attribute, empty when it is not there.
    pub(crate) fn word(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// Number of the party that it is about.
    pub(crate) fn party(&self) -> Option<i64> {
        self.text("subject")?.strip_prefix("/party/")?.parse().ok()
    }
}

/// The app of a resource such as `urn:altinn:resource:app_ttd_demo`.
pub(crate) fn app_of(resource: &str) -> Option<AppId> {
    let (org, app) = resource.strip_prefix(APP)?.split_once('_')?;
    AppId::new(org, app).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn of_apps() {
        let source = "http://ttd.apps.altinn.localhost:8800/ttd/demo/instances/1/abc";
        let event = CloudEvent::of_app(&object(json!({
            "source": source, "subject": "/party/1", "type": "app.instance.created",
            "id": "mine", "data": {}, "alternativesubject": null, "time": "2020-01-01",
        })))
        .unwrap();
        assert_eq!(event.word("resource"), "urn:altinn:resource:app_ttd_demo");
        assert_eq!(event.word("resourceinstance"), "1/abc");
        assert_ne!(event.word("id"), "mine");
        assert!(event.0.get("data").is_none() && event.party() == Some(1));
        assert_eq!(app_of(event.word("resource")).unwrap().to_string(), "ttd/demo");
        for source in ["", "/ttd/demo", "http://h", "http://h/ttd", "http://h/TTD/x", "x:y"] {
            let given = object(json!({ "source": source, "subject": "s", "type": "t" }));
            assert!(CloudEvent::of_app(&given).is_err(), "{source}");
        }
    }

    #[test]
    fn of_others() {
        let good = json!({
            "specversion": "1.0", "id": "1", "source": "urn:a:b", "type": "t",
            "resource": "urn:altinn:resource:x", "own": 7, "data": { "a": [1] },
        });
        assert!(CloudEvent::generic(object(good.clone())).is_ok());
        for (name, value) in [
            ("specversion", json!("0.3")),
            ("id", json!("")),
            ("id", json!(7)),
            ("source", json!("not a uri")),
            ("type", Value::Null),
            ("resource", json!("urn:altinn:resource:")),
            ("resource", json!("urn:other")),
            ("time", json!("soon")),
            ("own", json!({})),
            ("Own", json!("x")),
            ("", json!("x")),
            ("own", json!("x".repeat(20_000))),
        ] {
            let mut event = object(good.clone());
            event.insert(name.to_owned(), value);
            assert!(CloudEvent::generic(event).is_err(), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_attributes_are_judged(names in proptest::collection::vec(("[a-z]{0,8}|resource|source|time", ".{0,40}"), 0..8)) {
            let event: Map<String, Value> =
                names.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
            let _ = CloudEvent::of_app(&event);
            let _ = CloudEvent::generic(event);
        }
    }
}
