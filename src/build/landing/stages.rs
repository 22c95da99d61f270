//! What the instructions of a Dockerfile do to files, stage by stage.

use globset::{GlobBuilder, GlobMatcher};

use super::paths;
use super::shell::{self, Call, Command};
use crate::build::arguments::{Dockerfile, Instruction, Stage, resolved, words};

/// What a stage begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// An earlier stage.
    Stage(usize),
    /// An image; empty for `scratch`.
    Image(String),
}

/// One thing that happens to the files of a stage.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Files of the build context come in.
    Copy(Copy),
    /// Files of another stage come in.
    Fetch { stage: usize, copy: Copy },
    /// Files come from an image, or are written out in the Dockerfile itself.
    Given { to: Option<String> },
    /// `dotnet` is called.
    Dotnet(Call),
    /// Anything else, with what a reason calls it.
    Other(String),
}

/// A stage, understood as far as files go.
#[derive(Debug, Clone)]
pub(super) struct Room {
    pub(super) base: Base,
    pub(super) acts: Vec<Act>,
    /// What a `RUN` at its end sees: arguments and environment.
    pub(super) scope: Vec<(String, String)>,
    /// The working folder at its end; none when it is the base image's.
    pub(super) folder: Option<String>,
    /// Folders that are known to be folders.
    folders: Vec<String>,
    /// Whether nothing is in it but what the Dockerfile puts there.
    bare: bool,
    /// Whether a command reads the build context itself.
    pub(super) bound: bool,
}

/// `COPY` and `ADD`.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    /// Cleaned: no slash at either end; empty is everything.
    pub(super) sources: Vec<Source>,
    /// Absolute; none when the working folder is not known.
    pub(super) to: Option<String>,
    into: Into,
    add: bool,
    /// Why it is not understood.
    odd: Option<&'static str>,
}

/// One source of a [`Copy`].
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) text: String,
    glob: Option<GlobMatcher>,
}

/// What the destination of a [`Copy`] is to a file that is named itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Into {
    /// A folder that gets it.
    Folder,
    /// Its new name.
    Name,
    /// One of the two; the base image decides.
    Unsure,
}

/// Where a file gets by one [`Copy`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Landed {
    Not,
    At(String),
    Unsure(String),
}

/// The stages of a Dockerfile with these arguments.
pub(super) fn rooms(dockerfile: &Dockerfile, args: &[(String, String)]) -> Vec<Room> {
    let globals = dockerfile.global_values(args);
    let mut rooms: Vec<Room> = Vec::new();
    for (place, stage) in dockerfile.stages.iter().enumerate() {
        let earlier = &dockerfile.stages[..place];
        let mut room = begin(stage, earlier, &rooms, &globals);
        for instruction in &stage.instructions {
            room.take(instruction, earlier, &globals, args);
        }
        rooms.push(room);
    }
    rooms
}

fn named(stages: &[Stage], name: &str) -> Option<usize> {
    stages.iter().rposition(|stage| !stage.name.is_empty() && stage.name.eq_ignore_ascii_case(name))
}

fn begin(stage: &Stage, earlier: &[Stage], rooms: &[Room], globals: &[(String, String)]) -> Room {
    if let Some(parent) =
        named(earlier, &stage.base).and_then(|place| Some((place, rooms.get(place)?)))
    {
        return Room { base: Base::Stage(parent.0), acts: Vec::new(), ..parent.1.clone() };
    }
    // The builder fails for a name it has no value for; so do we, by a name that no image has.
    let image = resolved(&stage.base, globals).unwrap_or_else(|| stage.base.clone());
    let bare = image == "scratch";
    Room {
        base: Base::Image(if bare { String::new() } else { image }),
        acts: Vec::new(),
        scope: Vec::new(),
        folder: bare.then(|| "/".to_owned()),
        folders: vec!["/".to_owned()],
        bare,
        bound: false,
    }
}

