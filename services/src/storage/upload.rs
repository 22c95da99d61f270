//! Bodies of data elements on their way in: raw or the first part of a form, streamed to the blob store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::RequestExt;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::blobs::Upload;
use super::model::{DataElement, FileScanResult};
use crate::kit::body::broken;
use crate::kit::fault::Fault;

/// The scanner takes this long; there is none, so a scan that was asked for ends well after a moment.
const SCAN: SignedDuration = SignedDuration::from_secs(1);
/// What every virus scanner takes for a virus: how to try out infected files.
const EICAR: &[u8] = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!";

/// What came in beside the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) content_type: Option<String>,
    pub(crate) filename: Option<String>,
    pub(crate) infected: bool,
}

/// Streams a request's body to the blob store; an upload that breaks off, or that is `empty`, is abandoned.
pub(crate) async fn receive(
    request: Request,
    mut upload: Upload,
    empty: Fault,
) -> Result<(Told, Upload), Fault> {
    let fault = match take(request, &mut upload).await {
        Ok(told) if upload.size() > 0 => return Ok((told, upload)),
        Ok(_) => empty,
        Err(fault) => fault,
    };
    upload.abandon().await;
    Err(fault)
}

async fn take(request: Request, upload: &mut Upload) -> Result<Told, Fault> {
    let headers = request.headers();
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    let form = kind
        .as_deref()
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/"));
    if form {
        return take_form(request, upload).await;
    }
    let mut told = Told { content_type: kind, filename: filename(headers), infected: false };
    let mut bytes = request.into_limited_body().into_data_stream();
    while let Some(piece) = bytes.next().await {
        push(upload, &mut told, &piece.map_err(|error| broken(&error))?).await?;
    }
    Ok(told)
}

async fn take_form(request: Request, upload: &mut Upload) -> Result<Told, Fault> {
    let bad = |text: String| Fault::words(StatusCode::BAD_REQUEST, text);
    let mut form =
        Multipart::from_request(request, &()).await.map_err(|fault| bad(fault.body_text()))?;
    let mut part = match form.next_field().await {
        Ok(Some(part)) => part,
        Ok(None) => return Err(bad("No data section found in the multipart body".to_owned())),
        Err(error) => return Err(bad(error.body_text())),
    };
    let kind = part.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let mut told = Told {
        content_type: kind.map(str::to_owned),
        filename: filename(part.headers()),
        infected: false,
    };
    loop {
        match part.chunk().await {
            Ok(Some(piece)) => push(upload, &mut told, &piece).await?,
            Ok(None) => return Ok(told),
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(Fault::problem(error.status(), "The body is too large."));
            }
            Err(error) => return Err(bad(error.body_text())),
        }
    }
}

async fn push(upload: &mut Upload, told: &mut Told, piece: &Bytes) -> Result<(), Fault> {
    if upload.size() == 0 {
        told.infected = piece.starts_with(EICAR);
    }
    upload.push(piece).await
}

/// The name in `Content-Disposition`; the one for all alphabets first.
pub(crate) fn filename(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_DISPOSITION)?;
    // Clients write other alphabets bare, too.
    let text = String::from_utf8_lossy(text.as_bytes()).into_owned();
    let find = |wanted: &str| {
        parameters(&text).find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|found| found.1)
    };
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let name = find("filename*")
        .and_then(|text| Some(decode(text.splitn(3, '\'').nth(2)?)))
        .or_else(|| find("filename").map(|text| decode(&text)))?;
    // Only the name: browsers of old sent whole paths.
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The parameters of a header such as `attachment; a=b; c="d;e"`.
fn parameters(text: &str) -> impl Iterator<Item = (&str, String)> {
    let mut rest = text.split_once(';').map_or("", |(_, rest)| rest);
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let value = if let Some(quoted) = after.strip_prefix('"') {
            let mut value = String::new();
            let mut letters = quoted.char_indices();
            let mut end = quoted.len();
            while let Some((at, letter)) = letters.next() {
                // Browsers of old wrote paths without escaping their backslashes.
                let escaped = letters.clone().next().map(|(_, next)| next);
                match (letter, escaped) {
                    ('\\', Some(next @ ('"' | '\\'))) => {
                        letters.next();
                        value.push(next);
                    }
                    ('"', _) => {
                        end = at + 1;
                        break;
                    }
                    (letter, _) => value.push(letter),
                }
            }
            rest = quoted[end..].split_once(';').map_or("", |(_, rest)| rest);
            value
        } else {
            let (value, after) = after.split_once(';').unwrap_or((after, ""));
            rest = after;
            value.trim().to_owned()
        };
        Some((name.trim(), value))
    })
}

/// Puts down what the scanner would say by now.
pub(crate) fn scan(element: &mut DataElement) {
    let old = element.last_changed.is_none_or(|date| date.age() > SCAN);
    if element.file_scan_result == FileScanResult::Pending && old {
        element.file_scan_result = FileScanResult::Clean;
    }
}

/// Who writes the bytes and the document of one element does both before the next one does.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<Uuid, Weak<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits for the element's turn.
    pub(crate) async fn wait(&self, id: Uuid) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            if let Some(turn) = turns.get(&id).and_then(Weak::upgrade) {
                turn
            } else {
                let turn = Arc::<tokio::sync::Mutex<()>>::default();
                turns.insert(id, Arc::downgrade(&turn));
                turn
            }
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn named(text: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_bytes(text.as_bytes()).unwrap());
        filename(&headers)
    }

    #[test]
    fn names_of_files() {
        for (text, name) in [
            ("attachment; filename=a.pdf", Some("a.pdf")),
            ("attachment; filename=\"a b.pdf\"", Some("a b.pdf")),
            ("attachment; filename=x; filename*=UTF-8''%C3%A6.pdf", Some("æ.pdf")),
            ("form-data; name=\"f\"; FileName=\"q\\\"uote;.txt\"; x=y", Some("q\"uote;.txt")),
            ("attachment; filename=b%20c.txt", Some("b c.txt")),
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"C:\\\\x\\\\y.txt\"", Some("y.txt")),
            ("attachment; filename=æ.txt", Some("æ.txt")),
            ("attachment", None),
            ("attachment; filename=", None),
            ("attachment; filename=\"", None),
            (";;;==;\"", None),
        ] {
            assert_eq!(named(text).as_deref(), name, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text in "[ -~æøå]{0,80}") {
            let name = named(&text);
            proptest::prop_assert!(name.is_none_or(|name| !name.contains('/') && !name.contains('\\')));
        }
    }
}
