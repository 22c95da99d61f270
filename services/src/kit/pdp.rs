//! Asking Authorization, as the client library of apps and services does (`platform-api.md` §4.1 "Subject
//! attributes", "Client rule").

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::Method;
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use bytes::Bytes;

use super::fault::Fault;
use super::name::AppId;
use super::peer::Peer;
use super::token::Claims;
use super::xacml::{
    Asked, Attribute, Category, Decision, MultiRequests, Outcome, Request, RequestReference,
    read_answer, urn,
};

/// Where decisions are asked for.
const DECISION: &str = "/authorization/api/v1/decision";

/// How long a decision is kept. Production keeps them for five minutes; here an edit of a policy takes effect at
/// once, so this is only long enough to spare Authorization the bursts of one page or one step.
const KEEP: Duration = Duration::from_secs(1);
/// Decisions kept at most; when there are more, all are forgotten.
const KEPT: usize = 20_000;

/// Asks Authorization for decisions. Cheap to copy; copies share what they keep.
#[derive(Clone)]
pub struct Pdp {
    platform: Peer,
    kept: Arc<Mutex<HashMap<String, (Instant, bool)>>>,
}

/// What is asked about: an app, a party, perhaps one of its instances and where that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The app.
    pub app: AppId,
    /// The instance's owner, or who an instance is to be made for.
    pub party: Option<i64>,
    /// `party/guid`.
    pub instance: Option<String>,
    /// Where its process stands. Unknown: Authorization finds out.
    pub place: Option<Place>,
}

/// Where an instance's process stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this task.
    Task(String),
    /// Ended at this event.
    Ended(String),
}

impl Pdp {
    /// Asks this `platform`.
    #[must_use]
    pub fn new(platform: Peer) -> Self {
        Self { platform, kept: Arc::default() }
    }

    /// Passes when the caller may do the action; 403 when not.
    pub async fn demand(&self, claims: &Claims, action: &str, to: &Subject) -> Result<(), Fault> {
        self.demand_any(claims, &[action], to).await
    }

    /// Passes when the caller may do one of the actions at least; 403 when none.
    pub async fn demand_any(
        &self,
        claims: &Claims,
        actions: &[&str],
        to: &Subject,
    ) -> Result<(), Fault> {
        let asked: Vec<(&str, &Subject)> = actions.iter().map(|action| (*action, to)).collect();
        let permitted = self.permitted(claims, &asked).await?;
        if permitted.contains(&true) { Ok(()) } else { Err(Fault::forbidden()) }
    }

    /// For each action and subject whether the caller may; one request for all.
    pub async fn permitted(
        &self,
        claims: &Claims,
        asked: &[(&str, &Subject)],
    ) -> Result<Vec<bool>, Fault> {
        let who = format!("{:?} {:?}", subject(claims), claims.level());
        let keys: Vec<String> =
            asked.iter().map(|(action, to)| format!("{who} {action} {:?}", resource(to))).collect();
        let mut known = self.known(&keys);
        let open: Vec<usize> = (0..asked.len()).filter(|at| known[*at].is_none()).collect();
        if !open.is_empty() {
            let some: Vec<(&str, &Subject)> = open.iter().map(|at| asked[*at]).collect();
            let outcomes = self.decide(&request(claims, &some)).await?;
            if outcomes.len() != some.len() {
                return Err(Fault::internal(format!(
                    "Authorization gave {} decisions for {}",
                    outcomes.len(),
                    some.len()
                )));
            }
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() > KEPT {
                kept.clear();
            }
            for (at, outcome) in open.into_iter().zip(&outcomes) {
                let may = holds(outcome, claims);
                known[at] = Some(may);
                kept.insert(keys[at].clone(), (Instant::now(), may));
            }
        }
        Ok(known.into_iter().map(|may| may == Some(true)).collect())
    }

