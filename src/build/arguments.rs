//! Reads as much of a Dockerfile as is needed before a build: the arguments it declares, the images it starts from,
//! its stages with their instructions as written, and faults that are plain to see. What the instructions do is told
//! by `landing`.

use crate::model::{Code, Diagnostic, Report, Severity};

const INSTRUCTIONS: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// What a Dockerfile declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// Names of arguments, in order.
    pub args: Vec<String>,
    /// Arguments before the first `FROM`, which image names may use, with their defaults.
    globals: Vec<(String, Option<String>)>,
    /// Image names as written after `FROM` and `COPY --from=`, less the names of earlier stages.
    images: Vec<String>,
    /// In order; the last one is the image.
    pub(super) stages: Vec<Stage>,
}

/// What follows a `FROM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stage {
    /// After `AS`; empty when there is none.
    pub(super) name: String,
    /// After `FROM`, as written.
    pub(super) base: String,
    /// In order, without `FROM` itself.
    pub(super) instructions: Vec<Instruction>,
}

/// An instruction with its continuation lines joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instruction {
    line: u32,
    /// In upper case.
    pub(super) name: String,
    /// All that follows the name.
    pub(super) rest: String,
    /// Whether text of its own follows, as `<<EOF`; it is not kept.
    pub(super) heredoc: bool,
}

impl Dockerfile {
    /// Reads a Dockerfile's text; `file` is its path for messages.
    pub fn parse(text: &str, file: &str) -> Result<Self, Report> {
        let mut found = Self::default();
        let mut stages: Vec<String> = Vec::new();
        for instruction in instructions(text) {
            let Instruction { line, ref name, ref rest, .. } = instruction;
            if !INSTRUCTIONS.contains(&name.as_str()) {
                return Err(broken(
                    file,
                    line,
                    format!("unknown instruction `{}`{}", short(name), similar(name)),
                ));
            }
            if stages.is_empty() && name != "FROM" && name != "ARG" {
                return Err(broken(file, line, format!("`{name}` before the first `FROM`")));
            }
            match name.as_str() {
                "ARG" => found.declare(rest, stages.is_empty()),
                "FROM" => {
                    let (image, stage) =
                        from(rest).ok_or_else(|| broken(file, line, "`FROM` without an image"))?;
                    found.start_from(image, &stages);
                    found.stages.push(Stage {
                        name: stage.clone(),
                        base: image.to_owned(),
                        instructions: Vec::new(),
                    });
                    stages.push(stage);
                    continue;
                }
                "COPY" => {
                    let source =
                        rest.split_whitespace().find_map(|word| word.strip_prefix("--from="));
                    if let Some(image) = source.filter(|image| image.parse::<usize>().is_err()) {
                        found.start_from(image, &stages);
                    }
                }
                _ => {}
            }
            if let Some(stage) = found.stages.last_mut() {
                stage.instructions.push(instruction);
            }
        }
        if stages.is_empty() {
            return Err(broken(file, 1, "there is no `FROM`"));
        }
        Ok(found)
    }

    /// The images that must be there or be pulled, with these arguments put in, each once, in order.
    #[must_use]
    pub fn bases(&self, args: &[(String, String)]) -> Vec<String> {
        let values = self.global_values(args);
        let mut bases = Vec::new();
        for image in &self.images {
            let image = substituted(image, &values);
            if !image.is_empty() && image != "scratch" && !bases.contains(&image) {
                bases.push(image);
            }
        }
        bases
    }

    /// What the arguments before the first `FROM` are, with these given.
    pub(super) fn global_values(&self, args: &[(String, String)]) -> Vec<(String, String)> {
        let mut values: Vec<(String, String)> = Vec::new();
        for (name, default) in &self.globals {
            let given =
                args.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.clone());
            let default = default.as_deref().map(|default| substituted(default, &values));
            values.extend(given.or(default).map(|value| (name.clone(), value)));
        }
        values
    }

    fn declare(&mut self, rest: &str, global: bool) {
        for word in words(rest) {
            let (name, default) = match word.split_once('=') {
                Some((name, default)) => (name, Some(default.trim_matches(['"', '\'']).to_owned())),
                None => (word.as_str(), None),
            };
            if !self.args.iter().any(|known| known == name) {
                self.args.push(name.to_owned());
            }
            if global {
                self.globals.push((name.to_owned(), default));
            }
        }
    }

    fn start_from(&mut self, image: &str, stages: &[String]) {
        if !stages.iter().any(|stage| stage.eq_ignore_ascii_case(image)) {
            self.images.push(image.to_owned());
        }
    }
}

