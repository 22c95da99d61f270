//! What a `RUN` does, as far as it matters to where files land: calls of `dotnet`, commands that touch no file of the
//! app, and all the rest.

use super::paths;
use crate::build::arguments::{resolved, words};

/// One command of a `RUN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// `dotnet restore`, `build`, `publish`.
    Dotnet(Call),
    /// Anything that may read or write files of the app.
    Other(String),
}

/// A call of `dotnet`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) verb: Verb,
    /// Where it is called, absolute.
    pub(super) folder: String,
    /// All words, `dotnet` first, variables put in.
    pub(super) words: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Restore,
    Build,
    Publish,
}

/// Commands that leave the bytes of the app's files alone and do not read them.
const HARMLESS: &[&str] = &[
    "addgroup", "adduser", "chmod", "chown", "echo", "groupadd", "groupmod", "mkdir", "set",
    "sleep", "true", "useradd", "usermod",
];
/// Installers: harmless unless they are given a file.
const INSTALLERS: &[&str] = &["apk", "apt-get", "apt", "dnf", "microdnf", "tdnf", "yum"];
/// What may be removed without harm.
const PASSING: &[&str] = &["/var/", "/tmp/", "/root/"];

/// The commands of a `RUN` that matter, in order. `folder` is the working folder, when it is known.
pub(super) fn commands(
    rest: &str,
    heredoc: bool,
    folder: Option<&str>,
    scope: &[(String, String)],
) -> Vec<Command> {
    let other = || vec![Command::Other(shown(rest))];
    let (flags, text) = split_flags(rest);
    if heredoc || flags.iter().any(|flag| !flag.starts_with("--mount=type=cache")) {
        return other();
    }
    if let Some(words) = as_json(text) {
        return one(&words, &mut folder.map(str::to_owned)).into_iter().collect();
    }
    let Some(lines) = split(text) else { return other() };
    let mut folder = folder.map(str::to_owned);
    let mut found = Vec::new();
    for line in lines {
        let plain = words(&line).into_iter().map(|word| unquoted(&word, scope)).collect();
        let plain: Option<Vec<String>> = plain;
        match plain {
            Some(words) => found.extend(one(&words, &mut folder)),
            // `chown $USER` is as harmless as any other `chown`.
            None if is_harmless(&words(&line)) => {}
            None => found.push(Command::Other(shown(&line))),
        }
    }
    found
}

/// An instruction as a reason names it.
pub(super) fn shown(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("RUN {}…", &text[..end]),
        None => format!("RUN {text}"),
    }
}

fn one(words: &[String], folder: &mut Option<String>) -> Option<Command> {
    let other = || Some(Command::Other(shown(&words.join(" "))));
    let name = words.first()?;
    if name == "cd" {
        let [_, to] = words else { return other() };
        let known = folder.as_deref().or_else(|| to.starts_with('/').then_some("/"));
        *folder = known.map(|from| paths::join(from, to));
        return None;
    }
    if name != "dotnet" {
        return if is_harmless(words) { None } else { other() };
    }
    let verb = match words.get(1).map(String::as_str) {
        Some("restore") => Verb::Restore,
        Some("build") => Verb::Build,
        Some("publish") => Verb::Publish,
        Some("--info" | "--version") => return None,
        _ => return other(),
    };
    let Some(folder) = folder.clone() else { return other() };
    Some(Command::Dotnet(Call { verb, folder, words: words.to_vec() }))
}

fn is_harmless(words: &[String]) -> bool {
    let Some((name, rest)) = words.split_first() else { return true };
    let mut paths = rest.iter().filter(|word| !word.starts_with('-'));
    if INSTALLERS.contains(&name.as_str()) {
        return !paths.any(|word| word.starts_with(['.', '/']));
    }
    if name == "rm" {
        return paths.all(|word| PASSING.iter().any(|folder| word.starts_with(folder)));
    }
    HARMLESS.contains(&name.as_str())
}

/// Flags of the instruction itself, and what follows them.
fn split_flags(rest: &str) -> (Vec<&str>, &str) {
    let (mut flags, mut text) = (Vec::new(), rest.trim_start());
    while text.starts_with("--") {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        flags.push(&text[..end]);
        text = text[end..].trim_start();
    }
    (flags, text)
}

/// The words of `["a", "b"]`.
pub(super) fn as_json(text: &str) -> Option<Vec<String>> {
    text.starts_with('[').then(|| serde_json::from_str(text).ok()).flatten()
}

/// Splits at `&&` and `;` outside quotes. None when the shell is asked for more than that.
fn split(text: &str) -> Option<Vec<String>> {
    let (mut lines, mut line, mut quote) = (Vec::new(), String::new(), None);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('$', _) if rest.peek() == Some(&'(') => return None,
            ('"' | '\'', None) => quote = Some(c),
            ('&', None) if rest.next_if_eq(&'&').is_some() => {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            (';', None) => {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            ('&' | '|' | '<' | '>' | '(' | ')' | '\\', None) | ('`', _) => return None,
            _ => {}
        }
        line.push(c);
    }
    lines.push(line);
    Some(lines)
}

/// A word without its quotes and with its variables put in; none when that is not plain.
pub(super) fn unquoted(word: &str, scope: &[(String, String)]) -> Option<String> {
    let open = word.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inside = match open {
        Some(quote) => word.strip_prefix(quote)?.strip_suffix(quote)?,
        None => word,
    };
    if inside.contains(['"', '\'', '\\', '`']) || (open.is_none() && inside.starts_with('~')) {
        return None;
    }
    if open == Some('\'') { Some(inside.to_owned()) } else { resolved(inside, scope) }
}

