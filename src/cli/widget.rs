//! `widget new`, `widget build`, `widget list`: the React widgets of the app one stands in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::args;
use super::{Context, show};
use crate::config::settings::WantedApp;
use crate::model::{Code, InvalidName, Report, WidgetName};
use crate::sys::dockerignore::Dockerignore;
use crate::widgets::{self, Bundle, Toolchain, Widget};

pub(super) async fn run(context: &Context<'_>, wanted: args::Widget) -> Result<ExitCode, Report> {
    let settings = context.settings()?;
    let app = app(settings.require_apps()?, &context.directory)?;
    match wanted {
        args::Widget::New { name, dir } => {
            let made = new(&name, dir.as_deref(), &context.directory, &app.root)?;
            show(context.printer, &made);
        }
        args::Widget::Build { names } => show(context.printer, &build(context, app, &names).await?),
        args::Widget::List => {
            let widgets = widgets::find(&app.root, &app.widgets, true)?;
            show(context.printer, &List { schema: "altinn-local/widget-list/1", widgets });
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The app one stands in; the only one, when there is one.
fn app<'a>(apps: &'a [WantedApp], here: &Path) -> Result<&'a WantedApp, Report> {
    match apps {
        [app] => Ok(app),
        apps => apps.iter().find(|app| here.starts_with(&app.root)).ok_or_else(|| {
            Report::new(Code::NotAnApp, "there are several apps here")
                .why("widgets belong to one of them")
                .fix("altinn-local -C DIR widget …", "name the folder of the app")
        }),
    }
}

/// What `widget new` made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    schema: &'static str,
    widget: WidgetName,
    tag_name: String,
    directory: PathBuf,
    /// The layout component to paste.
    layout: serde_json::Value,
    /// Where the widget is not in `widgets/`: what `altinn-local.yaml` needs.
    configuration: Option<String>,
    /// Whether a build of the app's image would be given the widget's sources.
    in_image: bool,
}

/// Writes a new widget. `directory` is relative to `here`; `widgets/NAME` of the app when left out.
pub fn new(name: &str, directory: Option<&Path>, here: &Path, app: &Path) -> Result<Made, Report> {
    let name: WidgetName = name.parse().map_err(|error: InvalidName| {
        Report::new(Code::NameInvalid, "the widget's name is not valid")
            .why(error.to_string())
            .fix("altinn-local widget new my-map", "a name as web components have them")
    })?;
    let own = app.join("widgets").join(name.as_str());
    let folder = directory.map_or_else(|| own.clone(), |directory| here.join(directory));
    let tag_name = widgets::create(&folder, &name)?;
    let folder = dunce::canonicalize(&folder).unwrap_or(folder);
    let relative = folder.strip_prefix(app).unwrap_or(&folder).to_path_buf();
    let is_found = folder.parent() == own.parent();
    Ok(Made {
        schema: "altinn-local/widget-new/1",
        layout: serde_json::json!({
            "id": name,
            "type": "Custom",
            "tagName": tag_name,
            "textResourceBindings": { "title": format!("{name}.title") },
            "dataModelBindings": { "simpleBinding": "a.field.of.the.model" },
        }),
        configuration: (!is_found)
            .then(|| format!("apps: [{{path: ., widgets: [{{path: {}}}]}}]", relative.display())),
        in_image: is_found && !is_docker_ignored(app),
        widget: name,
        tag_name,
        directory: relative,
    })
}

/// Whether `widgets/` stays out of the app's image. It does when the image is built from `App/`.
fn is_docker_ignored(app: &Path) -> bool {
    if !app.join("Dockerfile").is_file() {
        return true;
    }
    let ignore = Dockerignore::parse(&std::fs::read(app.join(".dockerignore")).unwrap_or_default());
    ignore.child(&ignore.root(), b"widgets").excluded
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.display();
        writeln!(
            f,
            "Made widget {}, web component <{}>, in `{directory}`.\n",
            self.widget, self.tag_name
        )?;
        writeln!(f, "For a layout in `App/ui/*/layouts/`, with your own binding and text:\n")?;
        for line in format!("{:#}", self.layout).lines() {
            writeln!(f, "  {line}")?;
        }
        if let Some(configuration) = &self.configuration {
            writeln!(
                f,
                "\nFor `altinn-local.yaml`, because it is not in `widgets/`:\n\n  {configuration}"
            )?;
        }
        if self.in_image {
            writeln!(
                f,
                "\nFor `.dockerignore`, because the image needs only what is built:\n\n  widgets"
            )?;
        }
        writeln!(f, "\nNext:")?;
        writeln!(
            f,
            "  altinn-local up --profile widgets    each save shows in the running app, state kept"
        )?;
        writeln!(
            f,
            "  altinn-local widget build            the bundle into App/wwwroot/widgets; commit it"
        )?;
        write!(
            f,
            "  npm run story                        in `{directory}`: the widget with knobs, without any app"
        )
    }
}

