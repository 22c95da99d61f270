//! `config schema`, `config validate`, `config show`.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::config::settings::{self, Settings};
use crate::config::{schema, yaml};
use crate::model::{Code, Report};

/// The JSON schema of `altinn-local.yaml`. It has one form.
#[must_use]
pub fn schema() -> Value {
    schema::json_schema()
}

/// Files that were found good.
#[derive(Debug, Serialize)]
pub struct Valid {
    schema: &'static str,
    ok: bool,
    files: Vec<PathBuf>,
}

impl fmt::Display for Valid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
        write!(f, "valid: {}", names.join(", "))
    }
}

/// Checks one file, or the project's own with its overlay.
pub fn validate(
    file: Option<&Path>,
    settings: impl FnOnce() -> Result<Settings, Report>,
) -> Result<Valid, Report> {
    let files = match file {
        Some(file) => {
            settings::read_file(file)?;
            vec![file.to_path_buf()]
        }
        None => settings()?.files,
    };
    if files.is_empty() {
        return Err(Report::new(
            Code::ConfigUnreadable,
            "there is no `altinn-local.yaml` to check",
        )
        .why("inside an app's repository none is needed")
        .fix("altinn-local config show", "show the settings that hold here"));
    }
    Ok(Valid { schema: "altinn-local/config-validate/1", ok: true, files })
}

/// The settings that hold here, as YAML or JSON.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Shown(Settings);

/// Shows settings.
#[must_use]
pub fn show(settings: Settings) -> Shown {
    Shown(settings)
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = yaml::write(&self.0).map_err(|_| fmt::Error)?;
        f.write_str(text.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::Environment;
    use crate::config::settings::Overrides;

    #[test]
    fn shown_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(settings::FILE);
        let resolve =
            || Settings::resolve(folder.path(), Overrides::default(), &Environment::default());
        assert!(validate(None, resolve).is_err());
        std::fs::write(&file, "apps: [{path: .}]\nparts: {postgres: 'postgres:16'}\n").unwrap();
        assert_eq!(validate(None, resolve).unwrap().files.len(), 1);
        assert!(validate(Some(&file), || unreachable!()).is_ok());
        assert!(validate(Some(&folder.path().join("no.yaml")), || unreachable!()).is_err());
        let root = dunce::canonicalize(folder.path()).unwrap().display().to_string();
        let shown = show(resolve().unwrap()).to_string().replace(&root, "[project]");
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn the_schema_is_stable() {
        insta::assert_json_snapshot!(schema());
    }
}
