//! YAML with one set of rules and one kind of error: strict booleans (`no` is a text, not `false`), no duplicate
//! keys, and faults that show the line. The only module that knows which YAML library is used.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_saphyr::Error;

use crate::model::{Code, Diagnostic, Report, Severity};

/// Reads a document. `file` is what the user calls the text; `code` is the fault of whoever wrote it.
///
/// A report carries one diagnostic with line and column, and the excerpt with a caret as its tail.
pub fn read<T: DeserializeOwned>(code: Code, file: &str, text: &str) -> Result<T, Report> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| told(code, file, text, &error))
}

/// Writes a value so that every YAML reader reads the same.
pub fn write(value: &impl Serialize) -> Result<String, Report> {
    serde_saphyr::to_string(value)
        .map_err(|error| Report::bug("a value of ours has no YAML form", &error))
}

/// A fault at a known place, in the same form as those of [`read`].
#[must_use]
pub fn fault(
    code: Code,
    file: &str,
    text: &str,
    (line, column): (u32, u32),
    message: &str,
) -> Report {
    let place = match (line, column) {
        (0, _) => file.to_owned(),
        (line, 0) => format!("{file}:{line}"),
        (line, column) => format!("{file}:{line}:{column}"),
    };
    let short = format!("`{file}` is not valid: {message}");
    let report = if short.chars().count() <= 80 {
        Report::new(code, short)
    } else {
        Report::new(code, format!("`{file}` is not valid")).why(message)
    };
    report.at(place).with_tail(excerpt(text, line, column)).with_diagnostics(vec![Diagnostic {
        file: file.to_owned(),
        line: line.max(1),
        column,
        code: String::new(),
        severity: Severity::Error,
        message: message.to_owned(),
    }])
}

fn told(code: Code, file: &str, text: &str, error: &Error) -> Report {
    let error = error.without_snippet();
    let number = |value: u64| u32::try_from(value).unwrap_or(0);
    let place = error
        .location()
        .map_or((0, 0), |location| (number(location.line()), number(location.column())));
    let (message, suggestion) = words(error);
    let report = fault(code, file, text, place, &message);
    match suggestion {
        Some((meant, description)) => report.fix(meant, description),
        None => report,
    }
}

/// What is wrong in our own words, and what may have been meant.
fn words(error: &Error) -> (String, Option<(String, String)>) {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            (format!("unknown key `{field}`"), Some(meant(field, expected, "key")))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => (
            format!("`{variant}` is not among the possible words"),
            Some(meant(variant, expected, "word")),
        ),
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            (format!("expected {expected}, found {unexpected}"), None)
        }
        Error::SerdeMissingField { field, .. } => (format!("the key `{field}` is missing"), None),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            (format!("the key `{key}` is there twice"), None)
        }
        Error::Message { msg, .. } => (msg.clone(), None),
        Error::Unexpected { expected, .. } => (format!("expected {}", plain(expected)), None),
        Error::MultipleDocuments { .. } => ("only one document is possible".to_owned(), None),
        other => (without_place(&other.to_string()), None),
    }
}

/// A suggestion: the nearest word when one is near, else all of them.
fn meant(given: &str, expected: &[&str], kind: &str) -> (String, String) {
    let near = expected
        .iter()
        .map(|word| (strsim::jaro_winkler(given, word), word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, word)) => ((*word).to_owned(), format!("did you mean this {kind}?")),
        None if expected.is_empty() => (String::new(), format!("no {kind} is possible here")),
        None => (expected.join(", "), format!("each {kind} that is possible here")),
    }
}

/// The library names parser events; users know lists and mappings.
fn plain(expected: &str) -> &str {
    match expected {
        "sequence start" => "a list",
        "mapping start" => "a mapping of keys and values",
        other => other,
    }
}

/// The library's own text ends with the place, which we tell on its own.
fn without_place(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let end = first.find(" at line ").unwrap_or(first.len());
    let start = first[..end].strip_prefix("error: ").map_or(0, |_| "error: ".len());
    first[start..end].trim_end_matches(['.', ',']).to_owned()
}

/// The line with its number, one line before it, and a caret under the column.
fn excerpt(text: &str, line: u32, column: u32) -> Vec<String> {
    let Some(place) = (line as usize).checked_sub(1) else {
        return Vec::new();
    };
    let mut shown: Vec<String> = text
        .lines()
        .enumerate()
        .skip(place.saturating_sub(1))
        .take(place.min(1) + 1)
        .map(|(number, text)| format!("{:>4} | {text}", number + 1))
        .collect();
    if column > 0 {
        let indent = " ".repeat(column as usize - 1);
        shown.push(format!("     | {indent}^"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn words_stay_words() {
        let value: Value =
            read(Code::ValuesBroken, "v", "a: no\nb: on\nc: true\nd: 1.10\n").unwrap();
        assert_eq!(value["a"], "no");
        assert_eq!(value["b"], "on");
        assert_eq!(value["c"], true);
    }

    #[test]
    fn what_is_written_reads_back() {
        let value = serde_json::json!({"a": "no", "b": "1.10", "n": "x: y", "e": ""});
        let text = write(&value).unwrap();
        assert_eq!(read::<Value>(Code::Bug, "v", &text).unwrap(), value);
    }

    #[test]
    fn broken_yaml_shows_its_line() {
        let report =
            read::<Value>(Code::ValuesBroken, "v.yaml", "a: 1\nb: [1,\nc: 2\n").unwrap_err();
        assert_eq!(report.code, Code::ValuesBroken);
        assert!(report.diagnostics[0].line >= 2, "{report:?}");
        assert!(!report.tail.is_empty());
    }
}
