//! Patterns of a project's items, as `MSBuild` reads them: `**` stands for whole folders, `*` and `?` for parts of a
//! name, letters count alike in both cases.

/// What a pattern says about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    No,
    /// The pattern, or its letters' case, leaves it open.
    Unsure,
}

/// A pattern relative to the project's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Its parts between slashes.
    Known(Vec<String>),
    /// Files outside the repository, as those of packages.
    Elsewhere,
    /// Text that is not understood.
    Unknown(String),
}

const HERE: &[&str] = &["$(MSBuildProjectDirectory)/", "$(ProjectDir)", "$(MSBuildProjectDir)/"];
const PACKAGES: &[&str] = &["$(nugetpackageroot)", "$(pkg"];

impl Pattern {
    pub(super) fn read(text: &str) -> Self {
        let plain = text.trim().replace('\\', "/");
        let mut rest = plain.as_str();
        for here in HERE {
            rest = rest.strip_prefix(here).unwrap_or(rest);
        }
        let lower = rest.to_lowercase();
        if PACKAGES.iter().any(|root| lower.starts_with(root)) {
            return Self::Elsewhere;
        }
        let mut parts: Vec<String> = Vec::new();
        for part in rest.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.last().is_some_and(|last| last != ".." && !last.contains('*')) => {
                    parts.pop();
                }
                // To MSBuild a name with any ending is any name.
                "*.*" => parts.push("*".to_owned()),
                part => parts.push(part.to_owned()),
            }
        }
        let strange = rest.starts_with('/')
            || rest.contains(['$', '@', '%', '|', '[', ']'])
            || parts.iter().any(|part| part.contains("**") && part != "**");
        if strange { Self::Unknown(text.trim().to_owned()) } else { Self::Known(parts) }
    }

    pub(super) fn matches(&self, path: &str) -> Match {
        let parts = match self {
            Self::Known(parts) => parts,
            Self::Elsewhere => return Match::No,
            Self::Unknown(_) => return Match::Unsure,
        };
        let exact = all(parts, &path.split('/').collect::<Vec<_>>());
        let lower: Vec<String> = parts.iter().map(|part| part.to_lowercase()).collect();
        let alike = all(&lower, &path.to_lowercase().split('/').collect::<Vec<_>>());
        match (exact, alike) {
            (true, _) => Match::Yes,
            (false, true) => Match::Unsure,
            (false, false) => Match::No,
        }
    }
}

fn all(parts: &[String], names: &[&str]) -> bool {
    match (parts, names) {
        ([], []) => true,
        // All that is below, at any depth; the path itself is a file.
        ([deep], [_, ..]) if deep == "**" => !names.contains(&".."),
        ([deep, rest @ ..], names) if deep == "**" && !rest.is_empty() => {
            let inside = names.iter().take_while(|name| **name != "..").count();
            (0..=inside).any(|taken| all(rest, &names[taken..]))
        }
        ([part, rest @ ..], [name, names @ ..]) => one(part, name) && all(rest, names),
        _ => false,
    }
}

/// Whether a name fits a pattern of `*` and `?`.
fn one(part: &str, name: &str) -> bool {
    if part == ".." || name == ".." {
        return part == name;
    }
    let mut part_chars = part.chars();
    match part_chars.next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = part_chars.as_str();
            let ends = name.char_indices().map(|(place, _)| place).chain([name.len()]);
            ends.into_iter().any(|place| one(rest, &name[place..]))
        }
        Some(wanted) => {
            let mut name_chars = name.chars();
            let found = name_chars.next();
            found.is_some_and(|found| wanted == '?' || wanted == found)
                && one(part_chars.as_str(), name_chars.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_msbuild_means() {
        use Match::{No, Unsure, Yes};
        for (pattern, path, told) in [
            ("**/*.json", "a.json", Yes),
            ("**/*.json", "a/b/c.json", Yes),
            ("**/*.json", "a/b.JSON", Unsure),
            ("**\\*.json", "a\\b", No),
            ("wwwroot\\**", "wwwroot/a/b.js", Yes),
            ("wwwroot/**", "wwwroot", No),
            ("wwwroot/**", "WWWroot/a", Unsure),
            ("**", "a", Yes),
            ("**/.*/**", "a/.git/x", Yes),
            ("**/.*/**", ".config/x.json", Yes),
            ("**/.*/**", ".editorconfig", No),
            ("config/**/*.*", "config/a/b", Yes),
            ("config/*.xml", "config/a/b.xml", No),
            ("config/a?.xml", "config/ab.xml", Yes),
            ("**/*.*proj", "App.csproj", Yes),
            ("../Shared/**/*.cs", "../Shared/a/b.cs", Yes),
            ("**/*.cs", "../Shared/a.cs", No),
            ("*/a.cs", "../a.cs", No),
            ("./a/../b.txt", "b.txt", Yes),
            ("$(MSBuildProjectDirectory)/a.txt", "a.txt", Yes),
            ("$(NuGetPackageRoot)/x/*.xml", "x/a.xml", No),
            ("$(Folder)/**", "a", Unsure),
            ("@(Content)", "a", Unsure),
            ("a**b/x", "a/x", Unsure),
            ("/etc/x", "x", Unsure),
        ] {
            assert_eq!(Pattern::read(pattern).matches(path), told, "{pattern} on {path}");
        }
    }
}
