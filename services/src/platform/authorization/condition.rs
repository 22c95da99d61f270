//! Conditions of rules. Studio writes none; the functions here are those that hand-written policies use.

use super::matching::{Attributes, Trouble};
use super::policy::{Designator, Value};
use crate::kit::xacml::urn;

/// A part of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A function, without its version, and what it is given.
    Apply(String, Vec<Expression>),
    /// A value.
    Value(Value),
    /// Values of the request.
    Designator(Designator),
    /// A function given to another.
    Function(String),
}

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Truth(bool),
    One(String),
    Bag(Vec<String>),
}

impl Expression {
    /// Whether it looks at an attribute.
    #[must_use]
    pub fn mentions(&self, id: &str) -> bool {
        match self {
            Self::Apply(_, parts) => parts.iter().any(|part| part.mentions(id)),
            Self::Designator(designator) => designator.id == id,
            Self::Value(_) | Self::Function(_) => false,
        }
    }

    /// Whether it holds.
    pub fn holds(&self, attributes: &Attributes) -> Result<bool, Trouble> {
        truth(&self.find(attributes)?)
    }

    fn find(&self, attributes: &Attributes) -> Result<Found, Trouble> {
        match self {
            Self::Value(value) if value.kind.ends_with("#boolean") => {
                Ok(Found::Truth(matches!(value.text.as_str(), "true" | "1")))
            }
            Self::Value(value) => Ok(Found::One(value.text.clone())),
            Self::Designator(wanted) => {
                let values = attributes.named(wanted)?;
                Ok(Found::Bag(values.into_iter().map(str::to_owned).collect()))
            }
            Self::Function(name) => Err(cannot(name)),
            Self::Apply(name, parts) => apply(name, parts, attributes),
        }
    }
}

fn apply(name: &str, parts: &[Expression], attributes: &Attributes) -> Result<Found, Trouble> {
    // These look at their parts one by one and may stop early.
    match name {
        "and" => return all(parts, attributes, true).map(Found::Truth),
        "or" => return all(parts, attributes, false).map(|found| Found::Truth(!found)),
        "any-of" => {
            let [Expression::Function(inner), one, many] = parts else { return Err(cannot(name)) };
            let one = one.find(attributes)?;
            for item in bag(many.find(attributes)?)? {
                if truth(&function(inner, &[one.clone(), Found::One(item)])?)? {
                    return Ok(Found::Truth(true));
                }
            }
            return Ok(Found::Truth(false));
        }
        _ => {}
    }
    let found: Vec<Found> =
        parts.iter().map(|part| part.find(attributes)).collect::<Result<_, _>>()?;
    function(name, &found)
}

/// Whether every part is `wanted` (for `and`); with false: whether none is true (for `or`, turned around).
fn all(parts: &[Expression], attributes: &Attributes, wanted: bool) -> Result<bool, Trouble> {
    for part in parts {
        if part.holds(attributes)? != wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

fn function(name: &str, given: &[Found]) -> Result<Found, Trouble> {
    let truth_of = |truth| Ok(Found::Truth(truth));
    match (name, given) {
        ("not", [one]) => truth_of(!truth(one)?),
        ("string-equal-ignore-case", [a, b]) => {
            truth_of(one(a)?.to_lowercase() == one(b)?.to_lowercase())
        }
        ("integer-equal", [a, b]) => truth_of(number(a)? == number(b)?),
        ("integer-greater-than", [a, b]) => truth_of(number(a)? > number(b)?),
        ("integer-greater-than-or-equal", [a, b]) => truth_of(number(a)? >= number(b)?),
        ("integer-less-than", [a, b]) => truth_of(number(a)? < number(b)?),
        ("integer-less-than-or-equal", [a, b]) => truth_of(number(a)? <= number(b)?),
        ("string-starts-with" | "anyURI-starts-with", [a, b]) => {
            truth_of(one(b)?.starts_with(one(a)?.as_str()))
        }
        (name, [a, b]) if name.ends_with("-equal") => truth_of(one(a)? == one(b)?),
        (name, [a, b]) if name.ends_with("-is-in") => truth_of(bag(b.clone())?.contains(&one(a)?)),
        (name, [a, b]) if name.ends_with("-at-least-one-member-of") => {
            let known = bag(b.clone())?;
            truth_of(bag(a.clone())?.iter().any(|item| known.contains(item)))
        }
        (name, [a]) if name.ends_with("-one-and-only") => match bag(a.clone())?.as_slice() {
            [only] => Ok(Found::One(only.clone())),
            values => Err(Trouble {
                code: urn::PROCESSING_ERROR,
                message: format!("{} values where one is wanted", values.len()),
            }),
        },
        (name, [a]) if name.ends_with("-bag-size") => {
            Ok(Found::One(bag(a.clone())?.len().to_string()))
        }
        (name, items) if name.ends_with("-bag") => {
            items.iter().map(one).collect::<Result<_, _>>().map(Found::Bag)
        }
        _ => Err(cannot(name)),
    }
}

fn truth(found: &Found) -> Result<bool, Trouble> {
    match found {
        Found::Truth(truth) => Ok(*truth),
        _ => Err(mixed("a truth value")),
    }
}

fn one(found: &Found) -> Result<String, Trouble> {
    match found {
        Found::One(text) => Ok(text.clone()),
        Found::Truth(truth) => Ok(truth.to_string()),
        Found::Bag(_) => Err(mixed("one value")),
    }
}

fn bag(found: Found) -> Result<Vec<String>, Trouble> {
    match found {
        Found::Bag(values) => Ok(values),
        _ => Err(mixed("a bag of values")),
    }
}

fn number(found: &Found) -> Result<i64, Trouble> {
    one(found)?.trim().parse().map_err(|_| mixed("a whole number"))
}

fn mixed(wanted: &str) -> Trouble {
    Trouble { code: urn::PROCESSING_ERROR, message: format!("the condition needs {wanted} here") }
}

fn cannot(name: &str) -> Trouble {
    Trouble { code: urn::PROCESSING_ERROR, message: format!("`{name}` cannot be worked out") }
}
