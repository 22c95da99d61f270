//! Makes of a failed build what a developer can act on: findings of the compiler with file, line and column in the
//! repository, faults of the Dockerfile with their line, missing base images by name.

use std::collections::VecDeque;

use super::arguments::broken;
use crate::model::{Code, Diagnostic, Label, Report, Severity};
use crate::sys::docker::BuildOutput;

/// How many of the last lines a report shows.
const TAIL: usize = 20;
/// How many findings a report shows; a missing brace makes hundreds.
const SHOWN: usize = 50;

/// What is known of a build beside what it tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    /// The context's files relative to the app's root.
    pub(super) paths: &'a [String],
    /// The Dockerfile among them.
    pub(super) dockerfile: &'a str,
    /// Files that were not sent because they look like secrets.
    pub(super) withheld: &'a [String],
    /// Names of base images.
    pub(super) bases: &'a [String],
}

/// Listens to a build and keeps what explains its failure.
#[derive(Debug, Default)]
pub(super) struct Listener {
    step: String,
    text: String,
    findings: Vec<Diagnostic>,
    tail: VecDeque<String>,
}

/// The report on a compilation that ended badly, from its lines.
pub(super) fn explain_lines(lines: &[String], paths: &[String]) -> Report {
    let mut listener = Listener::default();
    for line in lines {
        listener.hear(&BuildOutput::Log(line.clone()));
    }
    listener.explain(&Seen { paths, dockerfile: "", withheld: &[], bases: &[] })
}

impl Listener {
    /// Hears one thing that the build tells.
    pub(super) fn hear(&mut self, output: &BuildOutput) {
        match output {
            BuildOutput::Step(_) | BuildOutput::Cached(_) => {}
            BuildOutput::Log(line) => {
                if let Some(found) = finding(line)
                    && !self.findings.contains(&found)
                {
                    self.findings.push(found);
                }
                self.tail.push_back(line.clone());
                if self.tail.len() > TAIL {
                    self.tail.pop_front();
                }
            }
            BuildOutput::Error { step, text } => {
                // Steps that ran beside the failing one are cancelled with it, and may tell first.
                if self.step.is_empty() && !text.ends_with("context canceled") {
                    self.step.clone_from(step);
                }
                self.text.clone_from(text);
            }
        }
    }

    /// The report on the failure of a build of this context from these base images.
    pub(super) fn explain(self, seen: &Seen) -> Report {
        let report = self
            .base_image_missing(seen.bases)
            .or_else(|| self.dockerfile_broken(seen))
            .or_else(|| self.findings_made(seen.paths))
            .unwrap_or_else(|| self.step_failed());
        report.with_tail(self.tail.into())
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|found| found.severity == severity).count()
    }

    fn findings_made(&self, paths: &[String]) -> Option<Report> {
        let errors = self.findings.iter().filter(|found| found.severity == Severity::Error);
        let errors: Vec<Diagnostic> =
            errors.take(SHOWN).map(|found| in_repository(found, paths)).collect();
        let (code, title) = match errors.as_slice() {
            [] => return None,
            // NuGet's numbers begin with NU.
            errors if errors.iter().all(|error| error.code.starts_with("NU")) => {
                (Code::BuildFailed, "the app's packages could not be restored")
            }
            _ => (Code::CompileFailed, "the app does not compile"),
        };
        let counted = |count: usize, what: &str| {
            format!("{count} {what}{}", if count == 1 { "" } else { "s" })
        };
        let (failed, warned) = (self.count(Severity::Error), self.count(Severity::Warning));
        let why = format!("{}, {}", counted(failed, "error"), counted(warned, "warning"));
        Some(Report::new(code, title).why(why).with_diagnostics(errors))
    }

    fn base_image_missing(&self, bases: &[String]) -> Option<Report> {
        let frontend = self.step.strip_prefix("resolve image config for docker-image://");
        let image = frontend.or(self.step.strip_prefix("[internal] load metadata for "));
        let image = image.or_else(|| {
            // The classic builder names the image by its argument in the step, and without its tag in the text.
            let named = |base: &&String| self.text.contains(base.split(':').next().unwrap_or(base));
            let starts = self.step.contains(": FROM ");
            bases.iter().filter(|_| starts).find(named).map(String::as_str)
        })?;
        let reason = self.text.rsplit_once(&format!("{image}: "));
        let report = missing_base(image, reason.map_or(self.text.as_str(), |(_, reason)| reason));
        Some(if frontend.is_some() {
            report.fix(
                "remove `# syntax=` from the Dockerfile",
                "build with what the engine itself brings",
            )
        } else {
            report
        })
    }

    fn dockerfile_broken(&self, seen: &Seen) -> Option<Report> {
        if let Some((_, rest)) = self.text.split_once("ockerfile parse error") {
            let (line, message) = rest.split_once(": ").unwrap_or(("", rest));
            let line =
                line.split_whitespace().last().and_then(|line| line.parse().ok()).unwrap_or(1);
            return Some(broken(seen.dockerfile, line, message));
        }
        let path = missing_source(&self.text)?;
        let report = Report::new(
            Code::DockerfileBroken,
            "the Dockerfile copies a file that is not in the build context",
        )
        .at(self.step.clone())
        .label(Label::Missing, path.clone());
        let name = path.trim_start_matches('/');
        if seen.withheld.iter().any(|held| held == name) {
            return Some(
                report.why("its name says that it is a secret; secrets are never sent to a build"),
            );
        }
        let report = report.why("it does not exist, or `.dockerignore` leaves it out");
        Some(report.fix(format!("echo '!{name}' >> .dockerignore"), "let it in, if it exists"))
    }

    fn step_failed(&self) -> Report {
        let report = Report::new(Code::BuildFailed, "the image could not be built");
        let report = if self.step.is_empty() { report } else { report.at(self.step.clone()) };
        report.why(self.text.clone())
    }
}

