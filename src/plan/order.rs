//! Puts steps in an order in which each comes after what it needs.

use std::collections::BTreeSet;

use super::Planned;

/// Sorts steps; needs that are not among the steps count as met. Steps in a cycle come last, in the order given:
/// the caller's table has none, and a test holds it to that.
#[must_use]
pub fn order(mut steps: Vec<Planned>) -> Vec<Planned> {
    let all: BTreeSet<String> = steps.iter().map(|step| step.id.clone()).collect();
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut ordered = Vec::with_capacity(steps.len());
    loop {
        let ready =
            |step: &Planned| step.after.iter().all(|id| done.contains(id) || !all.contains(id));
        let Some(place) = steps.iter().position(ready) else { break };
        let step = steps.remove(place);
        done.insert(step.id.clone());
        ordered.push(step);
    }
    ordered.extend(steps);
    ordered
}
