//! Shows a [`Report`]: on a terminal in a fixed anatomy, and as JSON.

use std::path::{Component, Path};

use serde_json::{Map, Value, json};

use super::style::Style;
use crate::events::clean;
use crate::model::{Diagnostic, Label, Report, Severity};

/// How many findings are shown; the rest is counted.
const SHOWN: usize = 10;

/// The longest source file that is read for an excerpt, in bytes.
const LONGEST_SOURCE: u64 = 2 << 20;

/// How a report is shown.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// Colours.
    pub style: Style,
    /// Whether to show the chain of causes.
    pub causes: bool,
    /// Where paths of findings begin: the app's root, for excerpts.
    pub root: Option<&'a Path>,
}

/// The report as text, lines without a last line break.
#[must_use]
pub fn render(report: &Report, manner: Manner<'_>) -> String {
    let style = manner.style;
    let mut lines = vec![format!(
        "{} {}",
        style.red(&format!("error[{}]", report.code)),
        style.bold(&clean(&report.title))
    )];
    // A tail shows the place already; a second excerpt would repeat it.
    let root = manner.root.filter(|_| report.tail.is_empty());
    lines.extend(diagnostics(report, Manner { root, ..manner }));
    lines.extend(report.tail.iter().map(|line| style.dim(&format!("  │ {}", clean(line)))));
    lines.extend(labelled(report, manner));
    lines.join("\n")
}

/// The findings with their excerpts, two spaces in.
#[must_use]
pub fn diagnostics(report: &Report, manner: Manner<'_>) -> Vec<String> {
    // Warnings are worth the place only when nothing worse is there.
    let errors = report.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    let mut chosen: Vec<&Diagnostic> = errors.collect();
    if chosen.is_empty() {
        chosen = report.diagnostics.iter().collect();
    }
    let hidden = chosen.len().saturating_sub(SHOWN);
    let mut lines: Vec<String> =
        chosen.into_iter().take(SHOWN).flat_map(|found| diagnostic(found, manner)).collect();
    if hidden > 0 {
        lines.push(format!("  … and {hidden} more"));
    }
    lines
}

fn diagnostic(found: &Diagnostic, manner: Manner<'_>) -> Vec<String> {
    let style = manner.style;
    let mut place = format!("{}:{}", clean(&found.file), found.line);
    if found.column > 0 {
        place = format!("{place}:{}", found.column);
    }
    let code = if found.code.is_empty() { String::new() } else { format!("{}  ", found.code) };
    let mut lines =
        vec![format!("  {}  {}{}", style.cyan(&place), clean(&code), clean(&found.message))];
    let Some(source) = manner.root.and_then(|root| source_line(root, found)) else {
        return lines;
    };
    let number = found.line.to_string();
    lines.push(format!("    {:>4} | {}", number, clean(&source)));
    if found.column > 0 {
        lines.push(format!("    {:>4} | {}", "", style.red(&caret(&source, found.column))));
    }
    lines
}

/// Marks the word that begins at a column, in the text as it is shown: a tab is four spaces there.
fn caret(source: &str, column: u32) -> String {
    let column = column as usize - 1;
    let before: usize = source.chars().take(column).map(|c| if c == '\t' { 4 } else { 1 }).sum();
    let word = source.chars().skip(column).take_while(|c| c.is_alphanumeric() || *c == '_').count();
    format!("{}{}", " ".repeat(before), "^".repeat(word.max(1)))
}

/// The line that a finding is about. The file's name comes from a compiler that ran what somebody wrote, so it may
/// not lead out of the app's folder.
fn source_line(root: &Path, found: &Diagnostic) -> Option<String> {
    let relative = Path::new(&found.file);
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let path = root.join(relative).canonicalize().ok()?;
    let metadata = path.metadata().ok()?;
    let inside = path.starts_with(root.canonicalize().ok()?);
    if !inside || !metadata.is_file() || metadata.len() > LONGEST_SOURCE {
        return None;
    }
    let text = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().nth((found.line as usize).checked_sub(1)?)?;
    Some(line.trim_start_matches('\u{feff}').trim_end().to_owned())
}

/// Labelled lines, their texts in one column.
fn labelled(report: &Report, manner: Manner<'_>) -> Vec<String> {
    let style = manner.style;
    let told = |without: bool| {
        let labels =
            report.labels.iter().filter(move |(label, _)| (*label == Label::Without) == without);
        labels.map(|(label, text)| (word(*label), cleaned(text)))
    };
    let mut rows: Vec<(&str, String)> = told(false).collect();
    let widest = report.fixes.iter().map(|fix| fix.command.chars().count()).max().unwrap_or(0);
    for (place, fix) in report.fixes.iter().enumerate() {
        let label = if place == 0 { "fix" } else { "" };
        let gap = widest - fix.command.chars().count();
        let command = style.cyan(&clean(&fix.command));
        let text = format!("{command}{}   {}", " ".repeat(gap), cleaned(&fix.description));
        rows.push((label, text.trim_end().to_owned()));
    }
    rows.extend(told(true));
    if manner.causes {
        rows.extend(report.causes.iter().map(|cause| ("cause", cleaned(cause))));
    }
    rows.push(("more", format!("altinn-local explain {}", report.code)));
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (label, text) in rows {
        // A text of several lines keeps its column.
        for (place, line) in text.lines().enumerate() {
            let label = if place == 0 { label } else { "" };
            let padded = style.dim(&format!("{label:width$}"));
            lines.push(format!("  {padded}  {line}").trim_end().to_owned());
        }
    }
    lines
}

