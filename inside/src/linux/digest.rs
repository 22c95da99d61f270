//! Content, told by its SHA-256.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// In hexadecimal.
pub(super) fn of(contents: &[u8]) -> String {
    Sha256::digest(contents).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
