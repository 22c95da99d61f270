//! What the data folder holds beside the keys: policies and people that deploys bring, and what users set.

use std::io;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::super::authorization::policies;
use super::super::people;
use super::super::profile::ProfileSettings;
use crate::kit::management::scope::Scope;
use crate::kit::name::AppId;

/// How much there is.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(in super::super) struct Kept {
    /// Policies of apps and other resources.
    policies: usize,
    /// Files of test people beside the built-in ones.
    people: usize,
    /// Users who set something in their profiles.
    profiles: usize,
}

/// The files of a data folder.
pub(super) struct Files<'a>(&'a Path);

impl<'a> Files<'a> {
    pub(super) fn of(folder: &'a Path) -> Self {
        Self(folder)
    }

    /// Where a file of this path lies.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        path.split('/').fold(self.0.to_owned(), |folder, word| folder.join(word))
    }

    /// The files of a scope, with the paths that archives name them by, in order.
    pub(super) fn all(&self, scope: &Scope) -> Vec<(String, PathBuf)> {
        let roots: Vec<String> = match scope {
            Scope::All => ["apps", "people", "profile", "resources"].map(str::to_owned).to_vec(),
            Scope::Org(org) => vec![format!("apps/{org}")],
            Scope::App(app) => vec![format!("apps/{app}")],
        };
        let mut found = Vec::new();
        for root in roots {
            walk(&root, &self.place(&root), &mut found);
        }
        found.retain(|(path, _)| Kind::of(path).is_some());
        found.sort();
        found
    }

    pub(super) fn tally(&self, scope: &Scope) -> Kept {
        let mut kept = Kept::default();
        for (path, _) in self.all(scope) {
            match Kind::of(&path) {
                Some(Kind::Policy) => kept.policies += 1,
                Some(Kind::People) => kept.people += 1,
                Some(Kind::Profile) => kept.profiles += 1,
                None => {}
            }
        }
        kept
    }

    /// Removes what users set; the rest comes from deploys and from the user's own folder.
    pub(super) fn forget(&self, scope: &Scope) -> io::Result<Kept> {
        let mut gone = Kept::default();
        for (path, file) in self.all(scope) {
            if Kind::of(&path) == Some(Kind::Profile) {
                std::fs::remove_file(file)?;
                gone.profiles += 1;
            }
        }
        Ok(gone)
    }
}

fn walk(path: &str, place: &Path, found: &mut Vec<(String, PathBuf)>) {
    let Ok(entries) = std::fs::read_dir(place) else { return };
    for entry in entries.filter_map(Result::ok) {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{path}/{name}");
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&path, &entry.path(), found),
            Ok(kind) if kind.is_file() => found.push((path, entry.path())),
            _ => {}
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Policy,
    People,
    Profile,
}

impl Kind {
    /// What a path is for; nothing that this service does not read itself.
    fn of(path: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let name = |word: &str| {
            !word.is_empty()
                && !word.starts_with('.')
                && word.len() <= 200
                && word.chars().all(plain)
        };
        let words: Vec<&str> = path.split('/').collect();
        match words.as_slice() {
            ["apps", org, app, file] if AppId::new(org, app).is_ok() => match *file {
                "policy.xml" => Some(Self::Policy),
                "testData.json" => Some(Self::People),
                _ => None,
            },
            ["resources", id, "policy.xml"] if name(id) && !id.contains('.') => Some(Self::Policy),
            ["people", file] if name(file) => {
                let ending = file.rsplit_once('.')?.1;
                matches!(ending, "yaml" | "yml" | "json").then_some(Self::People)
            }
            ["profile", file] => {
                let user = file.strip_suffix(".json")?;
                let number = !user.is_empty() && user.len() <= 18;
                (number && user.bytes().all(|byte| byte.is_ascii_digit())).then_some(Self::Profile)
            }
            _ => None,
        }
    }
}

/// Says what is wrong with a file of an archive.
pub(super) fn check(path: &str, text: &str) -> Result<(), String> {
    match Kind::of(path) {
        None => Err(format!("`{path}` is no file of this service")),
        Some(Kind::Policy) => policies::check(text).map_err(|error| format!("{path}: {error}")),
        Some(Kind::People) => people::check(text).map_err(|error| format!("{path}: {error}")),
        Some(Kind::Profile) => serde_json::from_str::<ProfileSettings>(text)
            .map(drop)
            .map_err(|error| format!("{path}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_the_service_reads() {
        for (path, kind) in [
            ("apps/ttd/demo/policy.xml", Some(Kind::Policy)),
            ("apps/ttd/demo/testData.json", Some(Kind::People)),
            ("resources/nav_x/policy.xml", Some(Kind::Policy)),
            ("people/mine.yaml", Some(Kind::People)),
            ("profile/1337.json", Some(Kind::Profile)),
            ("keys/signing-key.pem", None),
            ("people/../keys/a.yaml", None),
            ("people/..yaml", None),
            ("people/.a.yaml", None),
            ("resources/../policy.xml", None),
            ("apps/ttd/../policy.xml", None),
            ("profile/-1.json", None),
            ("profile/.json", None),
            ("/etc/passwd", None),
            ("", None),
        ] {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
        assert!(check("apps/ttd/demo/policy.xml", "<no>").is_err());
        assert!(check("profile/1.json", "{\"language\":7}").is_err());
        assert!(check("profile/1.json", "{\"language\":\"nn\"}").is_ok());
    }

    proptest::proptest! {
        #[test]
        fn no_path_leads_out(path in "(apps|people|profile|resources|\\.\\.|[a-z./\\\\]{0,6})(/(\\.\\.|[a-zA-Z.\\\\]{0,12})){0,4}") {
            if Kind::of(&path).is_some() {
                let place = Files::of(Path::new("/data")).place(&path);
                let plain = |part| matches!(part, std::path::Component::Normal(_) | std::path::Component::RootDir);
                proptest::prop_assert!(place.components().all(plain), "{path}");
                proptest::prop_assert!(!path.contains('\\'));
            }
        }
    }
}
