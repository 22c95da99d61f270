//! Builds a widget and puts what came out where the app serves it: `App/wwwroot/widgets/`, named by content, with a
//! manifest that tells pages which files are the newest.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::install::install;
use super::project::Widget;
use super::toolchain::Toolchain;
use crate::model::{Code, Diagnostic, Report, Severity, WidgetName};
use crate::sys::fs;

/// Where an app serves its widgets from.
const SERVED: &str = "App/wwwroot/widgets";
/// The script that loads them; the same file is part of a new app.
const LOADER: &[u8] = include_bytes!("../../templates/app/App/wwwroot/widgets/loader.js");

/// What was built, as it stands in the app's manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    /// The web component's name, when it is known.
    pub tag_name: Option<String>,
    /// The module, a file name.
    pub js: String,
    /// The style sheets, file names.
    pub css: Vec<String>,
}

/// `manifest.json` beside the bundles.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    schema: String,
    widgets: BTreeMap<WidgetName, Bundle>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { schema: "altinn-local/widgets/1".to_owned(), widgets: BTreeMap::new() }
    }
}

/// One file of Vite's own manifest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    file: String,
    #[serde(default)]
    is_entry: bool,
    #[serde(default)]
    css: Vec<String>,
    #[serde(default)]
    imports: Vec<String>,
    #[serde(default)]
    dynamic_imports: Vec<String>,
    #[serde(default)]
    assets: Vec<String>,
}

/// Installs what is missing, builds, and replaces the widget's files in the app. `each` hears the programs' lines.
pub async fn build(
    app: &Path,
    widget: &Widget,
    toolchain: &Toolchain,
    mut each: impl FnMut(&str),
) -> Result<Bundle, Report> {
    install(widget, toolchain, &mut each).await?;
    let mut lines = Vec::new();
    let finished = toolchain.npm(&widget.root).args(["run", "build"]).run(|line| {
        each(line);
        lines.push(line.to_owned());
    });
    let title = format!("widget `{}` does not build", widget.name);
    let finished = finished.await?.success(Code::WidgetBuildFailed, &title);
    finished.map_err(|report| explain(report, &lines, app, &widget.root))?;
    place(app, widget)
}

/// The report with the compiler's findings; they tell more than the last lines, which are npm's.
fn explain(report: Report, lines: &[String], app: &Path, root: &Path) -> Report {
    let mut found = Vec::new();
    for line in lines {
        if let Some(finding) = finding(line, app, root)
            && !found.contains(&finding)
        {
            found.push(finding);
        }
    }
    if found.is_empty() {
        return report;
    }
    let why = format!("{} error{}", found.len(), if found.len() == 1 { "" } else { "s" });
    Report::new(report.code, report.title).why(why).with_diagnostics(found)
}

/// A finding of the TypeScript compiler, `src/a.tsx(1,2): error TS1: text`, or of Vite, `/x/src/a.tsx:1:2: ERROR: text`
/// and `src/a.tsx (1:2): text`.
fn finding(line: &str, app: &Path, root: &Path) -> Option<Diagnostic> {
    let (place, code, message) = if let Some((place, rest)) = line.split_once(": error TS") {
        let (number, message) = rest.split_once(": ")?;
        (place, format!("TS{number}"), message)
    } else if let Some((place, message)) = line.split_once(": ERROR: ") {
        (place, String::new(), message)
    } else {
        let (place, message) = line.split_once("): ")?;
        (place.contains(" (").then_some(place)?, String::new(), message)
    };
    let mut parts = place.trim_end_matches(')').rsplitn(3, ['(', ',', ':']);
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    let file = root.join(parts.next()?.trim_end());
    let file = file.strip_prefix(app).unwrap_or(&file);
    Some(Diagnostic {
        file: crate::sys::walk::path_text(file),
        line,
        column,
        code,
        severity: Severity::Error,
        message: message.to_owned(),
    })
}

