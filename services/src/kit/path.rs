//! Paths as ASP.NET matches them: fixed words in any case, one trailing slash more or less is the same route.
//!
//! The router behind compares bytes; [`Paths::find`] gives it the spelling of the template.

use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::fault::Fault;

/// A number, guid or name from a path; 400 as ASP.NET's binding when it is none.
pub fn value<T: FromStr>(name: &str, text: &str) -> Result<T, Fault> {
    text.parse().map_err(|_| Fault::invalid(name, format!("The value '{text}' is not valid.")))
}

/// The templates of all routes, such as `/profile/api/v1/users/{userId}`.
#[derive(Debug, Default)]
pub struct Paths {
    templates: Vec<Template>,
}

#[derive(Debug)]
struct Template {
    text: String,
    words: Vec<Word>,
}

#[derive(Debug)]
enum Word {
    Fixed(String),
    Any,
}

/// A path that fits a template.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The template, as metrics name the route.
    pub template: &'a str,
    /// The path in the template's spelling.
    pub path: String,
}

/// A path that no client writes by mistake: dot segments, hidden slashes, bytes that are no text.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

impl Paths {
    /// Adds a template once.
    pub fn add(&mut self, text: &str) {
        if self.templates.iter().any(|template| template.text == text) {
            return;
        }
        let words = text
            .split('/')
            .skip(1)
            .map(
                |word| {
                    if word.starts_with('{') { Word::Any } else { Word::Fixed(word.to_owned()) }
                },
            )
            .collect();
        self.templates.push(Template { text: text.to_owned(), words });
        // The more fixed words come first, the earlier is a template tried: `/users/current` before `/users/{userId}`.
        self.templates.sort_by_key(|template| {
            template.words.iter().map(|word| matches!(word, Word::Any)).collect::<Vec<_>>()
        });
    }

    /// Whether some route begins with the same word.
    #[must_use]
    pub fn begins(&self, path: &str) -> bool {
        let first = path.split('/').nth(1).unwrap_or_default();
        self.templates.iter().any(|template| match template.words.first() {
            Some(Word::Fixed(fixed)) => fixed.eq_ignore_ascii_case(first),
            _ => false,
        })
    }

    /// The route of a path, if there is one.
    pub fn find(&self, path: &str) -> Result<Option<Found<'_>>, Malformed> {
        let segments = segments(path)?;
        Ok(self.templates.iter().find_map(|template| template.fit(&segments)))
    }
}

fn segments(path: &str) -> Result<Vec<&str>, Malformed> {
    let path = path.strip_prefix('/').ok_or(Malformed)?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<&str> = path.split('/').collect();
    for segment in &segments {
        let text = percent_decode_str(segment).decode_utf8().map_err(|_| Malformed)?;
        let hidden = |c: char| matches!(c, '/' | '\\') || c.is_control();
        if matches!(text.as_ref(), "." | "..") || text.contains(hidden) {
            return Err(Malformed);
        }
    }
    Ok(segments)
}

impl Template {
    fn fit(&self, segments: &[&str]) -> Option<Found<'_>> {
        if self.words.len() != segments.len() {
            return None;
        }
        let mut path = String::with_capacity(self.text.len() + 32);
        for (word, segment) in self.words.iter().zip(segments) {
            path.push('/');
            match word {
                Word::Any if !segment.is_empty() => path.push_str(segment),
                Word::Fixed(fixed) if fixed.eq_ignore_ascii_case(segment) => path.push_str(fixed),
                _ => return None,
            }
        }
        Some(Found { template: &self.text, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> Paths {
        let mut paths = Paths::default();
        for text in ["/", "/a/{x}", "/a/current", "/Home/GetTestUserToken/{userId}", "/a/{x}/b"] {
            paths.add(text);
        }
        paths
    }

    #[test]
    fn any_case_and_a_trailing_slash() {
        let paths = paths();
        for (path, found) in [
            ("/", Some("/")),
            ("/a/7", Some("/a/7")),
            ("/A/7/", Some("/a/7")),
            ("/a/CURRENT", Some("/a/current")),
            ("/home/gettestusertoken/1337", Some("/Home/GetTestUserToken/1337")),
            ("/a/x%20y/B", Some("/a/x%20y/b")),
            ("/a", None),
            ("/a//b", None),
            ("/a/7//", None),
            ("/b/7", None),
        ] {
            let got = paths.find(path).unwrap().map(|found| found.path);
            assert_eq!(got.as_deref(), found, "{path}");
        }
        assert_eq!(paths.find("/a/current").unwrap().unwrap().template, "/a/current");
    }

    #[test]
    fn tricks_are_refused() {
        for path in
            ["/a/..", "/a/%2e%2E", "/a/%2f", "/a/x%5Cy", "/a/%00", "/a/%ff", "a", "/a/%0d%0a"]
        {
            assert_eq!(paths().find(path), Err(Malformed), "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text in ".{0,100}") {
            let _ = paths().find(&text);
        }
    }
}