/// The arguments to build with: those offered that the Dockerfile declares, then the user's, which win.
#[must_use]
pub fn plan_args(
    dockerfile: &Dockerfile,
    offered: &[(String, String)],
    user: &[(String, String)],
) -> Vec<(String, String)> {
    let wanted =
        |name: &String| dockerfile.args.contains(name) && !user.iter().any(|(own, _)| own == name);
    let offered = offered.iter().filter(|(name, _)| wanted(name));
    offered.chain(user).cloned().collect()
}

/// A fault in a Dockerfile, with its place.
pub(super) fn broken(file: &str, line: u32, message: impl Into<String>) -> Report {
    let message = message.into();
    Report::new(Code::DockerfileBroken, "the Dockerfile cannot be understood")
        .at(format!("{file}:{line}"))
        .why(message.clone())
        .with_diagnostics(vec![Diagnostic {
            file: file.to_owned(),
            line,
            column: 0,
            code: String::new(),
            severity: Severity::Error,
            message,
        }])
}

fn short(text: &str) -> String {
    text.chars().take(30).collect()
}

fn similar(name: &str) -> String {
    let near = |known: &&&str| strsim::damerau_levenshtein(name, known) <= 2;
    INSTRUCTIONS
        .iter()
        .find(near)
        .map_or_else(String::new, |known| format!("; did you mean `{known}`?"))
}

/// The image and the stage's name of `FROM`; the name is empty when there is none.
fn from(rest: &str) -> Option<(&str, String)> {
    let mut words = rest.split_whitespace().skip_while(|word| word.starts_with("--"));
    let image = words.next()?;
    let named = words.next().is_some_and(|word| word.eq_ignore_ascii_case("as"));
    let stage = words.next().filter(|_| named).unwrap_or_default();
    Some((image, stage.to_owned()))
}

/// Splits at spaces outside quotes.
pub(super) fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in text.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => {
                words.push(std::mem::take(&mut word));
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn instructions(text: &str) -> Vec<Instruction> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let escape = escape(text);
    let mut found = Vec::new();
    let mut open: Option<(u32, String)> = None;
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let bare = line.trim_start();
        // Comments and empty lines may stand inside a continued instruction.
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        let (line, goes_on) = match line.trim_end().strip_suffix(escape) {
            Some(line) => (line, true),
            None => (line, false),
        };
        let (begun, mut joined) = open.take().unwrap_or((number, String::new()));
        joined.push_str(line);
        if goes_on {
            open = Some((begun, joined));
            continue;
        }
        let ends = heredocs(&joined);
        let heredoc = !ends.is_empty();
        for end in ends {
            // The text up to the mark belongs to the instruction; nothing in it matters here.
            lines.by_ref().find(|(_, line)| line.trim_start_matches('\t') == end);
        }
        found.extend(instruction(begun, &joined, heredoc));
    }
    found.extend(open.and_then(|(begun, joined)| instruction(begun, &joined, false)));
    found
}

fn instruction(line: u32, joined: &str, heredoc: bool) -> Option<Instruction> {
    let joined = joined.trim();
    let (name, rest) = joined.split_once(char::is_whitespace).unwrap_or((joined, ""));
    (!name.is_empty()).then(|| Instruction {
        line,
        name: name.to_uppercase(),
        rest: rest.trim().to_owned(),
        heredoc,
    })
}

/// The character that continues a line: `\`, unless a directive at the very top says otherwise.
fn escape(text: &str) -> char {
    for line in text.lines() {
        let Some((name, value)) =
            line.trim_start().strip_prefix('#').and_then(|line| line.split_once('='))
        else {
            break;
        };
        if name.trim().eq_ignore_ascii_case("escape") {
            return value.trim().chars().next().unwrap_or('\\');
        }
    }
    '\\'
}

/// The end marks of here-documents that an instruction opens: `<<EOF`, `<<-"EOF"`.
fn heredocs(joined: &str) -> Vec<String> {
    let name = joined.split_whitespace().next().unwrap_or_default().to_uppercase();
    if !["RUN", "COPY", "ADD"].contains(&name.as_str()) {
        return Vec::new();
    }
    let mark = |word: &str| {
        let mark = word.strip_prefix("<<")?;
        let mark = mark.strip_prefix('-').unwrap_or(mark).trim_matches(['"', '\'']);
        let plain = mark.chars().all(|c| c.is_alphanumeric() || c == '_');
        (plain && !mark.is_empty()).then(|| mark.to_owned())
    };
    joined.split_whitespace().filter_map(mark).collect()
}

/// As [`substituted`]; none when a name has no value here, which an image or the builder may give it.
pub(super) fn resolved(text: &str, values: &[(String, String)]) -> Option<String> {
    let unknown = text.split('$').skip(1).any(|after| {
        let after = after.strip_prefix('{').unwrap_or(after);
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
        let (name, form) = after.split_at(end);
        !form.starts_with([':', '-', '+']) && !values.iter().any(|(known, _)| known == name)
    });
    (!unknown).then(|| substituted(text, values))
}

