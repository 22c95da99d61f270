//! How a fault is told: one shape for the terminal, JSON, the event stream and the exit code.
//!
//! Every fallible function above `sys` returns a [`Report`]: a fault's code, its reason and what to
//! type are decided where the fault is understood, not where it is printed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Code, Exit};

/// A labelled line under the headline. The set is closed so that readers learn it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Label {
    /// Who holds or did it: a process, a container.
    Who,
    /// A file with line and column, or a resource.
    Where,
    /// The reason.
    Why,
    /// What was tried before giving up.
    Tried,
    /// What is not there.
    Missing,
    /// What works without it.
    Without,
}

/// Something to type, best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// A command or a setting, ready to paste.
    pub command: String,
    /// What it does, in a few words.
    pub description: String,
}

/// How bad a finding of a compiler or linter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The build fails by it.
    Error,
    /// The build goes on.
    Warning,
}

/// One finding in a file of the app: from the C# compiler, a Dockerfile, YAML or JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Path relative to the app's root, with forward slashes.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1; 0 when unknown.
    pub column: u32,
    /// As `CS0103`; empty when the source gives none.
    pub code: String,
    /// Error or warning.
    pub severity: Severity,
    /// The message, one line.
    pub message: String,
}

/// A fault, told in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The family and number, which also decide the exit code.
    pub code: Code,
    /// What happened: lower case, no full stop, at most 80 characters.
    pub title: String,
    /// Labelled lines, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<(Label, String)>,
    /// What to type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
    /// Findings with file and line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
    /// The last lines of a log or a program's output that show the fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
    /// The chain of underlying errors, outermost first; shown with `-v`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

impl Report {
    /// A report with a headline alone.
    #[must_use]
    pub fn new(code: Code, title: impl Into<String>) -> Self {
        Self {
            code,
            title: title.into(),
            labels: Vec::new(),
            fixes: Vec::new(),
            diagnostics: Vec::new(),
            tail: Vec::new(),
            causes: Vec::new(),
        }
    }

    /// A fault of ours: what should not be possible happened.
    #[must_use]
    pub fn bug(title: impl Into<String>, cause: &dyn std::error::Error) -> Self {
        Self::new(Code::Bug, title).caused_by(cause)
    }

    /// Adds a labelled line.
    #[must_use]
    pub fn label(mut self, label: Label, text: impl Into<String>) -> Self {
        self.labels.push((label, text.into()));
        self
    }

    /// Adds the reason.
    #[must_use]
    pub fn why(self, text: impl Into<String>) -> Self {
        self.label(Label::Why, text)
    }

    /// Adds where it is.
    #[must_use]
    pub fn at(self, text: impl Into<String>) -> Self {
        self.label(Label::Where, text)
    }

    /// Adds something to type.
    #[must_use]
    pub fn fix(mut self, command: impl Into<String>, description: impl Into<String>) -> Self {
        self.fixes.push(Fix { command: command.into(), description: description.into() });
        self
    }

    /// Adds findings with file and line.
    #[must_use]
    pub fn with_diagnostics(mut self, diagnostics: Vec<Diagnostic>) -> Self {
        self.diagnostics = diagnostics;
        self
    }

    /// Adds the last lines of a log.
    #[must_use]
    pub fn with_tail(mut self, tail: Vec<String>) -> Self {
        self.tail = tail;
        self
    }

    /// Adds an error and its sources as causes.
    #[must_use]
    pub fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            self.causes.push(cause.to_string());
            next = cause.source();
        }
        self
    }

    /// The exit code of a command that ends with this report.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.code.exit()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.title)
    }
}

impl std::error::Error for Report {}