/// A base image that is not here and cannot be had.
pub(super) fn missing_base(image: &str, why: &str) -> Report {
    Report::new(Code::PartsMissing, "a base image is not on this machine and cannot be fetched")
        .label(Label::Missing, image)
        .why(why)
        .fix(format!("docker pull {image}"), "fetch it, once online")
        .fix(
            "build: {args: {NAME: IMAGE}}",
            "name another one in `altinn-local.yaml`, if it is an `ARG`",
        )
}

/// The source that `COPY` or `ADD` did not find, in either builder's words.
fn missing_source(text: &str) -> Option<String> {
    let quoted = |text: &str| text.rsplit('"').nth(1).map(str::to_owned);
    if text.contains("failed to calculate checksum") || text.contains("failed to compute cache key")
    {
        return text.split_once(": not found").and_then(|(before, _)| quoted(before));
    }
    let (_, rest) = text.split_once("COPY failed: ").or_else(|| text.split_once("ADD failed: "))?;
    let (_, path) = rest.split_once("stat ")?;
    path.split(": ").next().map(str::to_owned)
}

/// A finding as `MSBuild` and the C# compiler print it:
/// `path(line,column): error CS0103: message [project]`, or without a place: `path : error NU1101: message [project]`.
fn finding(line: &str) -> Option<Diagnostic> {
    let (severity, (origin, rest)) = [(Severity::Error, "error "), (Severity::Warning, "warning ")]
        .into_iter()
        .find_map(|(severity, word)| Some((severity, split_at_word(line, word)?)))?;
    let (code, message) = rest.split_once(':')?;
    let is_code = code.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && code.starts_with(|c: char| c.is_ascii_alphabetic())
        && code.ends_with(|c: char| c.is_ascii_digit());
    if !is_code {
        return None;
    }
    let (message, project) = match message.trim().rsplit_once(" [") {
        Some((message, project)) if project.ends_with(']') => {
            (message, project.trim_end_matches(']'))
        }
        _ => (message.trim(), ""),
    };
    let (file, line, column) = place(origin);
    // `CSC : error` and `MSBUILD : error` name no file, but the project.
    let file =
        if matches!(file, "CSC" | "MSBUILD") && !project.is_empty() { project } else { file };
    Some(Diagnostic {
        file: file.replace('\\', "/"),
        line,
        column,
        code: code.to_owned(),
        severity,
        message: message.trim().to_owned(),
    })
}

/// Splits `origin: error rest` and `origin : error rest`.
fn split_at_word<'a>(line: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let at = line.find(&format!(": {word}"))?;
    let (origin, rest) = (line[..at].trim(), &line[at + 2 + word.len()..]);
    // Builds of several projects at once number their lines: `  1>path`.
    let origin = match origin.split_once('>') {
        Some((number, origin)) if number.bytes().all(|byte| byte.is_ascii_digit()) => origin,
        _ => origin,
    };
    (!origin.is_empty()).then_some((origin, rest))
}

