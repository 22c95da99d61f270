//! Cookies of requests, with ASP.NET's chunks (`platform-api.md` §5.1): a long value is kept as `chunks-2` under its
//! name and in `NameC1`, `NameC2`.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// More chunks than any token needs.
const MOST_CHUNKS: usize = 20;

/// The value of a cookie, put together from its chunks.
#[must_use]
pub fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = single(headers, name)?;
    let Some(count) = value.strip_prefix("chunks-").and_then(|count| count.parse().ok()) else {
        return Some(value.to_owned());
    };
    if count > MOST_CHUNKS {
        return None;
    }
    (1..=count).map(|index| single(headers, &format!("{name}C{index}"))).collect()
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn whole_and_chunked() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; T=chunks-2; TC1=abc"));
        headers
            .append(COOKIE, HeaderValue::from_static("TC2=def; M=chunks-2; MC1=x; H=chunks-999"));
        assert_eq!(read(&headers, "a").as_deref(), Some("1"));
        assert_eq!(read(&headers, "T").as_deref(), Some("abcdef"));
        assert_eq!(read(&headers, "M"), None);
        assert_eq!(read(&headers, "H"), None);
        assert_eq!(read(&headers, "b"), None);
    }
}
