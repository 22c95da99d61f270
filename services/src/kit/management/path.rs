//! Which paths a fault is for: a template such as `/a/{x}/b` for whole paths, or `/a/**` for it and all below.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A pattern. `{name}` and `*` stand for one word; words compare in any case, as routes do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

impl Pattern {
    /// Whether it covers a path.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let (pattern, below) = match self.0.strip_suffix("/**") {
            Some(pattern) => (pattern, true),
            None => (self.0.trim_end_matches('/'), false),
        };
        let mut words = path.trim_end_matches('/').split('/');
        for wanted in pattern.split('/') {
            let Some(word) = words.next() else { return false };
            let any = wanted == "*" || (wanted.starts_with('{') && wanted.ends_with('}'));
            if !any && !wanted.eq_ignore_ascii_case(word) {
                return false;
            }
        }
        below || words.next().is_none()
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err(format!("the path `{text}` does not begin with `/`"));
        }
        if text.len() > 1000 || text.contains(|c: char| c.is_control() || c == '?' || c == '#') {
            return Err("the path is too long, or not only a path".to_owned());
        }
        if text.trim_end_matches("/**").contains("**") {
            return Err("`**` stands at the end of a path only".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_paths_or_all_below() {
        for (pattern, path, covered) in [
            ("/a/b", "/a/b", true),
            ("/a/b/", "/A/B", true),
            ("/a/b", "/a/b/c", false),
            ("/a/{x}", "/a/7", true),
            ("/a/*", "/a/7/b", false),
            ("/a/**", "/a", true),
            ("/a/**", "/a/b/c", true),
            ("/a/**", "/ab", false),
            ("/**", "/anything", true),
            ("/", "/", true),
            ("/", "/a", false),
        ] {
            let read: Pattern = pattern.parse().unwrap();
            assert_eq!(read.covers(path), covered, "{pattern} {path}");
        }
        for text in ["", "a", "/a?b", "/a/**/b", "/a\n"] {
            assert!(text.parse::<Pattern>().is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text in "/.{0,40}|.{0,10}", path in "/[a-z/]{0,20}") {
            if let Ok(pattern) = text.parse::<Pattern>() {
                let _ = pattern.covers(&path);
            }
        }

        #[test]
        fn a_path_covers_itself_and_what_is_below(path in "(/[a-z0-9]{1,5}){1,4}", below in "(/[a-z]{1,5}){0,3}") {
            proptest::prop_assert!(path.parse::<Pattern>().unwrap().covers(&path));
            let all: Pattern = format!("{path}/**").parse().unwrap();
            let inner = format!("{path}{below}");
            proptest::prop_assert!(all.covers(&inner));
        }
    }
}
