//! The query of a request, as ASP.NET reads it: names in any case, `true` and `True` alike, an empty value is none,
//! unknown names do no harm.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::fault::Fault;

/// All names and values in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what stands after `?`. Broken percent signs stay as they are.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// Every value of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(found, value)| found.eq_ignore_ascii_case(name) && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, value)| found.eq_ignore_ascii_case(name) && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The first value, or the 400 of ASP.NET for a required one.
    pub fn need(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).ok_or_else(|| Fault::invalid(name, format!("The {name} field is required.")))
    }

    /// A truth value.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(value) => Err(not_valid(name, value)),
        }
    }

    /// A number, a guid, or whatever reads itself from text.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, Fault> {
        self.get(name)
            .map(|value| value.trim().parse().map_err(|_| not_valid(name, value)))
            .transpose()
    }

    /// All pairs, for links that repeat the question.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn not_valid(name: &str, value: &str) -> Fault {
    Fault::invalid(name, format!("The value '{value}' is not valid."))
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case() {
        let query = Query::parse("AppId=ttd%2Fdemo&size=5&hard=True&soft=&x=1&X=2&bad=yes&n=a+b");
        assert_eq!(query.get("appid"), Some("ttd/demo"));
        assert_eq!(query.parsed::<u32>("SIZE").unwrap(), Some(5));
        assert_eq!(query.flag("Hard").unwrap(), Some(true));
        assert_eq!(query.flag("soft").unwrap(), None);
        assert_eq!(query.all("x").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(query.get("n"), Some("a b"));
        assert_eq!(query.flag("bad").unwrap_err().status(), 400);
        assert_eq!(query.parsed::<u32>("appId").unwrap_err().status(), 400);
        assert_eq!(query.need("nothing").unwrap_err().status(), 400);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_query(text in ".{0,200}") {
            let query = Query::parse(&text);
            let _ = query.flag("a");
            let _ = query.parsed::<i64>("a");
        }
    }
}