impl Call {
    /// The value of an option, as `--output DIR`, `--output=DIR`, `-o DIR`.
    pub(super) fn option(&self, names: &[&str]) -> Option<&str> {
        let mut rest = self.words.iter();
        while let Some(word) = rest.next() {
            if names.contains(&word.as_str()) {
                return rest.next().map(String::as_str);
            }
            let value = names.iter().find_map(|name| word.strip_prefix(name)?.strip_prefix('='));
            if value.is_some() {
                return value;
            }
        }
        None
    }

    /// Properties given on the line: `-p:NAME=VALUE` in all its forms.
    pub(super) fn properties(&self) -> Vec<(String, String)> {
        const FORMS: &[&str] = &["-p:", "/p:", "--property:", "-property:", "/property:"];
        let mut found = Vec::new();
        let mut rest = self.words.iter();
        while let Some(word) = rest.next() {
            let mut given = FORMS.iter().find_map(|form| word.strip_prefix(form));
            if matches!(word.as_str(), "-p" | "--property") {
                given = rest.next().map(String::as_str);
            }
            let pairs =
                given.unwrap_or_default().split(';').filter_map(|pair| pair.split_once('='));
            found.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        found
    }

    /// What is built, as written: a project, a solution or a folder. None when the working folder decides.
    pub(super) fn subject(&self) -> Option<&str> {
        const WITH_VALUE: &[&str] = &[
            "-a",
            "-c",
            "-f",
            "-o",
            "-p",
            "-r",
            "-s",
            "-v",
            "--arch",
            "--artifacts-path",
            "--configfile",
            "--configuration",
            "--framework",
            "--manifest",
            "--os",
            "--output",
            "--packages",
            "--property",
            "--runtime",
            "--source",
            "--verbosity",
            "--version-suffix",
        ];
        let mut rest = self.words.iter().skip(2);
        while let Some(word) = rest.next() {
            if WITH_VALUE.contains(&word.as_str()) {
                rest.next();
            } else if !is_switch(word) && word != "true" && word != "false" {
                return Some(word);
            }
        }
        None
    }
}

/// `-x`, `--x`, `/x`, `/x:y`; a path has a second slash or an ending.
fn is_switch(word: &str) -> bool {
    let msbuild =
        word.strip_prefix('/').is_some_and(|rest| rest.contains(':') || !rest.contains(['/', '.']));
    word.starts_with('-') || msbuild
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let scope = [("CONFIGURATION".to_owned(), "Release".to_owned())];
        let shown = |command| match command {
            Command::Dotnet(call) => format!("{} in {}", call.words.join(" "), call.folder),
            Command::Other(text) => text,
        };
        commands(text, false, Some("/src"), &scope).into_iter().map(shown).collect()
    }

    #[test]
    fn commands_are_told_apart() {
        for (text, expected) in [
            ("dotnet restore", vec!["dotnet restore in /src"]),
            ("[\"dotnet\", \"restore\"]", vec!["dotnet restore in /src"]),
            (
                "--mount=type=cache,target=/root/.nuget dotnet restore",
                vec!["dotnet restore in /src"],
            ),
            (
                "dotnet restore && dotnet publish -c $CONFIGURATION -o \"/out\"",
                vec!["dotnet restore in /src", "dotnet publish -c Release -o /out in /src"],
            ),
            ("cd App && dotnet publish", vec!["dotnet publish in /src/App"]),
            ("dotnet publish -c $UNKNOWN", vec!["RUN dotnet publish -c $UNKNOWN"]),
            ("dotnet test", vec!["RUN dotnet test"]),
            ("addgroup -g 3000 x && adduser -u 1000 -D x", vec![]),
            (
                "set -eux; apt-get update && apt-get install -y a; rm -rf /var/lib/apt/lists/*",
                vec![],
            ),
            ("chown -R $APP_UID /app", vec![]),
            ("apt-get install -y ./own.deb", vec!["RUN apt-get install -y ./own.deb"]),
            ("rm -rf /app/wwwroot", vec!["RUN rm -rf /app/wwwroot"]),
            ("npm ci && npm run build", vec!["RUN npm ci", "RUN npm run build"]),
            ("echo a > /app/b", vec!["RUN echo a > /app/b"]),
            (
                "dotnet publish -p:Version=$(cat version)",
                vec!["RUN dotnet publish -p:Version=$(cat version)"],
            ),
            (
                "--mount=type=bind,source=.,target=/x dotnet restore",
                vec!["RUN --mount=type=bind,source=.,target=/x dot…"],
            ),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn calls_of_dotnet_are_read() {
        for (text, subject, output, properties) in [
            ("dotnet publish", None, None, vec![]),
            (
                "dotnet publish App.csproj -c Release -o /out",
                Some("App.csproj"),
                Some("/out"),
                vec![],
            ),
            (
                "dotnet publish --output=/out /src/App/App.csproj",
                Some("/src/App/App.csproj"),
                Some("/out"),
                vec![],
            ),
            (
                "dotnet publish -c Release ./App /p:UseAppHost=false /nologo",
                Some("./App"),
                None,
                vec![("UseAppHost", "false")],
            ),
            (
                "dotnet publish --self-contained false -p:A=1;B=2 -p C=3",
                None,
                None,
                vec![("A", "1"), ("B", "2"), ("C", "3")],
            ),
        ] {
            let words = text.split(' ').map(str::to_owned).collect();
            let call = Call { verb: Verb::Publish, folder: "/src".to_owned(), words };
            assert_eq!(call.subject(), subject, "{text}");
            assert_eq!(call.option(&["-o", "--output"]), output, "{text}");
            let found = call.properties();
            let found: Vec<_> =
                found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(found, properties, "{text}");
        }
    }
}
