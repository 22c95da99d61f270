//! Asking Register who a number belongs to (`platform-api.md` §2.1 "parties/lookup").

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use serde_json::{Value, json};

use super::fault::Fault;
use super::peer::Peer;
use super::token::bearer;

/// A number that names a party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    /// Eleven digits.
    Person(String),
    /// Nine digits.
    Organisation(String),
}

impl Number {
    /// A person's number; `None` when it cannot be one.
    #[must_use]
    pub fn person(text: &str) -> Option<Self> {
        digits(text, 11).map(Self::Person)
    }

    /// An organisation's number; `None` when it cannot be one.
    #[must_use]
    pub fn organisation(text: &str) -> Option<Self> {
        digits(text, 9).map(Self::Organisation)
    }
}

fn digits(text: &str, count: usize) -> Option<String> {
    let text = text.trim();
    (text.len() == count && text.bytes().all(|c| c.is_ascii_digit())).then(|| text.to_owned())
}

/// The party of a number, asked with the caller's own token; `None` when Register knows none.
pub async fn party(
    platform: &Peer,
    caller: &HeaderMap,
    number: &Number,
) -> Result<Option<i64>, Fault> {
    let body = match number {
        Number::Person(number) => json!({ "ssn": number }),
        Number::Organisation(number) => json!({ "orgNo": number }),
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let token = bearer::token(caller).and_then(|token| format!("Bearer {token}").parse().ok());
    if let Some(token) = token {
        headers.insert(AUTHORIZATION, token);
    }
    let path = "/register/api/v1/parties/lookup";
    let body = Bytes::from(body.to_string());
    let reply = platform.ask(Method::POST, path, headers, body).await?;
    match reply.status {
        StatusCode::NOT_FOUND => Ok(None),
        status if status.is_success() => {
            Ok(reply.json::<Value>()?.get("partyId").and_then(Value::as_i64))
        }
        status => Err(Fault::unavailable("Register", status)),
    }
}
