//! The only place that writes to standard output and standard error. Results go to the one, all else to the other.

use std::io::{BufRead as _, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use super::args::{Color, Global, Output, Progress};
use super::style::Style;
use crate::config::env::{Environment, Variable};

/// How often a tree is drawn, per second.
const DRAWN: u8 = 10;

/// Writes. A reader that goes away (`| head`) is no error: the rest is dropped and [`Printer::is_closed`] says so.
#[derive(Debug)]
pub struct Printer {
    output: Output,
    progress: Progress,
    quiet: bool,
    verbose: u8,
    asks: bool,
    stdout: Style,
    stderr: Style,
    closed: AtomicBool,
}

impl Printer {
    /// Decides form, colours and progress once.
    #[must_use]
    pub fn new(global: &Global, environment: &Environment, streams: bool) -> Self {
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let dumb = environment.get(Variable::Term) == Some("dumb");
        let ci = environment.is_on(Variable::Ci);
        let plain = dumb || ci || environment.get(Variable::NoColor).is_some();
        let style = |terminal: bool| match global.color {
            Color::Always => Style::colored(),
            Color::Auto if terminal && !plain => Style::colored(),
            _ => Style::plain(),
        };
        let output = match (global.json, global.output.unwrap_or_default()) {
            (true, _) | (_, Output::Json) if streams => Output::Ndjson,
            (true, _) => Output::Json,
            (_, output) => output,
        };
        let progress = match global.progress {
            Progress::Auto if output == Output::Ndjson => Progress::Json,
            Progress::Auto if global.quiet => Progress::None,
            Progress::Auto if err && !dumb && !ci => Progress::Tty,
            Progress::Auto => Progress::Plain,
            named => named,
        };
        let json = matches!(output, Output::Json | Output::Ndjson);
        Self {
            output,
            progress,
            quiet: global.quiet,
            verbose: global.verbose,
            asks: !global.no_input && !ci && !json && err && std::io::stdin().is_terminal(),
            stdout: if json { Style::plain() } else { style(out) },
            stderr: style(err),
            closed: AtomicBool::new(false),
        }
    }

    /// The form of the result.
    #[must_use]
    pub const fn output(&self) -> Output {
        self.output
    }

    /// Whether the result is JSON of either form.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        matches!(self.output, Output::Json | Output::Ndjson)
    }

    /// How progress is shown; never `Auto`.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// How many `-v` were given.
    #[must_use]
    pub const fn verbose(&self) -> u8 {
        self.verbose
    }

    /// Colours of standard output.
    #[must_use]
    pub const fn stdout(&self) -> Style {
        self.stdout
    }

    /// Colours of standard error.
    #[must_use]
    pub const fn stderr(&self) -> Style {
        self.stderr
    }

    /// Whether the reader of standard output is gone, so that going on is of no use.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// A line of the result.
    pub fn line(&self, text: impl AsRef<str>) {
        self.write(&mut std::io::stdout().lock(), text.as_ref());
    }

    /// The result as JSON: indented when it is one document, in one line when it is one of many.
    pub fn json(&self, value: &impl Serialize) {
        let text = match self.output {
            Output::Ndjson => serde_json::to_string(value),
            _ => serde_json::to_string_pretty(value),
        };
        // Plain data of ours always has a JSON form.
        self.line(text.unwrap_or_default());
    }

    /// A line about the work, dropped with `-q`.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// A line about the work that is always shown.
    pub fn error(&self, text: impl AsRef<str>) {
        // Nobody could be told that standard error is gone.
        let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
    }

    /// Asks on the terminal; none when there is nobody to ask.
    #[must_use]
    pub fn ask(&self, question: &str) -> Option<String> {
        if !self.asks {
            return None;
        }
        let mut err = std::io::stderr().lock();
        write!(err, "{question} ").and_then(|()| err.flush()).ok()?;
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer).ok()?;
        (read > 0).then(|| answer.trim().to_owned())
    }

    /// Where a tree of progress is drawn.
    pub(super) fn canvas() -> MultiProgress {
        MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWN))
    }

    fn write(&self, stream: &mut impl Write, text: &str) {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let written = write!(stream, "{text}{end}").and_then(|()| stream.flush());
        if written.is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }
}
/// Where the agent's log goes: its standard error is a file.
pub(super) fn log() -> std::io::Stderr {
    std::io::stderr()
}
