//! Comparisons of the request's attributes with a policy's values.

use regex_lite::{Regex, RegexBuilder};

use super::parse;
use super::policy::{Designator, Match, Value};
use crate::kit::xacml::{Attribute, urn};

/// Patterns may grow to this many bytes when they are made ready.
const PATTERN: usize = 256 * 1024;

/// How a match compares. Each is named by the library of the real service; others make the decision indeterminate.
#[derive(Debug, Clone)]
pub enum Comparison {
    /// Equal text.
    Equal,
    /// Equal text, in any case.
    EqualIgnoreCase,
    /// Equal whole numbers.
    Integer,
    /// The policy's text stands within the attribute's.
    Within,
    /// The attribute fits the policy's pattern.
    Pattern(Box<Regex>),
    /// Not understood.
    Unknown(String),
}

/// A comparison that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Status code.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl Comparison {
    /// The comparison of a `MatchId`; a pattern is made ready here.
    #[must_use]
    pub fn read(id: &str, value: &Value) -> Self {
        match parse::function(id).as_str() {
            "string-equal" | "anyURI-equal" | "time-equal" | "date-equal" | "dateTime-equal" => {
                Self::Equal
            }
            "string-equal-ignore-case" => Self::EqualIgnoreCase,
            "integer-equal" | "integer-one-and-only" => Self::Integer,
            "string-is-in" => Self::Within,
            "string-regexp-match" => {
                RegexBuilder::new(&value.text).size_limit(PATTERN).build().map_or_else(
                    |_| Self::Unknown(id.to_owned()),
                    |regex| Self::Pattern(Box::new(regex)),
                )
            }
            _ => Self::Unknown(id.to_owned()),
        }
    }

    fn holds(&self, policy: &str, given: &str) -> Result<bool, Trouble> {
        match self {
            Self::Equal => Ok(policy == given),
            Self::EqualIgnoreCase => Ok(policy.to_lowercase() == given.to_lowercase()),
            Self::Integer => match (policy.trim().parse::<i64>(), given.trim().parse::<i64>()) {
                (Ok(policy), Ok(given)) => Ok(policy == given),
                _ => Err(Trouble {
                    code: urn::PROCESSING_ERROR,
                    message: format!("`{given}` and `{policy}` are not both whole numbers"),
                }),
            },
            Self::Within => Ok(given.contains(policy)),
            Self::Pattern(regex) => Ok(regex.is_match(given)),
            Self::Unknown(id) => Err(Trouble {
                code: urn::PROCESSING_ERROR,
                message: format!("`{id}` cannot be worked out"),
            }),
        }
    }
}

/// The attributes of one decision, by category.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// Who.
    pub subject: Vec<Attribute>,
    /// What.
    pub resource: Vec<Attribute>,
    /// Which action.
    pub action: Vec<Attribute>,
    /// Circumstances.
    pub environment: Vec<Attribute>,
}

impl Attributes {
    /// The attributes of a category; those of one that is not known are none.
    #[must_use]
    pub fn of(&self, category: &str) -> &[Attribute] {
        match category {
            urn::SUBJECT => &self.subject,
            urn::RESOURCE => &self.resource,
            urn::ACTION => &self.action,
            urn::ENVIRONMENT => &self.environment,
            _ => &[],
        }
    }

    /// The values that a designator names. None of them where one must be: trouble.
    pub fn named<'a>(&'a self, wanted: &'a Designator) -> Result<Vec<&'a str>, Trouble> {
        let values: Vec<&str> = self
            .of(&wanted.category)
            .iter()
            .filter(|attribute| attribute.attribute_id == wanted.id)
            .filter(|attribute| kind(attribute.data_type.as_deref()) == Some(wanted.kind.as_str()))
            .map(|attribute| attribute.value.as_str())
            .collect();
        if values.is_empty() && wanted.must_be_present {
            return Err(Trouble {
                code: urn::MISSING_ATTRIBUTE,
                message: format!("`{}` is missing", wanted.id),
            });
        }
        Ok(values)
    }
}

/// The URI of a request's data type; `None` for one that is not understood.
#[must_use]
pub fn kind(given: Option<&str>) -> Option<&str> {
    match given {
        None | Some("" | "string" | urn::STRING) => Some(urn::STRING),
        Some("anyURI" | urn::ANY_URI) => Some(urn::ANY_URI),
        Some("integer" | urn::INTEGER) => Some(urn::INTEGER),
        _ => None,
    }
}

/// Whether one of the attributes that a match names compares well.
pub fn matches(found: &Match, attributes: &Attributes) -> Result<bool, Trouble> {
    // Types that differ never compare; the library compares their text.
    if found.value.kind != found.attribute.kind {
        return Ok(false);
    }
    let mut trouble = None;
    for given in attributes.named(&found.attribute)? {
        match found.comparison.holds(&found.value.text, given) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(fault) => trouble = Some(fault),
        }
    }
    trouble.map_or(Ok(false), Err)
}