/// New files first, then the manifest that names them, and only then the old ones go: whoever looks meanwhile finds
/// a whole widget.
fn place(app: &Path, widget: &Widget) -> Result<Bundle, Report> {
    let (dist, served) = (widget.root.join("dist"), app.join(SERVED));
    let entry = entry(&dist)?;
    let put = |file: &String| -> Result<String, Report> {
        let contents = fs::read_if_there(&dist.join(file))?
            .ok_or_else(|| unusable(&dist, &format!("it names `{file}`, which is not there")))?;
        let base = file.rsplit('/').next().unwrap_or(file);
        let own = format!("{}-", widget.name);
        let name = if base.starts_with(&own) { base.to_owned() } else { own + base };
        fs::replace(&served.join(&name), &contents)?;
        Ok(name)
    };
    let css = entry.css.iter().map(put).collect::<Result<_, _>>()?;
    let bundle = Bundle { tag_name: widget.tag_name.clone(), js: put(&entry.file)?, css };

    let path = served.join("manifest.json");
    let mut manifest: Manifest = fs::read_if_there(&path)?
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let before = manifest.widgets.insert(widget.name.clone(), bundle.clone());
    let mut text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Report::bug("a manifest has no JSON form", &error))?;
    text.push(b'\n');
    fs::replace(&served.join("loader.js"), LOADER)?;
    fs::replace(&path, &text)?;

    for name in outdated(&served, &widget.name, before.as_ref(), &bundle) {
        fs::remove_if_there(&served.join(name))?;
    }
    Ok(bundle)
}

/// The one module that came out of a build.
fn entry(dist: &Path) -> Result<Chunk, Report> {
    let bytes = fs::read_if_there(&dist.join(".vite/manifest.json"))?
        .ok_or_else(|| unusable(dist, "it left no `.vite/manifest.json`"))?;
    let chunks: BTreeMap<String, Chunk> =
        serde_json::from_slice(&bytes).map_err(|error| unusable(dist, &error.to_string()))?;
    let mut entries = chunks.into_values().filter(|chunk| chunk.is_entry);
    match (entries.next(), entries.next()) {
        (Some(entry), None) => {
            let more = [&entry.imports, &entry.dynamic_imports, &entry.assets];
            if more.iter().all(|files| files.is_empty()) {
                return Ok(entry);
            }
            Err(unusable(dist, "it made more than one module and its style sheets"))
        }
        _ => Err(unusable(dist, "it has not exactly one entry")),
    }
}

fn unusable(dist: &Path, why: &str) -> Report {
    Report::new(Code::WidgetBuildFailed, "what the build made cannot be used")
        .at(dist.display().to_string())
        .why(why)
        .fix(
            "build: { manifest: true, rollupOptions: { input: \"src/main.ts\", output: { inlineDynamicImports: true } } }",
            "in vite.config.ts, as a new widget has it",
        )
}

/// Files of former builds: those the last manifest named, and those whose names have the form of ours.
fn outdated(
    served: &Path,
    widget: &WidgetName,
    before: Option<&Bundle>,
    now: &Bundle,
) -> Vec<String> {
    let is_now = |name: &String| *name == now.js || now.css.contains(name);
    let named = before.into_iter().flat_map(|bundle| bundle.css.iter().chain([&bundle.js]));
    // A manifest is a file of the project: a path in it must not lead out of the folder.
    let named = named.filter(|name| !name.contains(['/', '\\'])).cloned();
    let there = std::fs::read_dir(served).into_iter().flatten().flatten();
    let there = there.filter_map(|entry| entry.file_name().into_string().ok());
    there.filter(|name| is_ours(name, widget)).chain(named).filter(|name| !is_now(name)).collect()
}

