//! What a request leaves open and the decision needs: org and app of a resource, where an instance stands, the party
//! behind a number, the user's roles (`platform-api.md` §4.2).

use std::collections::HashMap;

use axum::http::HeaderMap;
use axum::http::HeaderValue;
use serde::Deserialize;
use serde_json::{Value, json};

use super::matching::{Attributes, Trouble, kind};
use super::policies::About;
use super::policy::Policy;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::token::access::HEADER;
use crate::kit::token::{Claims, jwt};
use crate::kit::xacml::{Attribute, urn};
use crate::platform::Platform;
use crate::platform::people::People;

/// Lifetime of the token that Storage is asked with, in seconds.
const LIFETIME: i64 = 300;

/// What Storage tells of an instance.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    app_id: String,
    process: Option<Value>,
}

/// Finds things out for the decisions of one request; instances are asked for once.
pub(super) struct Context<'a> {
    pub(super) platform: &'a Platform,
    pub(super) people: &'a People,
    /// Whether answers name the policy.
    pub(super) names_policies: bool,
    /// What could not be found out because Storage is away: the whole request then is to be asked again.
    pub(super) lost: Option<Fault>,
    standing: HashMap<String, Option<Standing>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(platform: &'a Platform, people: &'a People) -> Self {
        Self { platform, people, names_policies: false, lost: None, standing: HashMap::new() }
    }

    /// Fills in the resource, and tells what it is.
    pub(super) async fn resource(&mut self, attributes: &mut Attributes) -> Result<About, Trouble> {
        let resource = &mut attributes.resource;
        let named = first(resource, urn::RESOURCE_ID).map(str::to_owned);
        if let Some((org, app)) = named.as_deref().and_then(app_of) {
            add(resource, urn::ORG, &org);
            add(resource, urn::APP, &app);
        }
        self.stand(resource).await?;
        self.party(resource)?;
        match (first(resource, urn::ORG), first(resource, urn::APP), named) {
            (Some(org), Some(app), _) => {
                AppId::new(org, app).map(About::App).map_err(|error| syntax(error.to_string()))
            }
            (_, _, Some(named)) => Ok(About::Resource(named)),
            _ => Err(syntax("the resource names neither an app nor a resource".to_owned())),
        }
    }

    /// Adds app, party and task of an instance when the request does not carry them all.
    async fn stand(&mut self, resource: &mut Vec<Attribute>) -> Result<(), Trouble> {
        let placed = [urn::TASK, urn::END_EVENT].iter().any(|id| first(resource, id).is_some());
        let full = [urn::ORG, urn::APP, urn::PARTY].iter().all(|id| first(resource, id).is_some());
        let Some(instance) = first(resource, urn::INSTANCE).map(str::to_owned) else {
            return Ok(());
        };
        if placed && full {
            return Ok(());
        }
        let Some((party, guid)) = instance.split_once('/') else {
            return Err(syntax(format!("`{instance}` is no instance")));
        };
        if party.parse::<i64>().is_err() || guid.parse::<uuid::Uuid>().is_err() {
            return Err(syntax(format!("`{instance}` is no instance")));
        }
        // Without a Storage to ask, the party is all that can be known.
        if let Some(standing) = self.ask(&instance).await? {
            if let Ok(app) = standing.app_id.parse::<AppId>() {
                add(resource, urn::ORG, app.org());
                add(resource, urn::APP, app.app());
            }
            let place =
                |path: &str| standing.process.as_ref()?.pointer(path)?.as_str().map(str::to_owned);
            if let Some(task) = place("/currentTask/elementId") {
                add(resource, urn::TASK, &task);
            } else if let Some(event) = place("/endEvent") {
                add(resource, urn::END_EVENT, &event);
            }
        }
        if first(resource, urn::PARTY).is_none() {
            resource.push(Attribute::new(urn::PARTY, party).repeated());
        }
        Ok(())
    }

    async fn ask(&mut self, instance: &str) -> Result<Option<Standing>, Trouble> {
        let Some(storage) = self.platform.storage() else { return Ok(None) };
        if let Some(known) = self.standing.get(instance) {
            return Ok(known.clone());
        }
        let path = format!("/storage/api/v1/instances/{instance}/process/authinfo");
        let found: Result<Option<Standing>, Fault> = storage.get(&path, self.headers()).await;
        let found = found.map_err(|fault| {
            self.lost = Some(fault);
            Trouble {
                code: urn::PROCESSING_ERROR,
                message: "Storage did not tell where the instance stands".to_owned(),
            }
        })?;
        if found.is_none() {
            return Err(Trouble {
                code: urn::PROCESSING_ERROR,
                message: format!("there is no instance {instance}"),
            });
        }
        self.standing.insert(instance.to_owned(), found.clone());
        Ok(found)
    }

    /// The platform's own token as an app's.
    fn headers(&self) -> HeaderMap {
        let now = jwt::now();
        let claims = json!({
            "iss": "platform", "urn:altinn:app": "authorization", "aud": "platform.altinn.no",
            "nbf": now - 5, "exp": now + LIFETIME,
        });
        let claims = Claims(crate::platform::authentication::issue::object(claims));
        let token = jwt::sign(self.platform.key(), &claims)
            .and_then(|token| HeaderValue::from_str(&token).ok());
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(HEADER, token);
        }
        headers
    }

    fn party(&self, resource: &mut Vec<Attribute>) -> Result<(), Trouble> {
        if first(resource, urn::PARTY).is_some() {
            return Ok(());
        }
        let org = [urn::ORGANIZATION, urn::ORG_NUMBER].iter().find_map(|id| first(resource, id));
        let person = [urn::PERSON, urn::SSN].iter().find_map(|id| first(resource, id));
        let party = match (org, person) {
            (Some(number), _) => self.people.org(number).and_then(|org| org.party_id),
            (None, Some(ssn)) => self.people.by_ssn(ssn).map(|person| person.party_id),
            (None, None) => return Ok(()),
        };
        let Some(party) = party else {
            return Err(syntax("the resource's owner is not known".to_owned()));
        };
        resource.push(Attribute::new(urn::PARTY, party.to_string()));
        Ok(())
    }

    /// Fills in who asks: the roles for the resource's party, the party of an organisation.
    pub(super) fn subject(
        &self,
        attributes: &mut Attributes,
        policy: &Policy,
    ) -> Result<(), Trouble> {
        let subject = &mut attributes.subject;
        let has = |id: &str| first(subject, id).is_some();
        let person = has(urn::PERSON) || has(urn::SSN) || has(urn::PERSON_UUID);
        let org = has(urn::ORGANIZATION) || has(urn::ORG_NUMBER);
        let system = has(urn::SYSTEM_USER);
        let user = has(urn::USER);
        // Person and organisation together are how an organisation's employee is written.
        if user && (person || org) || system && (person || org || user) {
            return Err(syntax("the subject is more than one".to_owned()));
        }
        if org
            && let Some(party) = [urn::ORGANIZATION, urn::ORG_NUMBER]
                .iter()
                .find_map(|id| self.people.org(first(subject, id)?))
                .and_then(|org| org.party_id)
        {
            add(subject, urn::PARTY, &party.to_string());
        }
        let Some(person) = self.person(subject) else { return Ok(()) };
        add(subject, urn::USER, &person.user().to_string());
        let Some(party) = first(&attributes.resource, urn::PARTY).and_then(|id| id.parse().ok())
        else {
            return Ok(());
        };
        for role in person.roles(party) {
            let id = if role.kind.starts_with("urn:") { role.kind.as_str() } else { urn::ROLE };
            if policy.mentions(id) {
                attributes.subject.push(Attribute::new(id, &role.value));
            }
        }
        Ok(())
    }

    fn person(&self, subject: &[Attribute]) -> Option<&'a crate::platform::people::Person> {
        if let Some(user) = first(subject, urn::USER) {
            return self.people.user(user.parse().ok()?);
        }
        if let Some(uuid) = first(subject, urn::PERSON_UUID) {
            return self.people.by_uuid(uuid.parse().ok()?);
        }
        self.people.by_ssn([urn::PERSON, urn::SSN].iter().find_map(|id| first(subject, id))?)
    }
}

/// Data types that are not understood make a request unreadable.
pub(super) fn check_kinds(attributes: &[Attribute]) -> Result<(), Trouble> {
    match attributes.iter().find(|found| kind(found.data_type.as_deref()).is_none()) {
        Some(found) => {
            Err(syntax(format!("data type `{}`", found.data_type.as_deref().unwrap_or_default())))
        }
        None => Ok(()),
    }
}

/// `app_{org}_{app}`.
fn app_of(resource: &str) -> Option<(String, String)> {
    let (org, app) = resource.strip_prefix("app_")?.split_once('_')?;
    Some((org.to_owned(), app.to_owned()))
}

pub(super) fn first<'a>(attributes: &'a [Attribute], id: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|attribute| attribute.attribute_id == id)
        .map(|attribute| attribute.value.as_str())
}

fn add(attributes: &mut Vec<Attribute>, id: &str, value: &str) {
    if first(attributes, id).is_none() {
        attributes.push(Attribute::new(id, value));
    }
}

pub(super) fn syntax(message: String) -> Trouble {
    Trouble { code: urn::SYNTAX_ERROR, message }
}