    fn known(&self, keys: &[String]) -> Vec<Option<bool>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |key| kept.get(key).filter(|(at, _)| at.elapsed() < KEEP).map(|(_, may)| *may);
        keys.iter().map(fresh).collect()
    }

    /// The bare decisions.
    pub async fn decide(&self, request: &Request) -> Result<Vec<Outcome>, Fault> {
        let body =
            serde_json::to_vec(&Asked { request: request.clone() }).map_err(Fault::internal)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let reply = self.platform.ask(Method::POST, DECISION, headers, Bytes::from(body)).await?;
        if !reply.status.is_success() {
            return Err(Fault::unavailable("Authorization", reply.status));
        }
        read_answer(&reply.body)
            .map(|answer| answer.response)
            .map_err(|error| Fault::unavailable("Authorization", error))
    }
}

/// The request for these decisions: single for one, with references for several.
#[must_use]
pub fn request(claims: &Claims, asked: &[(&str, &Subject)]) -> Request {
    let mut request = Request {
        access_subject: vec![Category::new("s1", subject(claims))],
        ..Request::default()
    };
    let mut references = Vec::new();
    for (index, (action, to)) in asked.iter().enumerate() {
        let (action_id, resource_id) = (format!("a{}", index + 1), format!("r{}", index + 1));
        let attribute = Attribute::new(urn::ACTION_ID, *action).repeated();
        request.action.push(Category::new(&action_id, vec![attribute]));
        request.resource.push(Category::new(&resource_id, resource(to)));
        references
            .push(RequestReference { reference_id: vec!["s1".to_owned(), action_id, resource_id] });
    }
    if asked.len() > 1 {
        request.multi_requests = Some(MultiRequests { request_reference: references });
    }
    request
}

fn resource(to: &Subject) -> Vec<Attribute> {
    let place = match &to.place {
        Some(Place::Task(task)) => Some(Attribute::new(urn::TASK, task)),
        Some(Place::Ended(event)) => Some(Attribute::new(urn::END_EVENT, event)),
        None => None,
    };
    let instance = to.instance.as_ref().map(|id| Attribute::new(urn::INSTANCE, id).repeated());
    let party = to.party.map(|party| Attribute::new(urn::PARTY, party.to_string()));
    let app = [Attribute::new(urn::ORG, to.app.org()), Attribute::new(urn::APP, to.app.app())];
    place.into_iter().chain(instance).chain(party).chain(app).collect()
}

/// The attributes that stand for a token's claims.
#[must_use]
pub fn subject(claims: &Claims) -> Vec<Attribute> {
    const ONE_OF: [&str; 4] = [urn::PERSON_UUID, urn::USER, urn::PARTY, urn::RESOURCE_ID];
    let one = ONE_OF.into_iter().find(|name| claims.text(name).is_some());
    if one.is_none()
        && let Some(system) = claims.system_user()
    {
        return vec![Attribute::new(urn::SYSTEM_USER, system.id)];
    }
    let mut attributes = Vec::new();
    for name in claims.0.keys() {
        let Some(value) = claims.text(name) else { continue };
        match name.as_str() {
            "scope" => attributes.push(Attribute::new("urn:scope", value)),
            "jti" => attributes.push(Attribute::new("urn:altinn:sessionid", value)),
            "urn:altinn:orgNumber" => {}
            name if ONE_OF.contains(&name) => {}
            name if name.starts_with("urn:") => attributes.push(Attribute::new(name, value)),
            _ => {}
        }
    }
    match one {
        Some(name) => {
            attributes.extend(claims.text(name).map(|value| Attribute::new(name, value)));
        }
        None => {
            if let Some(number) = claims.org_number() {
                attributes.push(Attribute::new(urn::ORG_NUMBER, number.clone()));
                attributes.push(Attribute::new(urn::ORGANIZATION, number));
            }
        }
    }
    attributes
}