/// What `widget build` built.
#[derive(Debug, Serialize)]
struct Built {
    schema: &'static str,
    widgets: BTreeMap<WidgetName, Bundle>,
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, Bundle { js, css, .. }) in &self.widgets {
            writeln!(f, "{name}: {}", [vec![js.clone()], css.clone()].concat().join(", "))?;
        }
        write!(
            f,
            "In App/wwwroot/widgets; a page loads all with <script type=\"module\" src=\"…/widgets/loader.js\">"
        )
    }
}

async fn build(
    context: &Context<'_>,
    app: &WantedApp,
    names: &[WidgetName],
) -> Result<Built, Report> {
    let widgets = chosen(widgets::find(&app.root, &app.widgets, true)?, names)?;
    let toolchain = Toolchain::find(&context.environment, &context.dirs.tools)?;
    let printer = context.printer;
    let mut built = BTreeMap::new();
    for widget in widgets {
        printer.note(format!("Building widget {} …", widget.name));
        let each = |line: &str| {
            if printer.verbose() > 0 {
                printer.note(format!("  {}", crate::events::clean(line)));
            }
        };
        let bundle = widgets::build(&app.root, &widget, &toolchain, each).await?;
        built.insert(widget.name, bundle);
    }
    Ok(Built { schema: "altinn-local/widget-build/1", widgets: built })
}

/// The widgets of these names; all without names.
fn chosen(widgets: Vec<Widget>, names: &[WidgetName]) -> Result<Vec<Widget>, Report> {
    let known = |name: &&WidgetName| widgets.iter().any(|widget| widget.name == **name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let report = Report::new(Code::NotFound, format!("the app has no widget `{name}`"));
        let all: Vec<_> = widgets.iter().map(|widget| widget.name.as_str()).collect();
        return Err(match all.as_slice() {
            [] => report.fix(format!("altinn-local widget new {name}"), "make it"),
            all => {
                report.fix(format!("altinn-local widget build {}", all.join(" ")), "those it has")
            }
        });
    }
    if widgets.is_empty() {
        return Err(Report::new(Code::NotFound, "the app has no widgets")
            .fix("altinn-local widget new my-map", "make one"));
    }
    let is_wanted = |widget: &Widget| names.is_empty() || names.contains(&widget.name);
    Ok(widgets.into_iter().filter(is_wanted).collect())
}

/// What `widget list` tells.
#[derive(Debug, Serialize)]
struct List {
    schema: &'static str,
    widgets: Vec<Widget>,
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.widgets.is_empty() {
            return f.write_str("No widgets. `altinn-local widget new NAME` makes one.");
        }
        let lines: Vec<String> = self.widgets.iter().map(line).collect();
        f.write_str(&lines.join("\n"))
    }
}

fn line(widget: &Widget) -> String {
    let tag = widget.tag_name.as_deref().map_or_else(String::new, |tag| format!("<{tag}>"));
    format!("{:<16} {tag:<24} {}", widget.name.as_str(), widget.root.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn an_app(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = dunce::canonicalize(folder.path()).unwrap();
        for (path, text) in files {
            std::fs::write(root.join(path), text).unwrap();
        }
        (folder, root)
    }

    #[test]
    fn what_was_made_is_told_with_what_to_paste() {
        let (_folder, app) = an_app(&[("Dockerfile", ""), (".dockerignore", "widgets\n")]);
        insta::assert_snapshot!(new("map", None, &app, &app).unwrap());
        let (_folder, app) = an_app(&[("Dockerfile", "")]);
        let made = new("my-map", Some(Path::new("shared/map")), &app, &app).unwrap();
        insta::assert_snapshot!(made);
        assert!(new("map", None, &app, &app).unwrap().in_image);
    }

    #[test]
    fn bad_names_are_refused_before_anything_is_written() {
        let (_folder, app) = an_app(&[]);
        for name in ["Map", "1map", "map-", "../map", "a b", "", "font-face"] {
            let report = new(name, None, &app, &app).unwrap_err();
            assert_eq!(report.code, Code::NameInvalid, "{name}");
        }
        assert_eq!(std::fs::read_dir(&app).unwrap().count(), 0);
    }
}