/// A text of others, line by line without its control characters.
fn cleaned(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

const fn word(label: Label) -> &'static str {
    match label {
        Label::Who => "who",
        Label::Where => "where",
        Label::Why => "why",
        Label::Tried => "tried",
        Label::Missing => "missing",
        Label::Without => "without",
    }
}

/// The report as `altinn-local/error/1`.
#[must_use]
pub fn to_json(report: &Report, command: &str) -> Value {
    let mut labels = Map::new();
    for (label, text) in &report.labels {
        match labels.get_mut(word(*label)) {
            Some(Value::String(before)) => *before = format!("{before}\n{text}"),
            _ => {
                labels.insert(word(*label).to_owned(), Value::String(text.clone()));
            }
        }
    }
    json!({
        "schema": "altinn-local/error/1",
        "type": "error",
        "ok": false,
        "command": command,
        "exitCode": report.exit() as u8,
        "error": {
            "code": report.code,
            "title": report.title,
            "message": report.to_string(),
            "labels": labels,
            "fixes": report.fixes,
            "diagnostics": report.diagnostics,
            "tail": report.tail,
            "causes": report.causes,
            "docs": format!("altinn-local explain {}", report.code),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Code;

    const PLAIN: Manner<'_> = Manner { style: Style::plain(), causes: false, root: None };

    fn port() -> Report {
        Report::new(Code::PortTaken, "port 8800 is in use")
            .label(Label::Who, "dotnet, pid 4242 (kari)  — ~/other/App")
            .why("the router serves Studio and all apps there")
            .fix("altinn-local up --port auto", "use 8801 and remember it for this stack")
            .fix("kill 4242", "or stop the other program")
    }

    #[test]
    fn a_fault_with_fixes() {
        insta::assert_snapshot!(render(&port(), PLAIN), @r"
        error[AL1203] port 8800 is in use
          who   dotnet, pid 4242 (kari)  — ~/other/App
          why   the router serves Studio and all apps there
          fix   altinn-local up --port auto   use 8801 and remember it for this stack
                kill 4242                     or stop the other program
          more  altinn-local explain AL1203
        ");
    }

    #[test]
    fn labels_align_and_causes_come_with_v() {
        let report = Report::new(Code::PartsMissing, "2 of 14 images are not on this machine")
            .label(Label::Without, "--only platform would start now")
            .label(Label::Missing, "designer (412 MB)\nkind-node (380 MB)")
            .fix("altinn-local images pull", "")
            .with_tail(vec!["first".to_owned(), "\u{1b}[2Jlast".to_owned()])
            .caused_by(&std::io::Error::other("connection refused"));
        let manner = Manner { causes: true, ..PLAIN };
        insta::assert_snapshot!(render(&report, manner), @r"
        error[AL1402] 2 of 14 images are not on this machine
          │ first
          │ last
          missing  designer (412 MB)
                   kind-node (380 MB)
          fix      altinn-local images pull
          without  --only platform would start now
          cause    connection refused
          more     altinn-local explain AL1402
        ");
    }

    #[test]
    fn findings_show_their_source() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("App/logic")).unwrap();
        let source = format!("{}\t\treturn totl * rate;\r\n", "\n".repeat(40));
        std::fs::write(folder.path().join("App/logic/Calc.cs"), source).unwrap();
        let found = |file: &str, severity| Diagnostic {
            file: file.to_owned(),
            line: 41,
            column: 10,
            code: "CS0103".to_owned(),
            severity,
            message: "The name 'totl' does not exist in the current context".to_owned(),
        };
        let report =
            Report::new(Code::CompileFailed, "the app does not compile").with_diagnostics(vec![
                found("App/logic/Calc.cs", Severity::Error),
                found("App/logic/Calc.cs", Severity::Warning),
                found("../../etc/passwd", Severity::Error),
            ]);
        let manner = Manner { root: Some(folder.path()), ..PLAIN };
        insta::assert_snapshot!(render(&report, manner), @r"
        error[AL3102] the app does not compile
          App/logic/Calc.cs:41:10  CS0103  The name 'totl' does not exist in the current context
              41 |         return totl * rate;
                 |                ^^^^
          ../../etc/passwd:41:10  CS0103  The name 'totl' does not exist in the current context
          more  altinn-local explain AL3102
        ");
    }

    #[test]
    fn json_has_the_same_in_a_fixed_shape() {
        insta::assert_json_snapshot!(to_json(&port(), "up"), @r#"
        {
          "schema": "altinn-local/error/1",
          "type": "error",
          "ok": false,
          "command": "up",
          "exitCode": 10,
          "error": {
            "code": "AL1203",
            "title": "port 8800 is in use",
            "message": "AL1203: port 8800 is in use",
            "labels": {
              "who": "dotnet, pid 4242 (kari)  — ~/other/App",
              "why": "the router serves Studio and all apps there"
            },
            "fixes": [
              {
                "command": "altinn-local up --port auto",
                "description": "use 8801 and remember it for this stack"
              },
              {
                "command": "kill 4242",
                "description": "or stop the other program"
              }
            ],
            "diagnostics": [],
            "tail": [],
            "causes": [],
            "docs": "altinn-local explain AL1203"
          }
        }
        "#);
    }

    #[test]
    fn colours_do_not_change_the_text() {
        let manner = Manner { style: Style::colored(), ..PLAIN };
        let colored = render(&port(), manner);
        assert!(colored.contains('\u{1b}'));
        let bare: Vec<String> = colored.lines().map(clean).collect();
        assert_eq!(bare.join("\n"), render(&port(), PLAIN));
    }
}
