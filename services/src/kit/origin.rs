//! Where the caller stands: links in answers are absolute and lead back the way the request came, through the
//! router or straight to the container (`platform-api.md` §1.2, §5.3).

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;

use super::fault::Fault;

/// Scheme and authority by which the caller reached this service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: &'static str,
    authority: Authority,
}

impl Origin {
    /// Reads `X-Forwarded-Proto` and `X-Forwarded-Host` (first value of each), else `Host`.
    pub fn read(headers: &HeaderMap, authority: Option<&Authority>) -> Result<Self, Fault> {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .and_then(|value| value.split(',').next())
                .map(str::trim)
                .filter(|value| !value.is_empty())
        };
        let scheme = match text("x-forwarded-proto") {
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
            _ => "http",
        };
        let host = text("x-forwarded-host")
            .or_else(|| text(HOST.as_str()))
            .or_else(|| authority.map(Authority::as_str))
            .unwrap_or("localhost");
        // What is echoed into links must be a host and a port, nothing else.
        let authority = host
            .parse::<Authority>()
            .ok()
            .filter(|host| !host.as_str().contains('@') && !host.host().is_empty())
            .ok_or_else(|| Fault::invalid("Host", "The host is not valid."))?;
        Ok(Self { scheme, authority })
    }

    /// The absolute link to a path that begins with `/`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.authority)
    }

    /// The host without its port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// Whether the caller's connection is said to be encrypted.
    #[must_use]
    pub fn secure(&self) -> bool {
        self.scheme == "https"
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        Self::read(&parts.headers, parts.uri.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    #[test]
    fn links_lead_back() {
        for (headers, url) in [
            (
                &[("host", "platform.altinn.localhost:8800")][..],
                "http://platform.altinn.localhost:8800/x",
            ),
            (&[("host", "platform:5010")], "http://platform:5010/x"),
            (
                &[
                    ("host", "inner"),
                    ("x-forwarded-host", "outer:1, other"),
                    ("x-forwarded-proto", "HTTPS"),
                ],
                "https://outer:1/x",
            ),
            (&[("host", "[::1]:80")], "http://[::1]:80/x"),
            (&[("host", "a"), ("x-forwarded-proto", "javascript")], "http://a/x"),
            (&[], "http://localhost/x"),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| {
                    (HeaderName::from_static(name), HeaderValue::from_static(value))
                })
                .collect();
            assert_eq!(Origin::read(&map, None).unwrap().url("/x"), url);
        }
        for host in ["user@host", "a b", "a/b", "a\"><script>"] {
            let mut map = HeaderMap::new();
            map.insert(HOST, HeaderValue::from_str(host).unwrap());
            assert_eq!(Origin::read(&map, None).unwrap_err().status(), 400, "{host}");
        }
    }
}
