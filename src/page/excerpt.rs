//! The lines of a source file around a finding.

use std::path::{Component, Path};

use serde::Serialize;

use crate::events::clean;
use crate::sys::fs::read_if_there;

/// Lines before and after.
const AROUND: u32 = 3;
/// The longest file that is looked into, in bytes.
const LONGEST: u64 = 1 << 20;
/// Files that hold source and nothing else. Values, settings and the like may hold what is secret.
const SOURCES: &[&str] =
    &["cs", "cshtml", "razor", "csproj", "ts", "tsx", "js", "jsx", "css", "html"];

/// A numbered line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// From 1.
    pub line: u32,
    /// Without its end.
    pub text: String,
}

/// The lines around one, of a file that is named relative to the app's root; none when it is not a source in there.
pub(super) fn excerpt(root: &Path, file: &str, line: u32) -> Vec<Line> {
    source(root, file).map_or_else(Vec::new, |text| around(&text, line))
}

fn source(root: &Path, file: &str) -> Option<String> {
    let inside = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    let extension = Path::new(file).extension()?.to_str()?.to_ascii_lowercase();
    if !inside || !SOURCES.contains(&extension.as_str()) {
        return None;
    }
    // Links must not lead out of the app, nor to another kind of file.
    let path = dunce::canonicalize(root.join(file)).ok()?;
    let small =
        std::fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() <= LONGEST);
    let same = path == dunce::canonicalize(root).ok()?.join(file);
    let bytes = (small && same).then(|| read_if_there(&path).ok()).flatten().flatten()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn around(text: &str, line: u32) -> Vec<Line> {
    let lines = text.trim_start_matches('\u{feff}').lines().zip(1_u32..);
    lines
        .filter(|(_, number)| line > 0 && number.abs_diff(line) <= AROUND)
        .map(|(text, number)| Line { line: number, text: clean(text) })
        .collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_sources_of_the_app_are_shown() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("app");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("app/App/Calc.cs", "one\ntwo\n\tthree\nfour\nfive\nsix\nseven\neight\nnine");
        write("app/App/appsettings.json", "{}");
        write("Other.cs", "secret");
        std::os::unix::fs::symlink("../Other.cs", root.join("Link.cs")).unwrap();
        let shown = excerpt(&root, "App/Calc.cs", 5);
        assert_eq!(shown.iter().map(|line| line.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(shown[1].text, "    three");
        assert_eq!(excerpt(&root, "App/Calc.cs", 1).len(), 4);
        for (file, line) in [
            ("App/Calc.cs", 0),
            ("App/Calc.cs", 400),
            ("App/appsettings.json", 1),
            ("../Other.cs", 1),
            ("Link.cs", 1),
            ("/etc/passwd", 1),
            ("Gone.cs", 1),
        ] {
            assert_eq!(excerpt(&root, file, line), [], "{file}");
        }
    }
}
