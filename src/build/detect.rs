//! Finds the app that a folder belongs to, and checks that its parts are there.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::model::{App, AppId, Code, Report};
use crate::sys::lenient;

/// Where an app says who it is.
const METADATA: &str = "App/config/applicationmetadata.json";
/// How long a deploy may take when nobody says otherwise, in seconds.
const DEPLOY_TIMEOUT: u64 = 180;

#[derive(Debug, Deserialize)]
struct Metadata {
    id: String,
}

/// The app in this folder or in the nearest one above it, up to the root of the git repository. What the
/// configuration file adds (arguments, values, exclusions) is left at its defaults.
pub fn find_app(start: &Path) -> Result<App, Report> {
    let start =
        dunce::canonicalize(start).map_err(|error| not_an_app(start).why(error.to_string()))?;
    let root = find_root(&start).ok_or_else(|| not_an_app(&start))?;
    let id = read_id(&root)?;
    let (context, dockerfile) = find_dockerfile(&root)?;
    let deployment = Some(root.join("deployment")).filter(|folder| folder.is_dir());
    Ok(App {
        id,
        root,
        context,
        dockerfile,
        deployment,
        build_args: Vec::new(),
        values: Vec::new(),
        watch_exclude: Vec::new(),
        watch_mode: crate::model::WatchMode::Auto,
        watch_rules: Vec::new(),
        deploy_timeout_seconds: DEPLOY_TIMEOUT,
    })
}

fn not_an_app(start: &Path) -> Report {
    Report::new(Code::NotAnApp, "this folder is not a clone of an Altinn app")
        .at(start.display().to_string())
        .why(format!("`{METADATA}` is neither here nor above"))
        .fix("altinn-local app new ttd/my-app", "make a new app from the template")
}

fn find_root(start: &Path) -> Option<PathBuf> {
    for folder in start.ancestors() {
        if folder.join(METADATA).is_file() {
            return Some(folder.to_path_buf());
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

fn find_dockerfile(root: &Path) -> Result<(PathBuf, PathBuf), Report> {
    for context in [root.to_path_buf(), root.join("App")] {
        let dockerfile = context.join("Dockerfile");
        if dockerfile.is_file() {
            return Ok((context, dockerfile));
        }
    }
    Err(Report::new(Code::DockerfileMissing, "the app has no Dockerfile")
        .at(root.display().to_string())
        .why("there is none in this folder and none in `App/`")
        .fix("altinn-local app new ttd/my-app", "make a new app, and copy the Dockerfile from it"))
}

fn read_id(root: &Path) -> Result<AppId, Report> {
    let bytes = std::fs::read(root.join(METADATA))
        .map_err(|error| broken("the app's metadata cannot be read").why(error.to_string()))?;
    parse_id(&bytes)
}

/// The id of metadata as they are in the field: with a byte order mark, with trailing commas. Upper case is
/// lowered, since the id is also the name of an image and a release.
fn parse_id(bytes: &[u8]) -> Result<AppId, Report> {
    let metadata: Metadata = lenient::read(bytes, METADATA).map_err(|found| {
        broken("the app's metadata cannot be understood")
            .why(found.message.clone())
            .with_diagnostics(vec![*found])
    })?;
    let id = metadata.id.to_lowercase();
    id.parse().map_err(|error| {
        broken(format!("the app's id `{}` is not `org/app`", short(&metadata.id)))
            .why(format!("{error}"))
            .fix("\"id\": \"ttd/my-app\"", "the form that the id has to have")
    })
}

fn broken(title: impl Into<String>) -> Report {
    Report::new(Code::MetadataBroken, title).at(METADATA)
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_of_the_field_are_read() {
        for (text, id) in [
            (r#"{"id":"ttd/my-app"}"#, "ttd/my-app"),
            ("\u{feff}{\"id\": \"ttd/my-app\"}\r\n", "ttd/my-app"),
            (r#"{"id":"ttd/my-app", "dataTypes":[{"id":"x",},],}"#, "ttd/my-app"),
            (r#"{"title":{"nb":"a,}"},"id":"ttd/Frontend-Test"}"#, "ttd/frontend-test"),
            (r#"{"org":"a\",]","id":"ttd/a"}"#, "ttd/a"),
        ] {
            assert_eq!(parse_id(text.as_bytes()).unwrap().to_string(), id, "{text}");
        }
    }

    #[test]
    fn broken_metadata_are_shown_where_they_break() {
        for (text, line, column) in [
            ("{\n  \"id\": \"ttd/a\"\n  \"title\": 1\n}", 3, 3),
            ("{\n  // why\n  \"id\": \"ttd/a\"\n}", 2, 3),
            ("", 1, 0),
            ("{\"id\": \"ttd/a\"", 1, 14),
            ("{\"org\": \"ttd\"}", 1, 14),
        ] {
            let report = parse_id(text.as_bytes()).unwrap_err();
            assert_eq!(report.code, Code::MetadataBroken, "{text}");
            let found: Vec<_> =
                report.diagnostics.iter().map(|found| (found.line, found.column)).collect();
            assert_eq!(found, [(line, column)], "{text}");
        }
    }

    #[test]
    fn ids_that_cannot_be_names_are_refused() {
        for id in ["", "my-app", "ttd/", "/a", "ttd/a/b", "ttd/a b", "ttd/$(x)"] {
            let report = parse_id(format!("{{\"id\":\"{id}\"}}").as_bytes()).unwrap_err();
            assert_eq!(report.code, Code::MetadataBroken, "{id}");
            assert!(report.title.len() <= 80);
        }
    }

    fn file(root: &Path, path: &str, contents: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }

    #[test]
    fn apps_are_found_from_any_folder_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = dunce::canonicalize(folder.path()).unwrap();
        assert_eq!(find_app(&root).unwrap_err().code, Code::NotAnApp);
        file(&root, METADATA, r#"{"id":"ttd/my-app"}"#);
        assert_eq!(find_app(&root).unwrap_err().code, Code::DockerfileMissing);
        file(&root, "App/Dockerfile", "FROM x\n");
        let app = find_app(&root.join("App/config")).unwrap();
        assert_eq!(
            (app.root.clone(), app.context, app.deployment),
            (root.clone(), root.join("App"), None)
        );
        file(&root, "Dockerfile", "FROM x\n");
        file(&root, "deployment/values.yaml", "");
        let app = find_app(&root).unwrap();
        assert_eq!((&app.context, app.deployment), (&root, Some(root.join("deployment"))));
        assert_eq!(app.dockerfile, root.join("Dockerfile"));
    }

    #[test]
    fn the_search_ends_at_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        file(folder.path(), METADATA, r#"{"id":"ttd/my-app"}"#);
        file(folder.path(), "Dockerfile", "FROM x\n");
        file(folder.path(), "vendor/other/.git/HEAD", "");
        let report = find_app(&folder.path().join("vendor/other")).unwrap_err();
        assert_eq!(report.code, Code::NotAnApp);
    }
}