impl Room {
    fn take(
        &mut self,
        instruction: &Instruction,
        earlier: &[Stage],
        globals: &[(String, String)],
        args: &[(String, String)],
    ) {
        let rest = instruction.rest.as_str();
        match instruction.name.as_str() {
            "ARG" => self.declare(rest, globals, args),
            "ENV" => self.set(rest),
            "WORKDIR" => {
                self.folder = resolved(rest.trim_matches(['"', '\'']), &self.scope)
                    .and_then(|to| self.absolute(&to));
                self.folders.extend(self.folder.clone());
            }
            "COPY" | "ADD" => {
                let act = self.copy(instruction, earlier);
                self.acts.push(act);
            }
            "RUN" => {
                let mounts = rest.split_whitespace().take_while(|word| word.starts_with("--"));
                self.bound |= mounts.into_iter().any(|flag| {
                    let bind = !flag.contains("type=") || flag.contains("type=bind");
                    flag.starts_with("--mount=") && bind && !flag.contains("from=")
                });
                let folder = self.folder.as_deref();
                let commands = shell::commands(rest, instruction.heredoc, folder, &self.scope);
                self.acts.extend(commands.into_iter().map(|command| match command {
                    Command::Dotnet(call) => Act::Dotnet(call),
                    Command::Other(text) => Act::Other(text),
                }));
            }
            // Another shell reads the same words in another way.
            "SHELL" => self.acts.push(Act::Other("SHELL".to_owned())),
            _ => {}
        }
    }

    fn declare(&mut self, rest: &str, globals: &[(String, String)], args: &[(String, String)]) {
        for word in words(rest) {
            let (name, default) = match word.split_once('=') {
                Some((name, value)) => (name, shell::unquoted(value, &self.scope)),
                None => (word.as_str(), None),
            };
            let of = |list: &[(String, String)]| {
                list.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            };
            if let Some(value) = of(args).or(default).or_else(|| of(globals)) {
                self.define(name, value);
            }
        }
    }

