//! Paths inside images and projects: text with forward slashes, never looked up.

/// A path from a folder, absolute and without dots; one that is absolute already stays.
pub(super) fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let folder = if path.starts_with('/') { "" } else { folder };
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The part of a path below a folder; both absolute. Empty when they are the same.
pub(super) fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// The folder of a path.
pub(super) fn folder(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => "",
    }
}

/// The last part of a path.
pub(super) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a path ends with one of these, in letters of any case; the ends are in lower case.
pub(super) fn ends(path: &str, ends: &[&str]) -> bool {
    let path = path.to_lowercase();
    ends.iter().any(|end| path.ends_with(end))
}

/// A path as seen from a folder, with `..` where it lies elsewhere; both absolute.
pub(super) fn relative(path: &str, folder: &str) -> String {
    if let Some(rest) = below(path, folder) {
        return rest.to_owned();
    }
    let mut ups = String::from("../");
    let mut above = self::folder(folder);
    while above != "/" {
        if let Some(rest) = below(path, above) {
            return ups + rest;
        }
        ups.push_str("../");
        above = self::folder(above);
    }
    ups + path.trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_seen_from_folders() {
        for (folder, path, whole) in [
            ("/App", ".", "/App"),
            ("/App", "./App.csproj", "/App/App.csproj"),
            ("/App", "/x/", "/x"),
            ("/", "a/../b", "/b"),
            ("/a", "../../..", "/"),
        ] {
            assert_eq!(join(folder, path), whole);
        }
        for (path, folder, seen) in [
            ("/App/a/b.cs", "/App", "a/b.cs"),
            ("/App/a.cs", "/", "App/a.cs"),
            ("/src/Lib/a.cs", "/src/App", "../Lib/a.cs"),
            ("/Apple/a.cs", "/App", "../Apple/a.cs"),
            ("/x/a.cs", "/src/App", "../../x/a.cs"),
        ] {
            assert_eq!(relative(path, folder), seen, "{path} from {folder}");
        }
    }
}
