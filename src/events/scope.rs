//! The handle a running step gets: it can tell, but not decide.

use super::{EventKind, Journal};

/// Tells on behalf of one step.
#[derive(Debug, Clone)]
pub struct StepScope {
    journal: Journal,
    step: String,
}

impl StepScope {
    /// A scope for the step with this id.
    #[must_use]
    pub fn new(journal: Journal, step: impl Into<String>) -> Self {
        Self { journal, step: step.into() }
    }

    /// The step's id.
    #[must_use]
    pub fn step(&self) -> &str {
        &self.step
    }

    /// Tells what the step is about to do or waits for, in a few words.
    pub fn detail(&self, detail: impl Into<String>) {
        let detail = detail.into();
        self.journal.emit(EventKind::StepProgress { step: self.step.clone(), detail });
    }

    /// Passes on one line of output, without its control characters.
    pub fn log(&self, line: &str) {
        let line = clean(line);
        self.journal.emit(EventKind::Log { source: self.step.clone(), line });
    }
}

/// The longest line that is passed on, in characters.
const LONGEST: usize = 4096;

/// Removes control characters and escape sequences from text that others wrote: a log line is data, and must
/// not move the cursor or set the title of somebody's terminal.
#[must_use]
pub(crate) fn clean(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().take(LONGEST).peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\t' => text.push_str("    "),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text
}

/// Skips the rest of an escape sequence: `[ … letter` or `] … BEL`.
fn skip_escape(characters: &mut std::iter::Peekable<impl Iterator<Item = char>>) {
    match characters.next() {
        Some('[') => {
            for c in characters.by_ref() {
                if ('@'..='~').contains(&c) {
                    break;
                }
            }
        }
        Some(']' | 'P') => {
            while let Some(c) = characters.next() {
                let ends = c == '\u{7}' || (c == '\u{1b}' && characters.peek() == Some(&'\\'));
                if ends {
                    if c == '\u{1b}' {
                        characters.next();
                    }
                    break;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_escapes_go() {
        for (given, cleaned) in [
            ("plain", "plain"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]0;title\u{1b}\\after", "after"),
            ("a\tb\r\n", "a    b"),
            ("æøå", "æøå"),
            ("cut\u{1b}", "cut"),
        ] {
            assert_eq!(clean(given), cleaned, "{given:?}");
        }
    }
}
