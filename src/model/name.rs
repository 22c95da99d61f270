//! Validated names. They are the only text that templates, host names and image names are made of,
//! so a value of these types cannot carry a character that means something to NGINX, YAML or a shell.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that breaks the rule of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{kind} `{given}` is not valid: use lower-case letters, digits and hyphens, start with a letter, at most {longest} characters"
)]
pub struct InvalidName {
    kind: &'static str,
    given: String,
    longest: usize,
}

fn check(kind: &'static str, longest: usize, given: &str) -> Result<String, InvalidName> {
    let mut characters = given.chars();
    let starts_well = characters.next().is_some_and(|c| c.is_ascii_lowercase());
    let goes_on_well = characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if starts_well && goes_on_well && !given.ends_with('-') && given.len() <= longest {
        return Ok(given.to_owned());
    }
    Err(InvalidName { kind, given: given.chars().take(80).collect(), longest })
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $longest:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;
            fn from_str(given: &str) -> Result<Self, InvalidName> {
                check($kind, $longest, given).map(Self)
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidName;
            fn try_from(given: String) -> Result<Self, InvalidName> {
                given.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// An organisation's short name, as `ttd`: lower case, at most 20 characters.
    OrgName,
    "organisation",
    20
);
name!(
    /// The name of one local stack, as `default`: lower case, at most 20 characters.
    StackName,
    "stack name",
    20
);
name!(
    /// An app's name as it stands in names of images and releases: lower case, at most 50 characters.
    AppName,
    "app",
    50
);
name!(
    /// The name of an environment, as `local` or `tt02`: lower case, at most 20 characters.
    EnvironmentName,
    "environment",
    20
);

name!(
    /// A widget's name, which is also that of its folder: lower case, at most 40 characters.
    WidgetName,
    "widget",
    40
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        for good in ["ttd", "a", "my-app", "a1-b2"] {
            assert!(good.parse::<AppName>().is_ok(), "{good}");
        }
        let long = "a".repeat(51);
        for bad in
            ["", "1a", "-a", "a-", "A", "a_b", "a b", "a;b", "å", "a/b", "a\n", long.as_str()]
        {
            assert!(bad.parse::<AppName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_bad_name_cannot_be_read_from_json() {
        assert!(serde_json::from_str::<OrgName>("\"ttd; drop\"").is_err());
    }
}
