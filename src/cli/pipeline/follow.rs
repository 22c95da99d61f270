//! Waits for a run: prints what its steps write as it comes, and tells the end as an exit code.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::wire::{Build, Issue, Record, Timeline, Wire};
use crate::cli::logs::clock;
use crate::cli::printer::Printer;
use crate::cli::style::Style;
use crate::events::clean;
use crate::model::{Code, Definition, Diagnostic, Report, Severity};

/// Between two looks at a run.
pub(super) const BETWEEN: Duration = Duration::from_millis(300);

/// What is shown of a run while it is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Shown {
    /// Each line that its steps write.
    Lines,
    /// The steps' names.
    Steps,
}

/// Shows a run until it ends, or nobody reads any more.
pub(super) async fn follow(
    wire: &Wire,
    printer: &Printer,
    run: i64,
    shown: Shown,
) -> Result<Build, Report> {
    let (mut reader, mut screen) = (Reader::new(wire, run), Screen::new(printer, run));
    loop {
        // The state first: what was written before the end is then read below.
        let build = wire.build(run).await?;
        match shown {
            Shown::Lines => screen.lines(&reader.new_lines().await?),
            Shown::Steps => {
                reader.step().await?.iter().for_each(|step| screen.step(step));
            }
        }
        if build.is_completed() || printer.is_closed() {
            return Ok(build);
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

/// Prints what runs write.
pub(super) struct Screen<'a> {
    printer: &'a Printer,
    run: i64,
    /// The step that was named last.
    step: Option<String>,
}

impl<'a> Screen<'a> {
    pub(super) const fn new(printer: &'a Printer, run: i64) -> Self {
        Self { printer, run, step: None }
    }

    pub(super) fn lines(&mut self, lines: &[Written]) {
        for Written { step, line } in lines {
            if self.printer.is_json() {
                let run = self.run;
                let line = json!({"type": "log", "run": run, "source": step, "line": line});
                self.printer.json(&line);
                continue;
            }
            self.step(step);
            if let Some(line) = shown(line, self.printer.stdout(), &TimeZone::system()) {
                self.printer.line(line);
            }
        }
    }

    /// Names a step when it is another one than before.
    fn step(&mut self, name: &str) {
        if self.step.as_deref() != Some(name) {
            self.step = Some(name.to_owned());
            self.printer.note(format!("▸ {}", clean(name)));
        }
    }
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) step: String,
    pub(super) line: String,
}

/// Reads the logs of one run, each line once.
pub(super) struct Reader<'a> {
    wire: &'a Wire,
    run: i64,
    /// How many lines of each log were read.
    read: BTreeMap<i64, u64>,
    /// Logs of steps that had ended when they were read.
    whole: BTreeSet<i64>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(wire: &'a Wire, run: i64) -> Self {
        Self { wire, run, read: BTreeMap::new(), whole: BTreeSet::new() }
    }

    /// The step that began last.
    async fn step(&self) -> Result<Option<String>, Report> {
        let (_, timeline) = self.wire.timeline(self.run).await?;
        let began = |task: &&Record| task.state.as_deref().is_some_and(|state| state != "pending");
        let last = timeline.tasks().into_iter().rfind(began);
        Ok(last.and_then(|task| task.name.clone()))
    }

    /// What was written since the last look.
    pub(super) async fn new_lines(&mut self) -> Result<Vec<Written>, Report> {
        let (_, timeline) = self.wire.timeline(self.run).await?;
        let mut sources = sources(&timeline);
        if sources.is_empty() {
            let all = self.wire.logs(self.run).await?;
            sources.extend(all.into_iter().map(|log| Source::of(log.id)));
        }
        let mut written = Vec::new();
        for Source { log, step, is_whole } in sources {
            if self.whole.contains(&log) {
                continue;
            }
            let read = self.read.get(&log).copied().unwrap_or(0);
            let lines = self.wire.lines(self.run, log, read + 1).await?;
            self.read.insert(log, read + lines.len() as u64);
            if is_whole {
                self.whole.insert(log);
            }
            written.extend(lines.into_iter().map(|line| Written { step: step.clone(), line }));
        }
        Ok(written)
    }
}

/// A line with the time of day in the place of its stamp, which is a moment in full, and with a colour in the place of
/// its mark. That a step begins or ends is told otherwise.
fn shown(line: &str, style: Style, zone: &TimeZone) -> Option<String> {
    let (stamp, text) = line.split_once(' ').unwrap_or((line, ""));
    let (time, text) = match stamp.parse() {
        Ok(moment) => (format!("{}  ", style.dim(&clock(moment, zone))), clean(text)),
        Err(_) => (String::new(), clean(line)),
    };
    let marked = text.strip_prefix("##[").and_then(|rest| rest.split_once(']'));
    match marked {
        Some(("section", _)) => None,
        Some(("error", text)) => Some(format!("{time}{}", style.red(text))),
        Some(("warning", text)) => Some(format!("{time}{}", style.yellow(text))),
        _ => Some(format!("{time}{text}")),
    }
}

/// A log to read.
#[derive(Debug, PartialEq, Eq)]
struct Source {
    log: i64,
    step: String,
    /// Whether nothing more will be written.
    is_whole: bool,
}

impl Source {
    fn of(log: i64) -> Self {
        Self { log, step: format!("log {log}"), is_whole: false }
    }
}

/// The logs of the steps that began, in order. A job's own log would repeat them.
fn sources(timeline: &Timeline) -> Vec<Source> {
    let tasks = timeline.tasks().into_iter();
    let source = |task: &Record| {
        let step = task.name.clone().unwrap_or_default();
        let is_whole = task.state.as_deref() == Some("completed");
        Some(Source { log: task.log.as_ref()?.id, step, is_whole })
    };
    tasks.filter_map(source).collect()
}

