//! Finds the widgets of an app: those the configuration names, and those in `widgets/` whose `package.json` carries
//! our mark.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::settings::WantedWidget;
use crate::model::{Code, Report, WidgetName};
use crate::sys::fs;

/// The folder of an app where `widget new` puts widgets.
pub(super) const FOLDER: &str = "widgets";

/// Where a project's code may begin when it does not say.
const ENTRIES: &[&str] = &["src/main.ts", "src/main.tsx", "src/index.ts", "src/index.tsx"];

/// A widget's project, looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Widget {
    /// Unique within its app.
    pub name: WidgetName,
    /// The project's folder, absolute.
    pub root: PathBuf,
    /// The web component's name; none when the project does not tell it.
    pub tag_name: Option<String>,
    /// The module that registers the web component, relative to the folder, with forward slashes.
    pub entry: String,
    /// What starts its dev server, for a shell; none is Vite itself.
    pub command: Option<String>,
}

/// What we read of a `package.json`.
#[derive(Debug, Default, Deserialize)]
struct Package {
    #[serde(rename = "altinn-local")]
    mark: Option<Mark>,
}

/// The key `altinn-local` of a `package.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    widget: WidgetName,
    tag_name: String,
    entry: Option<String>,
}

/// The widgets of an app: the named ones, and with `all` also those found in `widgets/`; in order of name.
pub fn find(app: &Path, named: &[WantedWidget], all: bool) -> Result<Vec<Widget>, Report> {
    let mut widgets = named.iter().map(read_named).collect::<Result<Vec<_>, _>>()?;
    if all {
        for root in folders(&app.join(FOLDER)) {
            let is_new = widgets.iter().all(|widget: &Widget| widget.root != root);
            if let Some(mark) = read_package(&root)?.mark
                && is_new
            {
                widgets.push(marked(root, mark)?);
            }
        }
    }
    widgets.sort_by(|a, b| a.name.cmp(&b.name));
    match widgets.windows(2).find(|pair| pair[0].name == pair[1].name) {
        None => Ok(widgets),
        Some(pair) => {
            let [one, other] = [&pair[0], &pair[1]].map(|widget| widget.root.display());
            Err(Report::new(
                Code::WidgetInvalid,
                format!("two widgets are named `{}`", pair[0].name),
            )
            .at(format!("{one} and {other}"))
            .fix("altinn-local.widget in package.json", "give one of them another name"))
        }
    }
}

/// Whether a text can be the name of a web component; only such texts get into scripts and layouts.
pub(super) fn is_tag_name(text: &str) -> bool {
    /// Names that look like one but belong to other standards.
    const TAKEN: &[&str] = &[
        "annotation-xml",
        "color-profile",
        "font-face",
        "font-face-format",
        "font-face-name",
        "font-face-src",
        "font-face-uri",
        "missing-glyph",
    ];
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.contains('-')
        && text.chars().all(allowed)
        && !TAKEN.contains(&text)
}

fn read_named(wanted: &WantedWidget) -> Result<Widget, Report> {
    let root = dunce::canonicalize(&wanted.root).map_err(|error| {
        Report::new(Code::WidgetInvalid, "a widget's folder is not there")
            .at(wanted.root.display().to_string())
            .why(error.to_string())
    })?;
    let mut widget = match read_package(&root)?.mark {
        Some(mark) => marked(root, mark)?,
        None => unmarked(root, wanted.name.as_ref())?,
    };
    if let Some(name) = &wanted.name {
        widget.name = name.clone();
    }
    widget.command.clone_from(&wanted.command);
    Ok(widget)
}

fn marked(root: PathBuf, mark: Mark) -> Result<Widget, Report> {
    if !is_tag_name(&mark.tag_name) {
        let title = format!("`{}` cannot name a web component", short(&mark.tag_name));
        return Err(invalid(&root, title).why(
            "the name has a hyphen in it, is of lower-case letters and digits, and is not taken",
        ));
    }
    let entry = match mark.entry {
        Some(entry) => entry,
        None => entry_of(&root)?,
    };
    Ok(Widget { name: mark.widget, tag_name: Some(mark.tag_name), entry, command: None, root })
}

