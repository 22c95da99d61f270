//! Strings as answers. ASP.NET writes them bare, or quoted when the caller asks for JSON; only the front knows what
//! the caller asked for.

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};

/// A string answered as ASP.NET does.
#[derive(Debug, Clone)]
pub struct Words(pub String);

impl IntoResponse for Words {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

/// Puts the string of [`Words`] into its answer, in the form that the request's `Accept` wants.
pub(super) fn write(response: Response, request: Option<&HeaderValue>) -> Response {
    let Some(Words(text)) = response.extensions().get::<Words>().cloned() else { return response };
    let (mut head, _) = response.into_parts();
    let (kind, body) = if wants_json(request) {
        ("application/json; charset=utf-8", serde_json::Value::String(text).to_string())
    } else {
        ("text/plain; charset=utf-8", text)
    };
    // The router counted the body when it was still empty.
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Response::from_parts(head, Body::from(body))
}

/// Whether JSON stands before plain text in `Accept`; browsers and callers without one get plain text.
fn wants_json(accept: Option<&HeaderValue>) -> bool {
    let Some(accept) = accept.and_then(|value| value.to_str().ok()) else { return false };
    for kind in accept.split(',').filter_map(|part| part.split(';').next()).map(str::trim) {
        if kind.eq_ignore_ascii_case("application/json") || kind.eq_ignore_ascii_case("text/json") {
            return true;
        }
        if kind == "*/*" || kind.to_ascii_lowercase().starts_with("text/") {
            return false;
        }
    }
    false
}

/// The header that [`write`] judges by.
pub(super) fn accept(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(ACCEPT).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_only_for_those_who_ask() {
        for (accept, json) in [
            (None, false),
            (Some("*/*"), false),
            (Some("application/json"), true),
            (Some("application/json; charset=utf-8, */*"), true),
            (Some("application/xml, application/json"), true),
            (Some("text/html,application/json"), false),
            (Some("garbage;;;,,"), false),
        ] {
            let value = accept.map(HeaderValue::from_static);
            assert_eq!(wants_json(value.as_ref()), json, "{accept:?}");
        }
    }
}
