//! JSON as it is in the field: with a byte order mark, with trailing commas, as .NET reads it.

use serde::de::DeserializeOwned;

use crate::model::{Diagnostic, Severity};

/// Reads the contents of a file; what breaks is told with its place.
pub fn read<T: DeserializeOwned>(bytes: &[u8], file: &str) -> Result<T, Box<Diagnostic>> {
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    serde_json::from_str(&without_trailing_commas(&text)).map_err(|error| {
        let message = error.to_string();
        Box::new(Diagnostic {
            file: file.to_owned(),
            line: u32::try_from(error.line()).unwrap_or(u32::MAX),
            column: u32::try_from(error.column()).unwrap_or(0),
            code: String::new(),
            severity: Severity::Error,
            message: message.split(" at line ").next().unwrap_or(&message).to_owned(),
        })
    })
}

/// Blanks commas that stand before a closing bracket; every other character keeps its place, so that lines and
/// columns of an error stay true.
fn without_trailing_commas(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let (mut comma, mut in_string, mut escaped) = (None, false, false);
    for place in 0..bytes.len() {
        let byte = bytes[place];
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => (in_string, comma) = (true, None),
            b',' => comma = Some(place),
            b']' | b'}' => {
                if let Some(comma) = comma.take() {
                    bytes[comma] = b' ';
                }
            }
            byte if byte.is_ascii_whitespace() => {}
            _ => comma = None,
        }
    }
    // Only ASCII was replaced by ASCII.
    String::from_utf8(bytes).unwrap_or_default()
}
