//! Authorization (`platform-api.md` §4): decisions over the apps' policies, parties, roles, policies.
//!
//! A decision passes these modules in turn: [`decide`] takes the request apart, `context` finds out what it leaves
//! open, [`policies`] has the policy, [`evaluate`] works it out with [`matching`] and [`condition`], `combine` puts
//! the rules' effects together, `delegated` tries what was given to system users.

pub mod combine;
pub mod condition;
mod context;
mod decide;
mod delegated;
mod endpoints;
pub mod evaluate;
pub mod matching;
pub mod parse;
pub mod policies;
pub mod policy;
mod wire_xml;

#[cfg(test)]
mod tests;

pub(super) use endpoints::endpoints;