/// The client's own judgement: permitted, and the token's level reaches what the obligation demands.
#[must_use]
pub fn holds(outcome: &Outcome, claims: &Claims) -> bool {
    if outcome.decision != Decision::Permit {
        return false;
    }
    let level = |category: &str| {
        outcome
            .obligations
            .iter()
            .flatten()
            .flat_map(|obligation| &obligation.attribute_assignment)
            .find(|assignment| assignment.category.as_deref() == Some(category))
            .and_then(|assignment| assignment.value.parse::<i64>().ok())
    };
    let Some(needed) = level(urn::LEVEL) else { return true };
    let Some(given) = claims.level() else { return false };
    if given >= needed {
        return true;
    }
    claims.org().is_some() && level(urn::LEVEL_ORG).is_some_and(|needed| given >= needed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ids(value: &serde_json::Value) -> Vec<String> {
        let claims = Claims(value.as_object().unwrap().clone());
        subject(&claims).into_iter().map(|attribute| attribute.attribute_id).collect()
    }

    #[test]
    fn claims_become_attributes() {
        for (claims, expected) in [
            (
                json!({ "nameid": "1337", "urn:altinn:userid": "1337", "urn:altinn:partyid": 501_337,
                        "urn:altinn:authlevel": 2, "jti": "x" }),
                &["urn:altinn:authlevel", "urn:altinn:sessionid", "urn:altinn:userid"][..],
            ),
            (
                json!({ "urn:altinn:org": "ttd", "urn:altinn:orgNumber": "405003309", "scope": "a b" }),
                &[
                    "urn:altinn:org",
                    "urn:scope",
                    "urn:altinn:organizationnumber",
                    "urn:altinn:organization:identifier-no",
                ],
            ),
            (
                json!({ "urn:altinn:orgNumber": "1", "scope": "a",
                        "authorization_details": { "systemuser_id": ["y"] } }),
                &["urn:altinn:systemuser:uuid"],
            ),
            (
                json!({ "consumer": { "ID": "0192:9" } }),
                &["urn:altinn:organizationnumber", "urn:altinn:organization:identifier-no"],
            ),
        ] {
            assert_eq!(ids(&claims), expected, "{claims}");
        }
    }

    #[tokio::test]
    async fn a_burst_is_one_question() {
        use crate::kit::api::{Api, Endpoint};
        use crate::kit::body::{Json, Raw};
        use crate::kit::front::Front;
        use crate::kit::xacml::{self, Answered};
        use std::sync::atomic::{AtomicUsize, Ordering};

        static ASKED: AtomicUsize = AtomicUsize::new(0);
        async fn decide(Raw(body): Raw) -> Result<Json<Answered>, Fault> {
            let request = xacml::read(&body).map_err(Fault::internal)?.request;
            ASKED.fetch_add(request.action.len(), Ordering::Relaxed);
            let reads = |action: &Category| action.value(urn::ACTION_ID) == Some("read");
            let outcome = |yes| Outcome::plain(if yes { Decision::Permit } else { Decision::Deny });
            Ok(Json(Answered { response: request.action.iter().map(reads).map(outcome).collect() }))
        }
        let api = Api::<()>::new("platform").add(Endpoint::post(DECISION, "decision"), decide);
        let peer = Peer::inside();
        peer.join(&Front::new(api.finish(())));
        let pdp = Pdp::new(peer);
        let claims = |user: i64| {
            let claims = json!({ "urn:altinn:userid": user, "urn:altinn:authlevel": 2 });
            Claims(claims.as_object().unwrap().clone())
        };
        let to = Subject {
            app: "ttd/demo".parse().unwrap(),
            party: Some(1),
            instance: None,
            place: None,
        };
        for (user, actions, may, asked) in [
            (1, &["read"][..], &[true][..], 1),
            (1, &["read"], &[true], 1),
            (1, &["write", "read"], &[false, true], 2),
            (1, &["write", "read", "write"], &[false, true, false], 2),
            (2, &["write"], &[false], 3),
        ] {
            let all: Vec<(&str, &Subject)> = actions.iter().map(|action| (*action, &to)).collect();
            assert_eq!(pdp.permitted(&claims(user), &all).await.unwrap(), may);
            assert_eq!(ASKED.load(Ordering::Relaxed), asked, "{user} {actions:?}");
        }
    }
}
