//! A policy as it was read: the subset of XACML 3.0 that Altinn's library understands (`platform-api.md` §4.3).

use super::combine::Combining;
use super::condition::Expression;
use super::matching::Comparison;
use crate::kit::xacml::Decision;

/// A policy of an app or a resource.
#[derive(Debug, Clone)]
pub struct Policy {
    /// `PolicyId`.
    pub id: String,
    /// `Version`.
    pub version: String,
    /// How the rules' effects become one; `None` for an algorithm that is not known.
    pub combining: Option<Combining>,
    /// What it is about; empty for everything.
    pub target: Target,
    /// In their order.
    pub rules: Vec<Rule>,
    /// What goes with a decision.
    pub obligations: Vec<Duty>,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `RuleId`.
    pub id: String,
    /// Whether it gives or takes.
    pub effect: Effect,
    /// Whom, what and which actions it is about.
    pub target: Target,
    /// What must hold besides.
    pub condition: Option<Expression>,
}

/// Whether a rule gives or takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Gives.
    Permit,
    /// Takes.
    Deny,
}

/// `AnyOf` of `AllOf` of matches.
pub type Target = Vec<Vec<Vec<Match>>>;

/// A comparison of an attribute with a value.
#[derive(Debug, Clone)]
pub struct Match {
    /// How.
    pub comparison: Comparison,
    /// The policy's side.
    pub value: Value,
    /// The request's side.
    pub attribute: Designator,
}

/// A value and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// URI of the type.
    pub kind: String,
    /// As text.
    pub text: String,
}

/// Names attributes of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Designator {
    /// URN of the category.
    pub category: String,
    /// URN of the attribute.
    pub id: String,
    /// URI of the type.
    pub kind: String,
    /// Whether the decision fails without it.
    pub must_be_present: bool,
}

/// An obligation.
#[derive(Debug, Clone)]
pub struct Duty {
    /// `ObligationId`.
    pub id: String,
    /// The decision that it goes with.
    pub on: Effect,
    /// Attribute, category and value.
    pub values: Vec<(String, Option<String>, Value)>,
}

impl Policy {
    /// Every match of every rule.
    pub fn matches(&self) -> impl Iterator<Item = (&Rule, &Match)> {
        self.rules
            .iter()
            .flat_map(|rule| rule.target.iter().flatten().flatten().map(move |found| (rule, found)))
    }

    /// Whether a rule looks at an attribute.
    #[must_use]
    pub fn mentions(&self, id: &str) -> bool {
        self.matches().any(|(_, found)| found.attribute.id == id)
            || self
                .rules
                .iter()
                .filter_map(|rule| rule.condition.as_ref())
                .any(|condition| condition.mentions(id))
    }
}

impl From<Effect> for Decision {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Permit => Self::Permit,
            Effect::Deny => Self::Deny,
        }
    }
}