/// A project that was not made by us, named by the user or by its folder.
fn unmarked(root: PathBuf, name: Option<&WidgetName>) -> Result<Widget, Report> {
    let folder = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.cloned().map_or_else(|| folder.parse(), Ok).map_err(|error| {
        invalid(&root, "a widget has no name")
            .why(format!("its folder cannot name it: {error}"))
            .fix("name: my-widget", "beside its `path` in altinn-local.yaml")
    })?;
    Ok(Widget { name, tag_name: None, entry: entry_of(&root)?, command: None, root })
}

fn entry_of(root: &Path) -> Result<String, Report> {
    let found = ENTRIES.iter().find(|entry| root.join(entry).is_file());
    found.map(|entry| (*entry).to_owned()).ok_or_else(|| {
        invalid(root, "a widget's first module was not found")
            .why(format!("none of {} is there", ENTRIES.join(", ")))
            .fix("\"altinn-local\": { \"entry\": \"src/x.ts\", … }", "name it in package.json")
    })
}

fn read_package(root: &Path) -> Result<Package, Report> {
    let Some(bytes) = fs::read_if_there(&root.join("package.json"))? else {
        return Err(invalid(root, "a widget's folder has no `package.json`"));
    };
    serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)).map_err(|error| {
        invalid(root, "a widget's `package.json` is not valid").why(error.to_string())
    })
}

fn invalid(root: &Path, title: impl Into<String>) -> Report {
    Report::new(Code::WidgetInvalid, title).at(root.join("package.json").display().to_string())
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The projects in a folder; what has no `package.json` is none.
fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let projects = entries.map(|entry| entry.path());
    projects
        .filter(|folder| folder.join("package.json").is_file())
        .filter_map(|folder| dunce::canonicalize(folder).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(app: &Path, path: &str, package: &str) {
        let root = app.join(path);
        std::fs::create_dir_all(root.join("src")).unwrap();
        std::fs::write(root.join("package.json"), package).unwrap();
        std::fs::write(root.join("src/main.ts"), "").unwrap();
    }

    fn mark(name: &str, tag: &str) -> String {
        format!(r#"{{"altinn-local": {{"widget": "{name}", "tagName": "{tag}"}}}}"#)
    }

    fn wanted(app: &Path, path: &str, name: Option<&str>) -> WantedWidget {
        let name = name.map(|name| name.parse().unwrap());
        WantedWidget { root: app.join(path), name, command: None }
    }

    #[test]
    fn marked_projects_are_found_and_others_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path();
        project(app, "widgets/b", &mark("b", "widget-b"));
        project(app, "widgets/a", &mark("a", "widget-a"));
        project(app, "widgets/tool", "{}");
        project(app, "elsewhere/map", "{}");
        std::fs::create_dir(app.join("widgets/empty")).unwrap();
        let found = |named: &[WantedWidget], all| {
            let widgets = find(app, named, all).unwrap();
            widgets.iter().map(|widget| widget.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found(&[], false), Vec::<String>::new());
        assert_eq!(found(&[], true), ["a", "b"]);
        let named = [wanted(app, "elsewhere/map", None), wanted(app, "widgets/b", Some("z"))];
        assert_eq!(found(&named, false), ["map", "z"]);
        assert_eq!(found(&named, true), ["a", "map", "z"]);
    }

    #[test]
    fn what_cannot_be_a_widget_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path();
        project(app, "one", &mark("same", "widget-one"));
        project(app, "two", &mark("same", "widget-two"));
        project(app, "tag", &mark("tag", "widget\\\");alert(1)//"));
        project(app, "Upper", "{}");
        project(app, "broken", "{");
        for paths in [&["one", "two"][..], &["tag"], &["Upper"], &["broken"], &["gone"]] {
            let named: Vec<_> = paths.iter().map(|path| wanted(app, path, None)).collect();
            let report = find(app, &named, false).unwrap_err();
            assert_eq!(report.code, Code::WidgetInvalid, "{paths:?}");
            assert!(report.title.chars().count() <= 80);
        }
    }

    #[test]
    fn names_of_web_components_follow_the_rule() {
        for good in ["widget-a", "a-b", "my-map.v2", "x-"] {
            assert!(is_tag_name(good), "{good}");
        }
        for bad in ["", "map", "Map-a", "1-a", "-a", "a-ø", "font-face", "a-b\"", "a-b c"] {
            assert!(!is_tag_name(bad), "{bad:?}");
        }
    }
}
