//! Paths of files within a working copy: what a caller names must be a plain file of the app, nothing else.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;

use crate::kit::fault::Fault;

/// The longest path of a file, in bytes.
const LONGEST: usize = 400;

/// A path below the top of a working copy, with `/`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::designer) struct Place(String);

impl Place {
    /// Accepts `App/ui/form.json`; refuses what leads out, into `.git`, or what some system reads otherwise.
    pub(in crate::designer) fn new(text: &str) -> Result<Self, Fault> {
        let fits = !text.is_empty() && text.len() <= LONGEST && text.split('/').all(is_name);
        if fits { Ok(Self(text.to_owned())) } else { Err(refused(text)) }
    }

    pub(in crate::designer) fn as_str(&self) -> &str {
        &self.0
    }

    /// The path on disk. Every folder on the way must be a folder of the working copy itself: a symbolic link, wherever
    /// it leads, is refused. The last part may be missing.
    pub(in crate::designer) fn under(&self, root: &Path) -> Result<PathBuf, Fault> {
        let mut path = root.to_path_buf();
        let mut parts = self.0.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            let last = parts.peek().is_none();
            match std::fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => return Err(refused(&self.0)),
                Ok(found) if last && !found.is_file() => return Err(refused(&self.0)),
                Ok(found) if !last && !found.is_dir() => return Err(refused(&self.0)),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(path)
    }
}

fn is_name(name: &str) -> bool {
    let trimmed = name.trim_end_matches(['.', ' ']);
    !name.is_empty()
        && !matches!(name, "." | "..")
        && trimmed == name
        && !name.starts_with(' ')
        // Also `.GIT` and NTFS' short name of it, which libgit2 refuses in trees for the same reason.
        && !name.eq_ignore_ascii_case(".git")
        && !name.to_ascii_lowercase().starts_with("git~")
        && !name.chars().any(|c| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'))
}

fn refused(text: &str) -> Fault {
    let detail = format!("`{text}` is no path of a file in the app.");
    Fault::problem(StatusCode::BAD_REQUEST, detail).with("code", "bad-path")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_files() {
        for text in ["a", "App/ui/form/layouts/side 1.json", ".gitignore", "a/.github/b", "æøå.txt"]
        {
            assert_eq!(Place::new(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            "..",
            "../a",
            "a/../b",
            "a/./b",
            ".git/config",
            "a/.GIT/x",
            "git~1/config",
            "a\\b",
            "C:/x",
            "a\0b",
            "a\n",
            "a.",
            "a ",
            " a",
            "a/b./c",
            &"x".repeat(401),
        ] {
            assert!(Place::new(text).is_err(), "{text:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_refused_wherever_they_lead() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("in")).unwrap();
        std::fs::write(root.join("in/file"), "x").unwrap();
        std::os::unix::fs::symlink("/etc", root.join("out")).unwrap();
        std::os::unix::fs::symlink("in/file", root.join("alias")).unwrap();
        let under = |text: &str| Place::new(text).unwrap().under(root);
        assert_eq!(under("in/file").unwrap(), root.join("in/file"));
        assert_eq!(under("in/new").unwrap(), root.join("in/new"));
        for text in ["out/passwd", "alias", "in", "in/file/x"] {
            assert!(under(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_leads_out(text in "[./a-c\\\\]{0,12}") {
            if let Ok(place) = Place::new(&text) {
                let path = Path::new("/r").join(place.as_str());
                let plain = path.components().all(|part| !matches!(part, std::path::Component::ParentDir));
                proptest::prop_assert!(plain && path.starts_with("/r") && path != Path::new("/r"));
            }
        }
    }
}