/// `NAME-01234567.js` or `.css`. A widget whose name begins with this one's has at least two characters more.
fn is_ours(name: &str, widget: &WidgetName) -> bool {
    let hash = name
        .strip_prefix(widget.as_str())
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_suffix(".js").or(rest.strip_suffix(".css")));
    hash.is_some_and(|hash| hash.len() == 8 && hash.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widget(app: &Path, name: &str) -> Widget {
        Widget {
            name: name.parse().unwrap(),
            root: app.join("widgets").join(name),
            tag_name: Some(format!("widget-{name}")),
            entry: "src/main.ts".to_owned(),
            command: None,
        }
    }

    fn built(widget: &Widget, hash: &str, manifest: &str) {
        let dist = widget.root.join("dist");
        std::fs::create_dir_all(dist.join(".vite")).unwrap();
        let name = &widget.name;
        std::fs::write(dist.join(format!("{name}-{hash}.js")), hash).unwrap();
        std::fs::write(dist.join(format!("{name}-{hash}.css")), hash).unwrap();
        let manifest = manifest.replace("NAME", &format!("{name}-{hash}"));
        std::fs::write(dist.join(".vite/manifest.json"), manifest).unwrap();
    }

    const ONE: &str =
        r#"{"src/main.ts": {"file": "NAME.js", "isEntry": true, "css": ["NAME.css"]}}"#;

    fn served(app: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(app.join(SERVED)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn only_the_newest_build_of_each_widget_stays() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path();
        let (map, map_two) = (widget(app, "map"), widget(app, "map-two"));
        built(&map_two, "aaaaaaaa", ONE);
        place(app, &map_two).unwrap();
        for hash in ["11111111", "22222222"] {
            built(&map, hash, ONE);
            assert_eq!(place(app, &map).unwrap().js, format!("map-{hash}.js"));
        }
        let names = [
            "loader.js",
            "manifest.json",
            "map-22222222.css",
            "map-22222222.js",
            "map-two-aaaaaaaa.css",
            "map-two-aaaaaaaa.js",
        ];
        assert_eq!(served(app), names);
        // Nor does it matter that the manifest was lost.
        std::fs::remove_file(app.join(SERVED).join("manifest.json")).unwrap();
        built(&map, "33333333", ONE);
        place(app, &map).unwrap();
        assert_eq!(served(app).iter().filter(|name| name.starts_with("map-2")).count(), 0);
        let manifest = std::fs::read_to_string(app.join(SERVED).join("manifest.json")).unwrap();
        insta::assert_snapshot!(manifest);
    }

    #[test]
    fn what_is_not_one_module_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let map = widget(folder.path(), "map");
        for manifest in [
            "{",
            "{}",
            r#"{"a": {"file": "NAME.js", "isEntry": true, "dynamicImports": ["b"]}}"#,
            r#"{"a": {"file": "gone.js", "isEntry": true}}"#,
            r#"{"a": {"file": "NAME.js", "isEntry": true}, "b": {"file": "NAME.js", "isEntry": true}}"#,
        ] {
            built(&map, "11111111", manifest);
            let report = place(folder.path(), &map).unwrap_err();
            assert_eq!(report.code, Code::WidgetBuildFailed, "{manifest}");
        }
    }

    #[test]
    fn findings_of_each_compiler_are_read() {
        let (app, root) = (Path::new("/app"), Path::new("/app/widgets/map"));
        for (line, expected) in [
            (
                "src/Widget.tsx(12,5): error TS2322: Type 'a' is not: b.",
                Some(("widgets/map/src/Widget.tsx", 12, 5, "TS2322", "Type 'a' is not: b.")),
            ),
            (
                "/app/widgets/map/src/a.ts:3:9: ERROR: Expected \";\"",
                Some(("widgets/map/src/a.ts", 3, 9, "", "Expected \";\"")),
            ),
            (
                "src/main.ts (1:9): \"x\" is not exported by \"src/a.ts\".",
                Some((
                    "widgets/map/src/main.ts",
                    1,
                    9,
                    "",
                    "\"x\" is not exported by \"src/a.ts\".",
                )),
            ),
            ("error during build:", None),
            ("npm error code ELIFECYCLE", None),
            ("✓ 28 modules transformed (fast): done", None),
        ] {
            let found = finding(line, app, root);
            let found = found.as_ref().map(|found| {
                let Diagnostic { file, line, column, code, message, .. } = found;
                (file.as_str(), *line, *column, code.as_str(), message.as_str())
            });
            assert_eq!(found, expected, "{line}");
        }
    }
}
