//! Finds the real programs that the work is done with: kind, helm, kubectl, and Node with npm for widgets.
//!
//! A program is named by a setting, lies in our own folder of tools, or stands on PATH. The working directory is
//! never searched: a project that one opens is not trusted, and must not be able to bring its own `kind`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::config::env::{Environment, Variable};
use crate::model::{Code, Label, Report};

/// The program called `name`: the one the user named (`ALTINN_LOCAL_KIND`, `_HELM`, `_KUBECTL`), else the one in
/// `tools_dir`, else the first on PATH.
pub fn find(name: &str, environment: &Environment, tools_dir: &Path) -> Result<PathBuf, Report> {
    let named = match name {
        "kind" => environment.get(Variable::Kind),
        "helm" => environment.get(Variable::Helm),
        "kubectl" => environment.get(Variable::Kubectl),
        _ => None,
    };
    let path = environment.get(Variable::Path).unwrap_or_default();
    find_on(name, named.map(Path::new), tools_dir, OsStr::new(path))
}

fn find_on(
    name: &str,
    named: Option<&Path>,
    tools_dir: &Path,
    path: &OsStr,
) -> Result<PathBuf, Report> {
    if let Some(program) = named {
        if program.is_absolute() && is_program(program) {
            return Ok(program.to_path_buf());
        }
        return Err(not_as_named(name, program));
    }
    // npm comes as a script.
    let suffix = if cfg!(windows) && name == "npm" { ".cmd" } else { std::env::consts::EXE_SUFFIX };
    let file = format!("{name}{suffix}");
    let folders = std::iter::once(tools_dir.to_path_buf()).chain(std::env::split_paths(path));
    folders
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&file))
        .find(|program| is_program(program))
        .ok_or_else(|| missing(name, tools_dir))
}

fn is_program(path: &Path) -> bool {
    let Ok(metadata) = std::fs::metadata(path) else {
        return false;
    };
    #[cfg(unix)]
    let runs = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let runs = true;
    metadata.is_file() && runs
}

fn setting(name: &str) -> String {
    format!("ALTINN_LOCAL_{}", name.to_uppercase())
}

fn not_as_named(name: &str, program: &Path) -> Report {
    let setting = setting(name);
    Report::new(Code::ToolMissing, format!("`{setting}` does not name a program"))
        .at(program.display().to_string())
        .why("it must be the absolute path of an executable file")
        .fix(format!("unset {setting}"), "to take the one in our tools folder or on PATH")
}

fn missing(name: &str, tools_dir: &Path) -> Report {
    if matches!(name, "node" | "npm") {
        return Report::new(Code::ToolMissing, format!("`{name}` is not on this machine"))
            .label(Label::Tried, "the absolute folders on PATH")
            .label(Label::Without, "everything but widgets")
            .fix("https://nodejs.org/en/download", "Node 20.19 or newer, which brings npm");
    }
    let page = match name {
        "kind" => "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
        "helm" => "https://helm.sh/docs/intro/install/",
        _ => "https://kubernetes.io/docs/tasks/tools/",
    };
    Report::new(Code::ToolMissing, format!("`{name}` is not on this machine"))
        .label(Label::Tried, format!("`{}` and the absolute folders on PATH", tools_dir.display()))
        .fix("scripts/up", "builds or fetches it from package registries (Debian-like hosts)")
        .fix(page, "how to install it")
        .fix(format!("{}=/path/to/{name}", setting(name)), "to name it")
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn program(folder: &Path, name: &str, mode: u32) -> PathBuf {
        std::fs::create_dir_all(folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_named_one_wins_then_ours_then_path() {
        let root = tempfile::tempdir().unwrap();
        let (tools, bin) = (root.path().join("tools"), root.path().join("bin"));
        let on_path = program(&bin, "kind", 0o755);
        let found = |named: Option<&Path>| find_on("kind", named, &tools, bin.as_os_str());
        assert_eq!(found(None).unwrap(), on_path);
        program(&tools, "kind", 0o644);
        assert_eq!(found(None).unwrap(), on_path, "not executable");
        let ours = program(&tools, "kind", 0o755);
        assert_eq!(found(None).unwrap(), ours);
        let named = program(&root.path().join("named"), "my-kind", 0o755);
        assert_eq!(found(Some(&named)).unwrap(), named);
        let report = found(Some(&root.path().join("gone"))).unwrap_err();
        assert_eq!(report.code, Code::ToolMissing);
        assert!(report.title.contains("ALTINN_LOCAL_KIND"));
    }

    #[test]
    fn a_missing_npm_is_told_as_what_it_is() {
        let report = find_on("npm", None, Path::new("/nowhere"), OsStr::new("")).unwrap_err();
        assert_eq!(report.code, Code::ToolMissing);
        assert!(report.fixes.iter().all(|fix| fix.command.contains("nodejs.org")));
    }

    #[test]
    fn relative_folders_on_path_are_passed_over() {
        for path in ["", ".", ":", "bin:./bin"] {
            let report = find_on("Cargo.toml", None, Path::new("."), OsStr::new(path)).unwrap_err();
            assert_eq!(report.code, Code::ToolMissing, "{path:?}");
            assert_eq!(report.fixes[0].command, "scripts/up");
        }
    }
}
