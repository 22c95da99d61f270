//! Works a policy out as Altinn's library does, which is not plain XACML (`platform-api.md` §4.3 "Evaluation"): each
//! category is judged for itself, over all of a rule's `AnyOf` together.

use super::combine::Effected;
use super::matching::{Attributes, Trouble, matches};
use super::policy::{Effect, Policy, Rule, Target};
use crate::kit::xacml::{Assignment, Decision, Obligation, Outcome, urn};

/// The policy's decision, with its obligations.
#[must_use]
pub fn evaluate(policy: &Policy, attributes: &Attributes) -> Outcome {
    let Some(combining) = policy.combining else {
        return Outcome::indeterminate(
            urn::PROCESSING_ERROR,
            "the combining algorithm is not known",
        );
    };
    match applies(&policy.target, attributes) {
        Ok(true) => {}
        Ok(false) => return Outcome::plain(Decision::NotApplicable),
        Err(trouble) => return Outcome::indeterminate(trouble.code, trouble.message),
    }
    match combining.combine(policy.rules.iter().map(|rule| judge(rule, attributes))) {
        Effected::Yes(effect) => {
            let mut outcome = Outcome::plain(effect.into());
            outcome.obligations = obligations(policy, effect);
            outcome
        }
        Effected::NotApplicable => Outcome::plain(Decision::NotApplicable),
        Effected::Indeterminate(_, trouble) => {
            Outcome::indeterminate(trouble.code, trouble.message)
        }
    }
}

fn judge(rule: &Rule, attributes: &Attributes) -> Effected {
    let judged = applies(&rule.target, attributes).and_then(|applies| match &rule.condition {
        Some(condition) if applies => condition.holds(attributes),
        _ => Ok(applies),
    });
    match judged {
        Ok(true) => {
            tracing::debug!(rule = rule.id, effect = ?rule.effect, "a rule applies");
            Effected::Yes(rule.effect)
        }
        Ok(false) => Effected::NotApplicable,
        Err(trouble) => Effected::Indeterminate(Some(rule.effect), trouble),
    }
}

/// Whether each category matches. What is asked about and what is to be done come first: trouble with who asks does
/// not matter to a rule about something else.
fn applies(target: &Target, attributes: &Attributes) -> Result<bool, Trouble> {
    for category in [urn::RESOURCE, urn::ACTION, urn::SUBJECT, urn::ENVIRONMENT] {
        if !category_matches(target, category, attributes)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A category matches when all of its matches within any one `AllOf` hold, or when the target has none of it.
fn category_matches(
    target: &Target,
    category: &str,
    attributes: &Attributes,
) -> Result<bool, Trouble> {
    let mut silent = true;
    let mut trouble = None;
    for all in target.iter().flatten() {
        let mut own = all.iter().filter(|found| found.attribute.category == category).peekable();
        if own.peek().is_none() {
            continue;
        }
        silent = false;
        let mut holds = Ok(true);
        for found in own {
            holds = matches(found, attributes);
            if holds != Ok(true) {
                break;
            }
        }
        match holds {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(fault) => trouble = Some(fault),
        }
    }
    trouble.map_or(Ok(silent), Err)
}

fn obligations(policy: &Policy, effect: Effect) -> Option<Vec<Obligation>> {
    let duties: Vec<Obligation> = policy
        .obligations
        .iter()
        .filter(|duty| duty.on == effect)
        .map(|duty| Obligation {
            id: duty.id.clone(),
            attribute_assignment: duty
                .values
                .iter()
                .map(|(id, category, value)| Assignment {
                    attribute_id: id.clone(),
                    value: value.text.clone(),
                    category: category.clone(),
                    data_type: Some(value.kind.clone()),
                    issuer: None,
                })
                .collect(),
        })
        .collect();
    (!duties.is_empty()).then_some(duties)
}
