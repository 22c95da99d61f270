//! Names that come from outside and become parts of paths and keys: checked once, then trusted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Organisation and app, `ttd/demo`. The pattern is that of Storage (`platform-api.md` §1.6, POST applications).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppId {
    org: String,
    app: String,
}

/// Not a name of an app.
#[derive(Debug, thiserror::Error)]
#[error("not the id of an app: `{0}`")]
pub struct NotAnApp(String);

impl AppId {
    /// Checks both names.
    pub fn new(org: &str, app: &str) -> Result<Self, NotAnApp> {
        let fits = |name: &str, dash: bool| {
            let mut letters = name.chars();
            letters.next().is_some_and(letter)
                && letters.all(|c| letter(c) || c.is_ascii_digit() || (dash && c == '-'))
                && name.len() <= 100
        };
        if fits(org, false) && fits(app, true) {
            Ok(Self { org: org.to_owned(), app: app.to_owned() })
        } else {
            Err(NotAnApp(format!("{org}/{app}")))
        }
    }

    /// The organisation's short name.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.org
    }

    /// The app's name within its organisation.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.app
    }
}

fn letter(c: char) -> bool {
    c.is_ascii_lowercase() || matches!(c, 'æ' | 'ø' | 'å')
}

impl FromStr for AppId {
    type Err = NotAnApp;

    fn from_str(text: &str) -> Result<Self, NotAnApp> {
        let (org, app) = text.split_once('/').ok_or_else(|| NotAnApp(text.to_owned()))?;
        Self::new(org, app)
    }
}

impl TryFrom<String> for AppId {
    type Error = NotAnApp;

    fn try_from(text: String) -> Result<Self, NotAnApp> {
        text.parse()
    }
}

impl From<AppId> for String {
    fn from(id: AppId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.org, self.app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_apps() {
        for text in ["ttd/demo", "a1/b-2", "brønnøy/skjema"] {
            assert_eq!(text.parse::<AppId>().unwrap().to_string(), text);
        }
        for text in [
            "", "ttd", "ttd/", "/demo", "Ttd/demo", "ttd/-x", "t-d/x", "ttd/..", "ttd/a/b",
            "ttd/a b",
        ] {
            assert!(text.parse::<AppId>().is_err(), "{text}");
        }
    }
}
