//! Installs a widget's packages when they are not those that its lock file names.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::project::Widget;
use super::toolchain::Toolchain;
use crate::model::{Code, Report};
use crate::sys::fs;

/// The part of a lock file, and of npm's note of what it installed, that tells packages and versions.
#[derive(Debug, Default, Deserialize)]
struct Lock {
    packages: BTreeMap<String, Locked>,
}

#[derive(Debug, Deserialize)]
struct Locked {
    version: Option<String>,
    /// What is only for other systems is locked but not installed.
    #[serde(default)]
    optional: bool,
}

/// Makes `node_modules` what the lock file says. Does nothing when it is so already.
pub(super) async fn install(
    widget: &Widget,
    toolchain: &Toolchain,
    mut each: impl FnMut(&str),
) -> Result<(), Report> {
    if is_installed(&widget.root) {
        return Ok(());
    }
    let npm = toolchain.npm(&widget.root);
    let npm = if widget.root.join(LOCK).is_file() {
        // What builds a widget are its development packages, which `NODE_ENV=production` would leave out.
        npm.args(["ci", "--include=dev"])
    } else {
        npm.args(["install", "--include=dev"])
    };
    each(&format!("$ {}", npm.command_line()));
    let title = format!("the packages of widget `{}` could not be installed", widget.name);
    let finished = npm.run(&mut each).await?.success(Code::WidgetBuildFailed, &title);
    finished.map(drop).map_err(|report| {
        report
            .at(widget.root.display().to_string())
            .fix("npm install", "in the widget's folder, after a change of its `package.json`")
    })
}

const LOCK: &str = "package-lock.json";
/// npm writes it last, when an install has succeeded.
const INSTALLED: &str = "node_modules/.package-lock.json";

/// Whether what is installed is what the lock file names. Other package managers have locks of their own; where they
/// work, having installed is enough.
pub(super) fn is_installed(root: &Path) -> bool {
    if !root.join(LOCK).is_file() {
        return root.join("node_modules").is_dir();
    }
    let read = |name: &str| -> Option<Lock> {
        serde_json::from_slice(&fs::read_if_there(&root.join(name)).ok()??).ok()
    };
    let (Some(lock), Some(installed)) = (read(LOCK), read(INSTALLED)) else { return false };
    let mut wanted = lock.packages.iter().filter(|(path, _)| !path.is_empty());
    wanted.all(|(path, locked)| match installed.packages.get(path) {
        Some(found) => found.version == locked.version,
        None => locked.optional,
    }) && installed.packages.keys().all(|path| lock.packages.contains_key(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_is_what_the_lock_says() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str, packages: &str| {
            std::fs::create_dir_all(root.join("node_modules")).unwrap();
            std::fs::write(root.join(path), format!(r#"{{"packages": {{{packages}}}}}"#)).unwrap();
        };
        assert!(!is_installed(root), "nothing is there");
        let react = r#""node_modules/react": {"version": "19.0.0"}"#;
        let windows = r#""node_modules/win32": {"version": "1.0.0", "optional": true}"#;
        write(LOCK, &format!(r#""": {{}}, {react}, {windows}"#));
        assert!(!is_installed(root), "a folder alone is half an install");
        for (packages, is) in [
            (react.to_owned(), true),
            (format!("{react}, {windows}"), true),
            (react.replace("19.0.0", "18.0.0"), false),
            (windows.to_owned(), false),
            (format!(r#"{react}, "node_modules/left": {{"version": "1.0.0"}}"#), false),
            (String::new(), false),
        ] {
            write(INSTALLED, &packages);
            assert_eq!(is_installed(root), is, "{packages}");
        }
    }
}