    fn set(&mut self, rest: &str) {
        let pairs = words(rest);
        if !pairs.first().is_some_and(|first| first.contains('=')) {
            // The old form: `ENV NAME the rest of the line`.
            let (name, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            return self.define_or_forget(name, resolved(value.trim(), &self.scope));
        }
        let before = self.scope.clone();
        for pair in pairs {
            if let Some((name, value)) = pair.split_once('=') {
                self.define_or_forget(name, shell::unquoted(value, &before));
            }
        }
    }

    fn define_or_forget(&mut self, name: &str, value: Option<String>) {
        self.scope.retain(|(known, _)| known != name);
        if let Some(value) = value {
            self.define(name, value);
        }
    }

    fn define(&mut self, name: &str, value: String) {
        self.scope.retain(|(known, _)| known != name);
        self.scope.push((name.to_owned(), value));
    }

    fn absolute(&self, path: &str) -> Option<String> {
        if path.starts_with('/') {
            return Some(paths::join("/", path));
        }
        self.folder.as_deref().map(|folder| paths::join(folder, path))
    }

    fn copy(&mut self, instruction: &Instruction, earlier: &[Stage]) -> Act {
        let (mut from, mut odd) = (None, None);
        let mut rest = instruction.rest.as_str();
        while let Some(flag) = rest.strip_prefix("--") {
            let end = flag.find(char::is_whitespace).unwrap_or(flag.len());
            match flag[..end].split_once('=').unwrap_or((&flag[..end], "")) {
                ("from", value) => from = Some(value.to_owned()),
                ("chown" | "chmod" | "link", _) => {}
                _ => odd = Some("the Dockerfile copies it with a flag that is not understood"),
            }
            rest = flag[end..].trim_start();
        }
        let plain = |text: Vec<String>| {
            text.iter().map(|word| shell::unquoted(word, &self.scope)).collect::<Option<Vec<_>>>()
        };
        let mut texts =
            plain(shell::as_json(rest).unwrap_or_else(|| words(rest))).unwrap_or_default();
        let to = texts.pop();
        if instruction.heredoc {
            return Act::Given { to: to.and_then(|to| self.absolute(&to)) };
        }
        let known = to.filter(|_| !texts.is_empty());
        let to = known.unwrap_or_else(|| {
            // It may be any file.
            texts = vec![String::new()];
            odd = Some("the Dockerfile copies files by words that are not understood");
            String::new()
        });
        let add = instruction.name == "ADD";
        let copy = self.copied(&texts, &to, add, odd);
        match from {
            None => Act::Copy(copy),
            Some(name) => {
                match named(earlier, &name).or(name.parse().ok().filter(|n| *n < earlier.len())) {
                    Some(stage) => Act::Fetch { stage, copy },
                    None => Act::Given { to: copy.to },
                }
            }
        }
    }

    fn copied(&mut self, texts: &[String], to: &str, add: bool, odd: Option<&'static str>) -> Copy {
        let several = texts.len() > 1;
        let sources: Vec<Source> = texts.iter().map(|text| Source::read(text)).collect();
        let globs = sources.iter().any(|source| source.glob.is_some());
        let odd = odd.or_else(|| {
            let strange =
                sources.iter().any(|source| source.glob.is_none() && is_glob(&source.text));
            strange.then_some("the Dockerfile copies it by a pattern that is not understood")
        });
        let absolute = self.absolute(to);
        let known = absolute.as_ref().is_some_and(|to| self.folders.contains(to));
        let same_name =
            sources.first().is_some_and(|source| paths::name(&source.text) == paths::name(to));
        let into = if to.ends_with('/') || to == "." || to.ends_with("/.") || several || known {
            Into::Folder
        } else if self.bare || same_name || paths::name(to).contains('.') {
            Into::Name
        } else {
            Into::Unsure
        };
        if into == Into::Folder || globs {
            self.folders.extend(absolute.clone());
        }
        Copy { sources, to: absolute, into, add, odd }
    }
}

const fn is_archive_end(end: &str) -> bool {
    matches!(end.as_bytes(), b"tar" | b"gz" | b"tgz" | b"bz2" | b"xz" | b"txz" | b"tbz2" | b"zst")
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

impl Source {
    fn read(text: &str) -> Self {
        let text = paths::join("/", text).trim_start_matches('/').to_owned();
        // Braces and double stars mean nothing to the builder, but something to the matcher.
        let plain = !text.contains(['{', '}', '\\']) && !text.contains("**");
        let glob = (is_glob(&text) && plain)
            .then(|| GlobBuilder::new(&text).literal_separator(true).build().ok())
            .flatten()
            .map(|glob| glob.compile_matcher());
        Self { text, glob }
    }
}

impl Copy {
    /// Where a file of the source side gets; its path has no slash in front.
    pub(super) fn landing(&self, path: &str) -> Landed {
        for source in &self.sources {
            if source.glob.is_none() && is_glob(&source.text) {
                return self.unsure();
            }
            let Some(rest) = source.rest(path) else { continue };
            if self.odd.is_some() {
                return self.unsure();
            }
            let Some(to) = &self.to else {
                return Landed::Unsure(
                    "the folder that the Dockerfile copies it to is not known".to_owned(),
                );
            };
            if !rest.is_empty() {
                return Landed::At(paths::join(to, rest));
            }
            if self.add && is_archive_end(path.rsplit('.').next().unwrap_or_default()) {
                return Landed::Unsure("`ADD` unpacks it".to_owned());
            }
            return match self.into {
                Into::Folder => Landed::At(paths::join(to, paths::name(path))),
                Into::Name => Landed::At(to.clone()),
                Into::Unsure => {
                    Landed::Unsure(format!("whether `{to}` is a folder is the base image's matter"))
                }
            };
        }
        Landed::Not
    }

    fn unsure(&self) -> Landed {
        let why =
            self.odd.unwrap_or("the Dockerfile copies it by a pattern that is not understood");
        Landed::Unsure(why.to_owned())
    }

    /// The folder that is copied whole, when it is this alone.
    pub(super) fn whole(&self) -> Option<(&str, &str)> {
        let [source] = self.sources.as_slice() else { return None };
        let plain = self.odd.is_none() && !is_glob(&source.text);
        Some((source.text.as_str(), self.to.as_deref()?)).filter(|_| plain)
    }
}

impl Source {
    /// The part of a path below what this source names, empty when it names the file itself.
    fn rest<'a>(&self, path: &'a str) -> Option<&'a str> {
        let Some(glob) = &self.glob else {
            if self.text.is_empty() {
                return Some(path);
            }
            return paths::below(path, &self.text);
        };
        if glob.is_match(path) {
            return Some("");
        }
        let ends = path.match_indices('/').map(|(end, _)| end);
        ends.into_iter().find(|end| glob.is_match(&path[..*end])).map(|end| &path[end + 1..])
    }
}