/// Puts values into `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+instead}`.
fn substituted(text: &str, values: &[(String, String)]) -> String {
    let value = |name: &str| {
        values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        let name_end = |text: &str| {
            text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
        };
        let braced = after.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let (expression, tail) = braced.unwrap_or_else(|| after.split_at(name_end(after)));
        let (name, form) = expression.split_at(name_end(expression));
        let found = value(name).filter(|value| !value.is_empty());
        if let Some(default) = form.strip_prefix(":-").or(form.strip_prefix('-')) {
            result.push_str(found.unwrap_or(&substituted(default, values)));
        } else if let Some(instead) = form.strip_prefix(":+").or(form.strip_prefix('+')) {
            result.push_str(if found.is_some() { instead } else { "" });
        } else {
            result.push_str(found.unwrap_or_default());
        }
        rest = tail;
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn base_images_are_found() {
        for (text, bases) in [
            ("FROM a:1", vec!["a:1"]),
            ("FROM a AS build\nFROM build", vec!["a"]),
            (
                "FROM a as Build\nFROM b\nCOPY --from=build x y\nCOPY --from=0 x y\nCOPY --from=c x y",
                vec!["a", "b", "c"],
            ),
            ("from --platform=linux/amd64 a\nrun x", vec!["a"]),
            ("ARG SDK=a:1\nARG TAG=2\nFROM ${SDK} AS x\nFROM b:$TAG", vec!["a:1", "b:2"]),
            ("ARG BASE\nFROM ${BASE:-d}", vec!["d"]),
            ("ARG V=8.0\nARG SDK=\"r/sdk:${V}\"\nFROM $SDK", vec!["r/sdk:8.0"]),
            ("FROM scratch\nCOPY x y", vec![]),
            ("# escape=`\nFROM a `\n  AS b\nFROM b", vec!["a"]),
            ("\u{feff}# FROM no\nFROM \\\n# note\n\n  a\r\n", vec!["a"]),
            ("FROM a\nRUN <<EOF\nFROM no\nNONSENSE\nEOF\nFROM b", vec!["a", "b"]),
            ("FROM a\nRUN x && \\\n  FROM y", vec!["a"]),
        ] {
            assert_eq!(Dockerfile::parse(text, "Dockerfile").unwrap().bases(&[]), bases, "{text}");
        }
    }

    #[test]
    fn given_arguments_reach_image_names() {
        let text = "ARG DOTNET_SDK_IMAGE=mcr/sdk:8.0\nFROM $DOTNET_SDK_IMAGE AS build\nARG LATER=x\nFROM scratch";
        let dockerfile = Dockerfile::parse(text, "Dockerfile").unwrap();
        assert_eq!(dockerfile.args, ["DOTNET_SDK_IMAGE", "LATER"]);
        let offered = [pair("DOTNET_SDK_IMAGE", "ours"), pair("DOTNET_ASPNET_IMAGE", "unused")];
        for (user, expected, bases) in [
            (vec![], vec![pair("DOTNET_SDK_IMAGE", "ours")], ["ours"]),
            (
                vec![pair("DOTNET_SDK_IMAGE", "mine")],
                vec![pair("DOTNET_SDK_IMAGE", "mine")],
                ["mine"],
            ),
            (
                vec![pair("FREE", "1")],
                vec![pair("DOTNET_SDK_IMAGE", "ours"), pair("FREE", "1")],
                ["ours"],
            ),
        ] {
            let args = plan_args(&dockerfile, &offered, &user);
            assert_eq!(args, expected);
            assert_eq!(dockerfile.bases(&args), bases);
        }
        assert_eq!(dockerfile.bases(&[]), ["mcr/sdk:8.0"]);
    }

    #[test]
    fn plain_faults_are_shown_with_their_line() {
        for (text, line, part) in [
            ("", 1, "no `FROM`"),
            ("# only a comment\n", 1, "no `FROM`"),
            ("FROM a\nRUNN x", 2, "did you mean `RUN`"),
            ("FROM a\nCOPY a b\n\nWORKDIRR /x\\\n y", 4, "WORKDIR"),
            ("RUN x\nFROM a", 1, "before the first `FROM`"),
            ("FROM\n", 1, "without an image"),
            ("hello world\n", 1, "unknown instruction `HELLO`"),
        ] {
            let report = Dockerfile::parse(text, "App/Dockerfile").unwrap_err();
            assert_eq!(report.code, Code::DockerfileBroken, "{text}");
            let found = &report.diagnostics[0];
            assert_eq!((found.file.as_str(), found.line), ("App/Dockerfile", line), "{text}");
            assert!(found.message.contains(part), "{text}: {}", found.message);
        }
    }
}
