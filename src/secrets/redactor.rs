//! Takes known secrets out of text before it is logged, shown or sent.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::all;
use crate::model::Credentials;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// Shorter values would take ordinary words out of the text.
const SHORTEST: usize = 8;

/// Knows secrets in the forms in which they turn up: as they are, in base64, as part of a URL.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that no form leaves the rest of a longer one behind.
    forms: Vec<String>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} forms)", self.forms.len())
    }
}

impl Redactor {
    /// Knows a stack's credentials, and the administrator's as HTTP's Basic scheme sends them.
    #[must_use]
    pub fn new(credentials: &Credentials) -> Self {
        let mut redactor = Self::default();
        for secret in all(credentials) {
            redactor.add(secret);
        }
        let Credentials { gitea_admin, gitea_admin_password, .. } = credentials;
        redactor.add(&format!("{gitea_admin}:{gitea_admin_password}"));
        redactor
    }

    /// Learns one more secret. Values under eight characters are left out.
    pub fn add(&mut self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        // Without padding, base64 of the same bytes is found with it too.
        self.forms.extend([
            secret.to_owned(),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
            in_url(secret),
        ]);
        self.forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.forms.dedup();
    }

    /// The text with `***` for every secret.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.forms.iter().fold(Cow::Borrowed(text), |text, form| {
            if text.contains(form.as_str()) {
                Cow::Owned(text.replace(form.as_str(), MASK))
            } else {
                text
            }
        })
    }
}

/// Percent-encoded, all but the characters that every encoder leaves (RFC 3986 §2.3).
fn in_url(secret: &str) -> String {
    use std::fmt::Write as _;
    secret.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn every_form_is_found() {
        let mut redactor = Redactor::default();
        redactor.add("s3cret/ord+æ");
        redactor.add("short");
        let base64 = STANDARD.encode("s3cret/ord+æ");
        for (text, expected) in [
            ("x s3cret/ord+æ y s3cret/ord+æ", "x *** y ***".to_owned()),
            ("http://u:s3cret%2Ford%2B%C3%A6@h", "http://u:***@h".to_owned()),
            (base64.as_str(), format!("***{}", "=".repeat(base64.matches('=').count()))),
            ("short and plain", "short and plain".to_owned()),
        ] {
            assert_eq!(redactor.redact(text), expected, "{text}");
        }
    }

    #[test]
    fn credentials_are_known_in_basic_form() {
        let credentials = crate::secrets::generate().unwrap();
        let redactor = Redactor::new(&credentials);
        let login = format!("{}:{}", credentials.gitea_admin, credentials.gitea_admin_password);
        let header = format!("Basic {}", STANDARD.encode(login));
        assert!(redactor.redact(&header).starts_with("Basic ***"));
        for secret in all(&credentials) {
            assert_eq!(redactor.redact(secret), "***");
        }
        assert!(matches!(redactor.redact("nothing here"), Cow::Borrowed(_)));
    }
}