/// `path(line,column)`, `path(line)`, `path(line,column,line,column)` or a path alone.
fn place(origin: &str) -> (&str, u32, u32) {
    let numbers = |inside: &str| {
        let mut numbers = inside.split(',').map(|number| number.parse::<u32>().ok());
        let line = numbers.next()??;
        Some((line, numbers.next().flatten().unwrap_or(0)))
    };
    let found = origin.strip_suffix(')').and_then(|text| text.rsplit_once('('));
    match found.and_then(|(path, inside)| Some((path, numbers(inside)?))) {
        Some((path, (line, column))) => (path, line, column),
        None => (origin, 1, 0),
    }
}

/// The finding with the container's path put back to the repository's: the file that shares the longest end with
/// it. A path of the container's own (a package's file) stays as it is.
fn in_repository(found: &Diagnostic, paths: &[String]) -> Diagnostic {
    let parts: Vec<&str> =
        found.file.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let ends_with = |path: &&String, end: &str| {
        path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    let file = (0..parts.len()).find_map(|from| {
        let end = parts[from..].join("/");
        paths.iter().filter(|path| ends_with(path, &end)).min_by_key(|path| path.len())
    });
    Diagnostic { file: file.unwrap_or(&found.file).clone(), ..found.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(step: &str, text: &str, log: &str) -> Listener {
        let mut listener = Listener::default();
        log.lines().for_each(|line| listener.hear(&BuildOutput::Log(line.to_owned())));
        listener.hear(&BuildOutput::Error { step: step.to_owned(), text: text.to_owned() });
        listener
    }

    fn explained(listener: Listener, withheld: &[String]) -> Report {
        listener.explain(&Seen {
            paths: &paths(),
            dockerfile: "Dockerfile",
            withheld,
            bases: &["nope:1".to_owned()],
        })
    }

    fn paths() -> Vec<String> {
        ["App/App.csproj", "App/Program.cs", "App/logic/Calc.cs", "App/other/Calc.cs", "Dockerfile"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn findings_of_compilers_are_read() {
        for (line, expected) in [
            (
                "/App/logic/Calc.cs(41,17): error CS0103: The name 'totl' does not exist [/App/App.csproj]",
                Some(("App/logic/Calc.cs", 41, 17, "CS0103", "The name 'totl' does not exist")),
            ),
            (
                "logic/Calc.cs(7,1,7,9): warning CS0168: unused [/src/App.csproj]",
                Some(("App/logic/Calc.cs", 7, 1, "CS0168", "unused")),
            ),
            (
                "/src/other/Calc.cs(1,2): error CS1002: ; expected [/src/App.csproj]",
                Some(("App/other/Calc.cs", 1, 2, "CS1002", "; expected")),
            ),
            (
                "/App/App.csproj : error NU1101: Unable to find package X. No packages exist with this id",
                Some((
                    "App/App.csproj",
                    1,
                    0,
                    "NU1101",
                    "Unable to find package X. No packages exist with this id",
                )),
            ),
            (
                "CSC : error CS5001: Program does not contain a static 'Main' method [/App/App.csproj]",
                Some((
                    "App/App.csproj",
                    1,
                    0,
                    "CS5001",
                    "Program does not contain a static 'Main' method",
                )),
            ),
            (
                "MSBUILD : error MSB1009: Project file does not exist.",
                Some(("MSBUILD", 1, 0, "MSB1009", "Project file does not exist.")),
            ),
            (
                "    12>/App/Program.cs(3,5): error CS1513: } expected [/App/App.csproj]",
                Some(("App/Program.cs", 3, 5, "CS1513", "} expected")),
            ),
            (
                "/usr/share/dotnet/sdk/Microsoft.targets(9,5): error MSB4018: failed [/App/App.csproj]",
                Some(("/usr/share/dotnet/sdk/Microsoft.targets", 9, 5, "MSB4018", "failed")),
            ),
            ("    1 Error(s)", None),
            ("npm: error code E404: not found", None),
            ("  Restore completed in 39 ms for /App/App.csproj.", None),
            ("info: error handling: done", None),
        ] {
            let found = finding(line).map(|found| in_repository(&found, &paths()));
            let found = found.as_ref().map(|found| {
                (
                    found.file.as_str(),
                    found.line,
                    found.column,
                    found.code.as_str(),
                    found.message.as_str(),
                )
            });
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn a_broken_app_is_told_by_its_errors() {
        let log = "Microsoft (R) Build Engine version 16.4.0+e901037fe for .NET Core\n\n\
            logic/Calc.cs(31,27): error CS0103: The name 'totl' does not exist in the current context [/App/App.csproj]\n\
            logic/Calc.cs(31,49): warning CS0168: The variable 'x' is declared but never used [/App/App.csproj]\n\
            logic/Calc.cs(31,27): error CS0103: The name 'totl' does not exist in the current context [/App/App.csproj]\n";
        let step = "[build 6/6] RUN dotnet publish";
        let text =
            "process \"/bin/sh -c dotnet publish\" did not complete successfully: exit code: 1";
        let report = explained(listener(step, text, log), &[]);
        assert_eq!(report.code, Code::CompileFailed);
        assert_eq!(report.labels, [(Label::Why, "1 error, 1 warning".to_owned())]);
        assert_eq!(report.diagnostics.len(), 1);
        assert_eq!(report.diagnostics[0].file, "App/logic/Calc.cs");
        assert_eq!(report.tail.len(), 5);
    }

    #[test]
    fn failures_of_both_builders_are_told_apart() {
        let copy = "failed to compute cache key: failed to calculate checksum of ref 9de6::8a26: \"/nope.txt\": not found";
        let classic_copy = "COPY failed: file not found in build context or excluded by .dockerignore: \
            stat nope.txt: file does not exist";
        let offline = "mcr.microsoft.com/dotnet/sdk:8.0: failed to resolve source metadata for \
            mcr.microsoft.com/dotnet/sdk:8.0: failed to do request: Head \"https://mcr.microsoft.com/v2/\": dial tcp";
        for (step, text, code, label) in [
            (
                "[final 4/4] COPY nope.txt .",
                copy,
                Code::DockerfileBroken,
                (Label::Missing, "/nope.txt"),
            ),
            (
                "Step 4/9 : COPY nope.txt .",
                classic_copy,
                Code::DockerfileBroken,
                (Label::Missing, "nope.txt"),
            ),
            (
                "",
                "dockerfile parse error on line 21: EXPOSE requires at least one argument",
                Code::DockerfileBroken,
                (Label::Where, "Dockerfile:21"),
            ),
            (
                "",
                "Dockerfile parse error line 3: unknown instruction: USERR",
                Code::DockerfileBroken,
                (Label::Where, "Dockerfile:3"),
            ),
            (
                "[internal] load metadata for mcr.microsoft.com/dotnet/sdk:8.0",
                offline,
                Code::PartsMissing,
                (Label::Missing, "mcr.microsoft.com/dotnet/sdk:8.0"),
            ),
            (
                "Step 1/2 : FROM ${BASE} AS build",
                "pull access denied for nope, repository does not exist or may require 'docker login'",
                Code::PartsMissing,
                (Label::Missing, "nope:1"),
            ),
            (
                "resolve image config for docker-image://docker.io/docker/dockerfile:1",
                "failed to do request",
                Code::PartsMissing,
                (Label::Missing, "docker.io/docker/dockerfile:1"),
            ),
            (
                "[build 2/2] RUN false",
                "exit code: 1",
                Code::BuildFailed,
                (Label::Where, "[build 2/2] RUN false"),
            ),
        ] {
            let report = explained(listener(step, text, ""), &[]);
            assert_eq!(report.code, code, "{step} {text}");
            assert!(report.labels.contains(&(label.0, label.1.to_owned())), "{step}: {report:?}");
        }
    }

    #[test]
    fn a_withheld_file_is_not_called_missing() {
        let text = "failed to calculate checksum of ref 9de6::8a26: \"/.env\": not found";
        let report = explained(listener("[final 4/4] COPY .env .", text, ""), &[".env".to_owned()]);
        assert!(report.labels.iter().any(|(_, text)| text.contains("secret")), "{report:?}");
    }

    #[test]
    fn the_failing_step_is_not_one_that_was_cancelled_with_it() {
        let mut listener = listener("[final 2/3] RUN a", "failed: context canceled", "");
        listener.hear(&BuildOutput::Error {
            step: "[build 2/3] RUN b".to_owned(),
            text: "exit code: 1".to_owned(),
        });
        let report = explained(listener, &[]);
        assert_eq!(report.labels[0], (Label::Where, "[build 2/3] RUN b".to_owned()));
    }
}
