//! Writes a new widget from the template that is built in.

use std::path::Path;

use rust_embed::RustEmbed;

use super::project::{FOLDER, is_tag_name};
use crate::model::{Code, Report, WidgetName};
use crate::sys::project::{self, NewFile};

#[derive(RustEmbed)]
#[folder = "templates/widget"]
#[exclude = "node_modules/*"]
#[exclude = "dist/*"]
struct Template;

/// Writes the widget's project into a folder that is not there or empty; tells the web component's name.
pub fn create(folder: &Path, name: &WidgetName) -> Result<String, Report> {
    let tag_name = tag_name(name)?;
    let other = format!("altinn-local widget new {name} --dir {FOLDER}/OTHER-FOLDER");
    project::write_new(folder, &files(name, &tag_name), &other)?;
    Ok(tag_name)
}

/// The name of a web component has a hyphen in it; a name without one gets a prefix.
fn tag_name(name: &WidgetName) -> Result<String, Report> {
    let tag_name =
        if name.as_str().contains('-') { name.to_string() } else { format!("widget-{name}") };
    if is_tag_name(&tag_name) {
        return Ok(tag_name);
    }
    Err(Report::new(Code::NameInvalid, format!("`{name}` cannot name a web component"))
        .why("browsers keep this name for themselves")
        .fix(format!("altinn-local widget new my-{name}"), "another name"))
}

fn files(name: &WidgetName, tag_name: &str) -> Vec<NewFile> {
    Template::iter()
        .filter_map(|path| {
            // All of the template is text.
            let text = String::from_utf8_lossy(&Template::get(&path)?.data)
                .replace("__NAME__", name.as_str())
                .replace("__TAG__", tag_name);
            let contents = text.into_bytes();
            Some(NewFile { path: path.into_owned(), contents, executable: false })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::widgets::find;

    #[test]
    fn a_new_widget_is_one_that_is_found() {
        let app = tempfile::tempdir().unwrap();
        for (name, tag_name) in [("map", "widget-map"), ("my-map", "my-map")] {
            let name: WidgetName = name.parse().unwrap();
            let folder = app.path().join("widgets").join(name.as_str());
            assert_eq!(create(&folder, &name).unwrap(), tag_name);
            let found = find(app.path(), &[], true).unwrap();
            let found = found.iter().find(|widget| widget.name == name).unwrap();
            assert_eq!(found.tag_name.as_deref(), Some(tag_name));
            assert!(
                folder.join(".gitignore").is_file() && folder.join("package-lock.json").is_file()
            );
            assert!(!folder.join("node_modules").exists());
            for file in files(&name, tag_name) {
                let text = String::from_utf8(file.contents).unwrap();
                assert!(!text.contains("__NAME__") && !text.contains("__TAG__"), "{}", file.path);
            }
            assert_eq!(create(&folder, &name).unwrap_err().code, Code::TargetExists);
        }
    }

    #[test]
    fn names_that_browsers_keep_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let report = create(&folder.path().join("x"), &"font-face".parse().unwrap()).unwrap_err();
        assert_eq!(report.code, Code::NameInvalid);
        assert!(!folder.path().join("x").exists());
    }

    #[test]
    fn versions_are_pinned_and_come_from_nowhere_in_particular() {
        let text =
            |path: &str| String::from_utf8(Template::get(path).unwrap().data.into()).unwrap();
        let package: serde_json::Value = serde_json::from_str(&text("package.json")).unwrap();
        for group in ["dependencies", "devDependencies"] {
            for (name, version) in package[group].as_object().unwrap() {
                let version = version.as_str().unwrap();
                assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{name} {version}");
            }
        }
        let lock: serde_json::Value = serde_json::from_str(&text("package-lock.json")).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert_eq!(packages[""]["dependencies"], package["dependencies"]);
        assert_eq!(packages[""]["devDependencies"], package["devDependencies"]);
        for (name, locked) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(locked["integrity"].is_string() && locked["resolved"].is_null(), "{name}");
        }
    }
}
