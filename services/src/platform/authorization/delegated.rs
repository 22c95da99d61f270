//! What a policy does not give may have been given to a system user: all its actions on all its resources, for its
//! own organisation (`platform-api.md` §4.3 "delegations").

use super::context::first;
use super::matching::Attributes;
use super::policies::About;
use crate::kit::xacml::urn;
use crate::platform::people::People;

/// Whether a system user asks for what it was given.
pub(super) fn permits(people: &People, attributes: &Attributes, about: &About) -> bool {
    let id = first(&attributes.subject, urn::SYSTEM_USER).and_then(|id| id.parse().ok());
    let Some((_, user)) = id.and_then(|id| people.system_user(id)) else { return false };
    let party = first(&attributes.resource, urn::PARTY).and_then(|party| party.parse().ok());
    let owner = people.org(&user.org_number).and_then(|org| org.party_id);
    let action = first(&attributes.action, urn::ACTION_ID);
    let name = match about {
        About::App(app) => format!("app_{}_{}", app.org(), app.app()),
        About::Resource(id) => id.clone(),
    };
    owner.is_some()
        && party == owner
        && action
            .is_some_and(|action| user.actions.iter().any(|own| own.eq_ignore_ascii_case(action)))
        && (user.resources.is_empty() || user.resources.contains(&name))
}
