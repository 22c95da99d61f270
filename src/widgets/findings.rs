//! What Vite's lines tell of the source that it serves.

use std::path::Path;

use crate::model::{Diagnostic, Severity};
use crate::sys::walk;

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Something was saved, and is on its way to pages.
    Changed,
    /// What was saved cannot be served.
    Broken(Diagnostic),
}

/// Reads lines as they come. A fault takes several: what is wrong in the first, where in one that follows.
#[derive(Debug, Default)]
pub(super) struct Findings {
    message: Option<String>,
    /// The last fault is in code, which no change of a style mends.
    in_code: bool,
}

impl Findings {
    /// Takes one line into account. Places are told relative to `base` where they are in it.
    pub(super) fn hear(&mut self, line: &str, base: &Path) -> Option<Heard> {
        if let Some((_, told)) = line.split_once("[vite]") {
            if let Some((_, changed)) = told.split_once("hmr update ") {
                let styles = changed.split(", ").all(is_style);
                return (!styles || !self.in_code).then(|| self.changed());
            }
            if told.contains("page reload ") {
                return Some(self.changed());
            }
            let (_, message) = told.split_once("rror: ")?;
            // The file and the place in it are told once more, on a line of their own.
            let message = match message.split_once(": ") {
                Some((file, message)) if file.starts_with('/') => message,
                _ => message,
            };
            let place = |text: &str| text.ends_with(')') && text.contains(':');
            let message = match message.rsplit_once(" (") {
                Some((message, after)) if place(after) => message,
                _ => message,
            };
            self.message = Some(message.to_owned());
            return None;
        }
        let (file, column) = line.trim_start().strip_prefix("File: ")?.rsplit_once(':')?;
        let (file, number) = file.rsplit_once(':')?;
        let message = self.message.take()?;
        let file = file.split('?').next().unwrap_or(file);
        self.in_code = !is_style(file);
        let file = Path::new(file);
        Some(Heard::Broken(Diagnostic {
            file: walk::path_text(file.strip_prefix(base).unwrap_or(file)),
            line: number.parse().ok()?,
            column: column.parse().ok()?,
            code: String::new(),
            severity: Severity::Error,
            message,
        }))
    }

    fn changed(&mut self) -> Heard {
        *self = Self::default();
        Heard::Changed
    }
}

/// `/src/a.css`, `/src/a.css (x2)`.
fn is_style(path: &str) -> bool {
    let path = path.split([' ', '?']).next().unwrap_or(path);
    [".css", ".scss", ".sass", ".less"].iter().any(|end| path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(lines: &[&str]) -> Vec<String> {
        let mut findings = Findings::default();
        let heard = lines.iter().filter_map(|line| findings.hear(line, Path::new("/app")));
        let told = heard.map(|heard| match heard {
            Heard::Changed => "changed".to_owned(),
            Heard::Broken(Diagnostic { file, line, column, message, .. }) => {
                format!("{file}:{line}:{column} {message}")
            }
        });
        told.collect()
    }

    #[test]
    fn faults_and_changes_are_read_from_the_lines_of_vite() {
        let table: [(&[&str], &[&str]); 7] = [
            (
                &[
                    "4:00:27 PM [vite] (client) hmr update /src/Widget.tsx",
                    "4:00:28 PM [vite] Internal server error: /app/widgets/a/src/Widget.tsx: Unexpected token, expected \"...\" (29:14)",
                    "> 29 |       <legend{text}</legend>",
                    "  Plugin: vite:react-babel",
                    "  File: /app/widgets/a/src/Widget.tsx:29:14",
                    "      at constructor (/app/widgets/a/node_modules/x.js:369:19)",
                    "4:00:28 PM [vite] (client) hmr update /src/Widget.tsx",
                ],
                &[
                    "changed",
                    "widgets/a/src/Widget.tsx:29:14 Unexpected token, expected \"...\"",
                    "changed",
                ],
            ),
            (
                &[
                    "4:00:30 PM [vite] (client) Pre-transform error: Failed to resolve import \"./no\" from \"src/main.ts\". Does the file exist?",
                    "  File: /other/src/main.ts?t=1:16:7",
                ],
                &[
                    "/other/src/main.ts:16:7 Failed to resolve import \"./no\" from \"src/main.ts\". Does the file exist?",
                ],
            ),
            (
                &[
                    "[vite] Internal server error: odd",
                    "  File: /app/src/a.ts:1:2",
                    "[vite] (client) hmr update /src/a.css",
                    "[vite] (client) hmr update /src/a.tsx, /src/a.css",
                    "[vite] (client) hmr update /src/a.css (x2)",
                ],
                &["src/a.ts:1:2 odd", "changed", "changed"],
            ),
            (
                &[
                    "[vite] Internal server error: odd",
                    "  File: /app/src/a.css:1:2",
                    "[vite] (client) hmr update /src/a.css",
                ],
                &["src/a.css:1:2 odd", "changed"],
            ),
            (&["4:00:30 PM [vite] page reload src/main.ts"], &["changed"]),
            (&["  File: /app/src/main.ts:16:7"], &[]),
            (&["10:00 [vite] Internal server error: odd", "  File: a", "  File: b:c:d"], &[]),
        ];
        for (lines, told) in table {
            assert_eq!(hear(lines), told, "{lines:?}");
        }
    }
}