/// The fault of a run that did not succeed.
pub(in crate::cli) async fn verdict(wire: &Wire, build: &Build) -> Result<(), Report> {
    let result = build.result().unwrap_or("succeeded");
    if matches!(result, "succeeded" | "none") {
        return Ok(());
    }
    let id = build.id;
    if result == "canceled" {
        return Err(Report::new(Code::Cancelled, format!("run {id} was cancelled"))
            .fix(format!("altinn-local pipeline rerun {id}"), "queue it again"));
    }
    let (_, timeline) = wire.timeline(id).await?;
    let title: String = format!("run {id} failed: {}", build.headline()).chars().take(80).collect();
    let report = told(Report::new(code(build.definition()), title), &timeline);
    let is_told = |why: &String| report.tail.iter().any(|line| line.contains(why.as_str()));
    let rest: Vec<String> = build.reasons().into_iter().filter(|why| !is_told(why)).collect();
    Err(rest
        .into_iter()
        .fold(report, Report::why)
        .fix(format!("altinn-local pipeline logs {id}"), "what it wrote")
        .fix(format!("altinn-local pipeline rerun {id} -f"), "try it again"))
}

const fn code(definition: Option<Definition>) -> Code {
    match definition {
        Some(Definition::GitOps | Definition::Decommission) => Code::RunDeployFailed,
        _ => Code::RunBuildFailed,
    }
}

/// The faults of the steps: with a place as findings, else as the last lines.
fn told(report: Report, timeline: &Timeline) -> Report {
    let errors = || timeline.issues().filter(|issue| issue.kind == "error");
    let findings: Vec<Diagnostic> = errors().filter_map(diagnostic).collect();
    let rest = errors().filter(|issue| diagnostic(issue).is_none());
    let rest = rest.flat_map(|issue| issue.message.lines()).map(clean).collect();
    report.with_diagnostics(findings).with_tail(rest)
}

fn diagnostic(issue: &Issue) -> Option<Diagnostic> {
    let number = |name: &str| {
        let value = &issue.data[name];
        let text = value.as_str().and_then(|text| text.parse().ok());
        text.or_else(|| value.as_u64().and_then(|number| u32::try_from(number).ok()))
    };
    let code = issue.data["code"].as_str().unwrap_or_default();
    // The wire says the code in both places.
    let message = issue.message.strip_prefix(code).unwrap_or(&issue.message);
    Some(Diagnostic {
        file: issue.data["sourcepath"].as_str().filter(|path| !path.is_empty())?.to_owned(),
        line: number("linenumber")?,
        column: number("columnnumber").unwrap_or(0),
        code: code.to_owned(),
        severity: Severity::Error,
        message: message.trim_start_matches(": ").to_owned(),
    })
}

/// The last document of a stream of JSON.
pub(in crate::cli) fn result(build: &Build) -> Value {
    json!({"type": "result", "build": build.wire})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(records: &Value) -> Timeline {
        serde_json::from_value(json!({ "records": records })).unwrap()
    }

    #[test]
    fn the_logs_of_steps_come_in_their_order_and_a_jobs_own_is_left_out() {
        let records = json!([
            {"type": "Job", "name": "Job", "log": {"id": 1}},
            {"type": "Task", "name": "build", "order": 2, "log": {"id": 2}, "state": "inProgress"},
            {"type": "Task", "name": "clone", "order": 1, "log": {"id": 3}, "issues": null,
                "state": "completed"},
            {"type": "Task", "name": "deploy", "order": 3, "log": null},
        ]);
        let source = |log, step: &str, is_whole| Source { log, step: step.to_owned(), is_whole };
        let found = sources(&timeline(&records));
        assert_eq!(found, [source(3, "clone", true), source(2, "build", false)]);
    }

    #[test]
    fn lines_are_shown_with_the_time_of_day() {
        let shown = |line| shown(line, Style::plain(), &TimeZone::UTC);
        for (line, told) in [
            ("2026-01-01T14:02:20.1234567Z Step\u{1b}[1m 1/9", Some("14:02:20  Step 1/9")),
            ("2026-01-01T14:02:20.1234567Z ", Some("14:02:20  ")),
            ("2026-01-01T14:02:20Z ##[error]no ;", Some("14:02:20  no ;")),
            ("2026-01-01T14:02:20Z ##[section]Starting: Clone", None),
            ("##[other] thing", Some("##[other] thing")),
            ("no stamp", Some("no stamp")),
        ] {
            assert_eq!(shown(line).as_deref(), told, "{line}");
        }
    }

    #[test]
    fn faults_with_a_place_are_findings() {
        let records = json!([{"type": "Task", "issues": [
            {"type": "warning", "message": "old"},
            {"type": "error", "message": "CS1002: no ;", "data": {"sourcepath": "App/A.cs",
                "linenumber": "3", "columnnumber": 7, "code": "CS1002"}},
            {"type": "error", "message": "the app does not compile\nsee above"},
        ]}]);
        let report = told(Report::new(Code::RunBuildFailed, "x"), &timeline(&records));
        let found = &report.diagnostics[0];
        assert_eq!((found.file.as_str(), found.line, found.column), ("App/A.cs", 3, 7));
        assert_eq!((found.code.as_str(), found.message.as_str()), ("CS1002", "no ;"));
        assert_eq!(report.diagnostics.len(), 1);
        assert_eq!(report.tail, ["the app does not compile", "see above"]);
    }
}
