//! From a request to its decisions, one for each reference.

use std::collections::HashMap;

use serde_json::json;

use super::context::{Context, check_kinds};
use super::delegated;
use super::evaluate::evaluate;
use super::matching::{Attributes, Trouble};
use crate::kit::fault::Fault;
use crate::kit::xacml::{Category, Decision, Outcome, Request, urn};
use crate::platform::Platform;

/// Decisions after which others get their turn.
const TURN: usize = 64;

/// The decisions in the order of the references; exactly one when there are fewer than two. 503 when Storage is asked and
/// away: an indeterminate decision would be taken for a refusal.
pub(super) async fn decide(platform: &Platform, request: &Request) -> Result<Vec<Outcome>, Fault> {
    let people = platform.people();
    let mut context = Context::new(platform, &people);
    context.names_policies = request.return_policy_id_list;
    let references = request
        .multi_requests
        .as_ref()
        .map(|multi| multi.request_reference.as_slice())
        .filter(|references| references.len() > 1);
    let Some(references) = references else {
        let outcome = one(&mut context, all(request), false).await;
        return context.lost.map_or_else(|| Ok(vec![outcome]), Err);
    };
    // Lists of instances ask for hundreds at once: what references name is found without a search.
    let mut named = HashMap::new();
    for (kind, category) in categories(request) {
        if let Some(id) = category.id.as_deref() {
            named.entry(id).or_insert((kind, category));
        }
    }
    let mut outcomes = Vec::with_capacity(references.len());
    for (index, reference) in references.iter().enumerate() {
        if index % TURN == TURN - 1 {
            tokio::task::yield_now().await;
        }
        outcomes.push(match picked(&named, &reference.reference_id) {
            Ok(attributes) => one(&mut context, attributes, true).await,
            Err(trouble) => Outcome {
                category: Some(Vec::new()),
                ..Outcome::indeterminate(trouble.code, trouble.message)
            },
        });
    }
    context.lost.map_or(Ok(outcomes), Err)
}

/// Everything that a single request holds.
fn all(request: &Request) -> Attributes {
    let mut attributes = Attributes::default();
    for (kind, category) in categories(request) {
        put(&mut attributes, kind, category);
    }
    attributes
}

/// What a reference names.
fn picked(named: &HashMap<&str, (&str, &Category)>, ids: &[String]) -> Result<Attributes, Trouble> {
    let mut attributes = Attributes::default();
    for id in ids {
        let (kind, category) = named
            .get(id.as_str())
            .ok_or_else(|| super::context::syntax(format!("nothing is called `{id}`")))?;
        put(&mut attributes, kind, category);
    }
    Ok(attributes)
}

fn categories(request: &Request) -> impl Iterator<Item = (&str, &Category)> {
    let subject = request.access_subject.iter().map(|category| (urn::SUBJECT, category));
    let action = request.action.iter().map(|category| (urn::ACTION, category));
    let resource = request.resource.iter().map(|category| (urn::RESOURCE, category));
    let own = request
        .category
        .iter()
        .map(|category| (category.category_id.as_deref().unwrap_or_default(), category));
    subject.chain(action).chain(resource).chain(own)
}

fn put(attributes: &mut Attributes, kind: &str, category: &Category) {
    let place = match kind {
        urn::SUBJECT => &mut attributes.subject,
        urn::RESOURCE => &mut attributes.resource,
        urn::ACTION => &mut attributes.action,
        urn::ENVIRONMENT => &mut attributes.environment,
        _ => return,
    };
    place.extend(category.attribute.iter().cloned());
}

async fn one(context: &mut Context<'_>, mut attributes: Attributes, several: bool) -> Outcome {
    let mut outcome = match judge(context, &mut attributes).await {
        Ok(outcome) => outcome,
        Err(trouble) => Outcome::indeterminate(trouble.code, trouble.message),
    };
    let repeated = repeated(&attributes);
    // Clients walk the list of each of several answers; null would make them throw.
    outcome.category = (several || !repeated.is_empty()).then_some(repeated);
    outcome
}

async fn judge(context: &mut Context<'_>, attributes: &mut Attributes) -> Result<Outcome, Trouble> {
    for part in [&attributes.subject, &attributes.action, &attributes.resource] {
        check_kinds(part)?;
    }
    let about = context.resource(attributes).await?;
    let read = context.platform.policies().get(&about);
    let policy = match read.as_ref() {
        Ok(Some(policy)) => policy,
        Ok(None) => {
            let message = "there is no policy for this resource".to_owned();
            return Err(Trouble { code: urn::PROCESSING_ERROR, message });
        }
        Err(fault) => {
            return Err(Trouble { code: urn::PROCESSING_ERROR, message: fault.to_string() });
        }
    };
    context.subject(attributes, policy)?;
    let mut outcome = evaluate(policy, attributes);
    if context.names_policies {
        outcome.policy_identifier_list = Some(json!({
            "policyIdReference": [{ "id": policy.id, "version": policy.version }],
        }));
    }
    if outcome.decision == Decision::NotApplicable
        && delegated::permits(context.people, attributes, &about)
    {
        return Ok(Outcome::plain(Decision::Permit));
    }
    Ok(outcome)
}

/// The attributes that the answer repeats, by category.
fn repeated(attributes: &Attributes) -> Vec<Category> {
    [
        (urn::ACTION, &attributes.action),
        (urn::RESOURCE, &attributes.resource),
        (urn::SUBJECT, &attributes.subject),
        (urn::ENVIRONMENT, &attributes.environment),
    ]
    .into_iter()
    .filter_map(|(kind, list)| {
        let attribute: Vec<_> = list.iter().filter(|one| one.include_in_result).cloned().collect();
        (!attribute.is_empty()).then(|| Category {
            category_id: Some(kind.to_owned()),
            id: None,
            attribute,
        })
    })
    .collect()
}
