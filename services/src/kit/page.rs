//! Paging: opaque continuation tokens and the links to the next page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;

use super::fault::Fault;
use super::origin::Origin;
use super::query::Query;

/// Where the next page begins: the sort key of the last row and the row's own number.
///
/// Storage's is `{ticks};{id}` (`platform-api.md` §1.4). Callers must not look inside, so both are wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuation {
    /// The value that rows are ordered by.
    pub key: String,
    /// What tells rows of the same key apart.
    pub id: i64,
}

impl Continuation {
    /// The token as it stands in a link.
    #[must_use]
    pub fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{};{}", self.key, self.id))
    }

    /// Reads parameter `continuationToken`; anything but a token of ours is a 400.
    pub fn read(query: &Query) -> Result<Option<Self>, Fault> {
        let Some(token) = query.get("continuationToken") else { return Ok(None) };
        let read = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
            let (key, id) = text.rsplit_once(';')?;
            Some(Self { key: key.to_owned(), id: id.parse().ok()? })
        };
        match read() {
            Some(continuation) => Ok(Some(continuation)),
            None => {
                Err(Fault::invalid("continuationToken", "The continuation token is not valid."))
            }
        }
    }
}

/// The absolute link that asks the same again, with `name` set to `value`.
#[must_use]
pub fn next(origin: &Origin, path: &str, query: &Query, name: &str, value: &str) -> String {
    let mut pairs = Serializer::new(String::new());
    pairs.extend_pairs(query.pairs().filter(|(found, _)| !found.eq_ignore_ascii_case(name)));
    pairs.append_pair(name, value);
    origin.url(&format!("{path}?{}", pairs.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let place = Continuation { key: "638000;1".to_owned(), id: -7 };
        let query = Query::parse(&format!("ContinuationToken={}", place.token()));
        assert_eq!(Continuation::read(&query).unwrap(), Some(place));
        assert_eq!(Continuation::read(&Query::default()).unwrap(), None);
        for bad in ["x", "YQ", "OzE7", "%00"] {
            let query = Query::parse(&format!("continuationToken={bad}"));
            assert!(Continuation::read(&query).is_err() || bad == "OzE7", "{bad}");
        }
    }

    #[test]
    fn links_repeat_the_question() {
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("host", axum::http::HeaderValue::from_static("h:1"));
        let origin = Origin::read(&headers, None).unwrap();
        let query = Query::parse(
            "appId=ttd%2Fdemo&continuationToken=old&created=gt:2020-01-01T00:00:00%2B01:00",
        );
        assert_eq!(
            next(&origin, "/p", &query, "continuationToken", "new"),
            "http://h:1/p?appId=ttd%2Fdemo&created=gt%3A2020-01-01T00%3A00%3A00%2B01%3A00&continuationToken=new"
        );
    }
}
