//! `app new ORG/APP [DIR]`: a new app from the template that is built in.

use std::fmt;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use serde::Serialize;

use crate::model::{AppId, Code, InvalidName, Report};
use crate::sys::project::{self, NewFile};

#[derive(RustEmbed)]
#[folder = "templates/app"]
#[exclude = "**/bin/*"]
#[exclude = "**/obj/*"]
struct Template;

/// What was made.
#[derive(Debug, Serialize)]
pub struct Made {
    schema: &'static str,
    app: AppId,
    directory: PathBuf,
    files: usize,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.display();
        writeln!(f, "Made {} in `{directory}` ({} files, one commit).\n", self.app, self.files)?;
        writeln!(f, "Next:")?;
        writeln!(f, "  cd {directory}")?;
        write!(
            f,
            "  altinn-local up      bring it up with all of Altinn around it; then each save is live"
        )
    }
}

/// Makes the app in `directory` (relative to `here`), or in a folder of the app's name.
pub fn run(app: &str, directory: Option<&Path>, here: &Path) -> Result<Made, Report> {
    let app: AppId = app.parse().map_err(|error: InvalidName| {
        Report::new(Code::NameInvalid, "the app's name is not valid")
            .why(error.to_string())
            .fix("altinn-local app new ttd/my-app", "organisation and app, as in Altinn Studio")
    })?;
    let directory = directory.unwrap_or(Path::new(app.app.as_str())).to_path_buf();
    let files = files(&app);
    project::create(&here.join(&directory), &files)?;
    Ok(Made { schema: "altinn-local/app-new/1", app, directory, files: files.len() })
}

fn files(app: &AppId) -> Vec<NewFile> {
    Template::iter()
        .filter_map(|path| {
            let contents = filled(&Template::get(&path)?.data, app);
            // Embedded files have lost their permission bits; scripts say what they are.
            Some(NewFile {
                executable: contents.starts_with(b"#!"),
                path: path.into_owned(),
                contents,
            })
        })
        .collect()
}

/// The contents with the app's names; what is not text stays as it is.
fn filled(contents: &[u8], app: &AppId) -> Vec<u8> {
    match std::str::from_utf8(contents) {
        Ok(text) => text
            .replace("__ORG__", app.org.as_str())
            .replace("__APP__", app.app.as_str())
            .into_bytes(),
        Err(_) => contents.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_app_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let made = run("ttd/my-app", None, folder.path()).unwrap();
        let root = folder.path().join("my-app");
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        let metadata: serde_json::Value =
            serde_json::from_str(&read("App/config/applicationmetadata.json")).unwrap();
        assert_eq!(metadata["id"], "ttd/my-app");
        assert!(root.join("Dockerfile").is_file());
        assert!(root.join(".gitignore").is_file());
        assert!(root.join(".git/HEAD").is_file());
        for file in files(&made.app) {
            let text = String::from_utf8_lossy(&file.contents).into_owned();
            assert!(!text.contains("__ORG__") && !text.contains("__APP__"), "{}", file.path);
        }
        insta::with_settings!({filters => vec![(r"\d+ files", "[n] files")]}, {
            insta::assert_snapshot!(made.to_string());
        });
        let again = run("ttd/my-app", None, folder.path()).unwrap_err();
        assert_eq!(again.code, Code::TargetExists);
    }

    #[test]
    fn bad_names_are_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["app", "Ttd/app", "ttd/my_app", "ttd/../x", "ttd/", ""] {
            let report = run(name, None, folder.path()).unwrap_err();
            assert_eq!(report.code, Code::NameInvalid, "{name}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_not_text_stays_as_it_is() {
        let app: AppId = "ttd/a".parse().unwrap();
        assert_eq!(filled(b"\xff__APP__", &app), b"\xff__APP__");
        assert_eq!(filled(b"__ORG__/__APP__", &app), b"ttd/a");
    }
}
