//! The values of an app's release, made as production's pipeline makes them.
//!
//! Order, the later one winning: the chart's own (Helm adds them), the app's `deployment/values.yaml`, the files
//! named in `deploy.values`, the overlay. A mapping is merged key by key, a list replaces the one before it; so the
//! app's `image.environment`, `image.envFrom`, `image.pullSecrets` and `ingressRoute.routes` give way to ours, and
//! its `entryPoints` and `podAnnotations` survive. Both shapes in use are read: values at the root (2020), and
//! nested under `deployment:` as for a dependency (today); where both say something, the root wins.

use std::path::Path;

use serde_json::{Map, Value};
use serde_saphyr::{DuplicateKeyPolicy, Location};

use super::chart;
use crate::model::{App, Code, Diagnostic, Report, Severity};
use crate::sys::helm::{is_folder, read_chart_file};

/// The name of production's chart, and the key under which it finds its values as a dependency.
const CHART: &str = "deployment";

/// How many lines before and after a fault are shown.
const AROUND: usize = 2;

/// An app's own values, hoisted and merged, and what its author should know about them.
pub fn read(app: &App) -> Result<(Value, Vec<Report>), Report> {
    let mut notices = Vec::new();
    let mut values = Value::Object(Map::new());
    match own(app, &mut notices)? {
        Some(own) => values = merge(values, own),
        None => notices.push(
            notice("the repository has no `deployment/values.yaml`; the chart's defaults are used")
                .at(app.root.display().to_string()),
        ),
    }
    for path in &app.values {
        let path = app.root.join(path);
        let name = shown(app, &path);
        let Some(text) = read_chart_file(&path)? else {
            return Err(Report::new(
                Code::ValuesBroken,
                "a values file named in `deploy.values` is not there",
            )
            .at(name)
            .fix("deploy.values", "name a file that exists, relative to the repository's root"));
        };
        values = merge(values, hoist(parse(&name, &text)?));
    }
    notices.extend(warnings(&values));
    Ok((values, notices))
}

/// The values in the repository's `deployment/`; none when there are none.
fn own(app: &App, notices: &mut Vec<Report>) -> Result<Option<Value>, Report> {
    let Some(folder) = &app.deployment else {
        return Ok(None);
    };
    if is_folder(&folder.join("templates")) {
        notices.push(
            notice("templates of the app's own chart are not used, as in production")
                .at(shown(app, &folder.join("templates"))),
        );
    }
    let chart = folder.join("Chart.yaml");
    if let Some(text) = read_chart_file(&chart)? {
        let name = shown(app, &chart);
        notices.extend(pinned(&name, &parse(&name, &text)?));
    }
    let path = folder.join("values.yaml");
    read_chart_file(&path)?.map(|text| parse(&shown(app, &path), &text).map(hoist)).transpose()
}

/// What the author of a `Chart.yaml` should know: the version they name is not the one that is used.
fn pinned(name: &str, chart: &Value) -> Option<Report> {
    let dependencies = chart["dependencies"].as_array()?;
    let version = &dependencies.iter().find(|one| one["name"] == CHART)?["version"];
    let version = version.as_str().map_or_else(|| version.to_string(), str::to_owned);
    Some(
        notice("the chart version in `Chart.yaml` is not used, as in production").at(name).why(
            format!("the pipeline deploys each app with the newest chart, not with {version}"),
        ),
    )
}

/// Moves values from under `deployment:` to the root; what stands at the root already wins.
fn hoist(mut values: Value) -> Value {
    let nested = values.as_object_mut().and_then(|root| root.shift_remove(CHART));
    match nested {
        Some(nested @ Value::Object(_)) => merge(nested, values),
        _ => values,
    }
}

/// Lays one set of values over another, as Helm does with several files. A null stays, for Helm takes it as "without
/// the chart's default".
#[must_use]
pub fn merge(under: Value, over: Value) -> Value {
    match (under, over) {
        (Value::Object(mut under), Value::Object(over)) => {
            for (key, value) in over {
                let value = match under.shift_remove(&key) {
                    Some(before) => merge(before, value),
                    None => value,
                };
                under.insert(key, value);
            }
            Value::Object(under)
        }
        (_, over) => over,
    }
}

/// The chart's defaults under an app's values: what the chart sees before the overlay.
pub(super) fn over_defaults(values: &Value) -> Result<Value, Report> {
    let defaults = parse("values.yaml", &chart::text("values.yaml")?)?;
    Ok(merge(defaults, values.clone()))
}

/// Reads YAML whose root is a mapping, or nothing.
///
/// It is read as Helm reads it, or a deploy here would say nothing about one in production: `no` and `off` are
/// booleans (Helm takes the text "no" for true), `0777` is octal, and the last of two equal keys counts.
pub(super) fn parse(name: &str, text: &str) -> Result<Value, Report> {
    let options = serde_saphyr::options! {
        strict_booleans: false,
        legacy_octal_numbers: true,
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options(text, options) {
        Ok(Value::Null) => Ok(Value::Object(Map::new())),
        Ok(values @ Value::Object(_)) => Ok(values),
        Ok(_) => Err(broken(name, text, 1, 1, "names and values are expected, as `image:`")),
        Err(error) => {
            let at = error.location();
            let place = |number: fn(&Location) -> u64| {
                at.as_ref().and_then(|at| u32::try_from(number(at)).ok()).unwrap_or(1)
            };
            let (line, column) = (place(Location::line), place(Location::column));
            let message = error.without_snippet().to_string();
            Err(broken(name, text, line, column, &message))
        }
    }
}

fn broken(name: &str, text: &str, line: u32, column: u32, message: &str) -> Report {
    let message = printable(message.lines().next().unwrap_or_default());
    let message = message.trim_end_matches(&format!(" at line {line}, column {column}")).to_owned();
    Report::new(Code::ValuesBroken, format!("`{name}` is not valid YAML for a chart's values"))
        .at(format!("{name}:{line}:{column}"))
        .why(message.clone())
        .fix(name, "correct the line; the next save is tried again")
        .with_tail(excerpt(text, line as usize, column as usize))
        .with_diagnostics(vec![Diagnostic {
            file: name.to_owned(),
            line,
            column,
            code: String::new(),
            severity: Severity::Error,
            message,
        }])
}

/// The lines around a fault with their numbers, and a mark under it.
fn excerpt(text: &str, line: usize, column: usize) -> Vec<String> {
    let mut shown = Vec::new();
    for (number, content) in (1..).zip(text.lines()) {
        if number + AROUND < line || number > line + AROUND {
            continue;
        }
        shown.push(format!("{number:>4} | {}", printable(content)));
        if number == line {
            shown.push(format!("     | {:>column$}", "^"));
        }
    }
    shown
}

fn printable(text: &str) -> String {
    // A tab becomes one blank, so that the mark below stays in its column.
    let shown = text.chars().map(|c| if c == '\t' { ' ' } else { c });
    shown.filter(|c| !c.is_control()).take(200).collect()
}

/// What the chart cannot express, or the pipeline replaces: an app with it would behave as here in production too.
fn warnings(values: &Value) -> Vec<Report> {
    let mut notices = Vec::new();
    let named = |list: &Value, odd: &dyn Fn(&Map<String, Value>) -> bool| -> Vec<String> {
        let entries = list.as_array().into_iter().flatten().filter_map(Value::as_object);
        entries
            .filter(|entry| odd(entry))
            .map(|entry| entry.get("name").and_then(Value::as_str).unwrap_or("?").to_owned())
            .collect()
    };
    let mut tell = |entries: Vec<String>, title: &str, why: &str| {
        if !entries.is_empty() {
            let entries = entries.join(", ");
            notices.push(notice(title).at(format!("deployment/values.yaml: {entries}")).why(why));
        }
    };
    let other_than = |known: &'static [&'static str]| {
        move |entry: &Map<String, Value>| entry.keys().any(|key| !known.contains(&key.as_str()))
    };
    tell(
        named(&values["volumes"], &other_than(&["name", "persistentVolumeClaim", "secret"])),
        "a volume of a kind that the chart does not know becomes an empty folder",
        "production's chart makes volumes of claims and of secrets only",
    );
    tell(
        named(&values["volumes"], &|entry| {
            let more = |key: &str, known: &str| {
                let source = entry.get(key).and_then(Value::as_object);
                source.is_some_and(|source| source.keys().any(|key| key != known))
            };
            more("secret", "secretName") || more("persistentVolumeClaim", "claimName")
        }),
        "settings of a volume that the chart does not know are left out",
        "production's chart reads `secret.secretName` and `persistentVolumeClaim.claimName` only",
    );
    tell(
        named(&values["volumeMounts"], &other_than(&["name", "mountPath"])),
        "settings of a volume mount that the chart does not know are left out",
        "production's chart reads `name` and `mountPath` only; `subPath` and `readOnly` have no effect",
    );
    let replaced = [
        ("environment", &values["image"]["environment"]),
        ("envFrom", &values["image"]["envFrom"]),
    ];
    let replaced = replaced
        .into_iter()
        .filter(|(_, list)| list.as_array().is_some_and(|list| !list.is_empty()))
        .map(|(key, _)| format!("image.{key}"))
        .collect();
    tell(
        replaced,
        "variables in the app's values are replaced",
        "production's pipeline puts its own lists in their place; use `appsettings.json` or a secret",
    );
    notices
}

fn notice(title: &str) -> Report {
    Report::new(Code::ValuesBroken, title)
}

/// A path relative to the repository's root, with forward slashes.
fn shown(app: &App, path: &Path) -> String {
    let path = path.strip_prefix(&app.root).unwrap_or(path);
    path.display().to_string().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::PathBuf;

    /// An app whose repository holds these files.
    fn app(files: &[(&str, &str)]) -> (tempfile::TempDir, App) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let deployment = root.path().join("deployment");
        let app = App {
            id: "ttd/demo".parse().unwrap(),
            root: root.path().to_path_buf(),
            context: root.path().to_path_buf(),
            dockerfile: root.path().join("Dockerfile"),
            deployment: deployment.is_dir().then_some(deployment),
            build_args: Vec::new(),
            values: Vec::new(),
            watch_exclude: Vec::new(),
            watch_mode: crate::model::WatchMode::Auto,
            watch_rules: Vec::new(),
            deploy_timeout_seconds: 180,
        };
        (root, app)
    }

    fn titles(notices: &[Report]) -> String {
        notices.iter().map(|one| one.title.clone()).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn each_shape_gives_the_same_values() {
        let expected = json!({"replicaCount": 3, "readiness": {"enabled": true, "path": "/a"}});
        for text in [
            "replicaCount: 3\nreadiness: {enabled: true, path: /a}\n",
            "deployment:\n  replicaCount: 3\n  readiness:\n    enabled: true\n    path: /a\n",
            "deployment:\n  replicaCount: 1\n  readiness: {enabled: true, path: /b}\nreplicaCount: 3\nreadiness: {path: /a}\n",
            "\u{feff}deployment:\r\n  replicaCount: 3\r\n  readiness: {enabled: yes, path: /a}\r\n",
            "a: &a {enabled: on}\na: 1\ndeployment: {replicaCount: 3, readiness: {<<: *a, path: /a}}\n",
        ] {
            let (_root, app) = app(&[("deployment/values.yaml", text)]);
            let (mut values, notices) = read(&app).unwrap();
            values.as_object_mut().unwrap().shift_remove("a");
            assert_eq!(values, expected, "{text}");
            assert_eq!(titles(&notices), "");
        }
    }

    #[test]
    fn what_the_pipeline_ignores_is_told() {
        let chart = "name: demo\ndependencies: [{name: deployment, version: 2.8.0}]\n";
        let values = "deployment: {replicaCount: 2}";
        for (files, expected) in [
            (
                &[][..],
                "the repository has no `deployment/values.yaml`; the chart's defaults are used",
            ),
            (&[("deployment/values.yaml", "")], ""),
            (&[("deployment/values.yaml", "# nothing yet\n---\n")], ""),
            (
                &[("deployment/values.yaml", values), ("deployment/Chart.yaml", chart)],
                "the chart version in `Chart.yaml` is not used, as in production",
            ),
            (
                &[("deployment/values.yaml", values), ("deployment/templates/x.yaml", "a")],
                "templates of the app's own chart are not used, as in production",
            ),
            (
                &[("deployment/values.yaml", "volumes: [{name: a, emptyDir: {}}]")],
                "a volume of a kind that the chart does not know becomes an empty folder",
            ),
            (
                &[(
                    "deployment/values.yaml",
                    "volumes: [{name: a, secret: {secretName: s, optional: true}}]",
                )],
                "settings of a volume that the chart does not know are left out",
            ),
            (
                &[(
                    "deployment/values.yaml",
                    "volumeMounts: [{name: a, mountPath: /a, subPath: b}]",
                )],
                "settings of a volume mount that the chart does not know are left out",
            ),
            (
                &[(
                    "deployment/values.yaml",
                    "image: {environment: [{name: A, value: b}], envFrom: []}",
                )],
                "variables in the app's values are replaced",
            ),
        ] {
            let (_root, app) = app(files);
            assert_eq!(titles(&read(&app).unwrap().1), expected, "{files:?}");
        }
    }

    #[test]
    fn broken_files_are_told_with_their_place() {
        for (text, line, column) in [
            ("deployment:\n  readiness:\n   enabled: true\n  liveness: [\n", 4, 13),
            ("a: 1\n b: 2\n", 2, 3),
            ("- a\n", 1, 1),
            ("a:\n\t- b\n", 2, 2),
        ] {
            let (_root, app) = app(&[("deployment/values.yaml", text)]);
            let report = read(&app).unwrap_err();
            assert_eq!(report.code, Code::ValuesBroken, "{text}");
            let found = &report.diagnostics[0];
            assert_eq!(found.file, "deployment/values.yaml");
            assert_eq!((found.line, found.column), (line, column), "{text}: {report:?}");
            assert!(report.title.len() <= 80, "{}", report.title);
        }
    }

    #[test]
    fn a_fault_is_marked() {
        assert_eq!(
            excerpt("one\ntwo\nthree\nfour\nfi\u{1b}ve\nsix\n", 3, 2),
            ["   1 | one", "   2 | two", "   3 | three", "     |  ^", "   4 | four", "   5 | five"]
        );
    }

    #[test]
    fn extra_files_come_later() {
        let (_root, mut app) = app(&[
            ("deployment/values.yaml", "deployment: {replicaCount: 2, podLabels: {a: b}}"),
            (
                "deployment/values.local.yaml",
                "deployment: {podLabels: {a: c, d: e}, volumes: null}",
            ),
        ]);
        app.values = vec![PathBuf::from("deployment/values.local.yaml")];
        let (values, _) = read(&app).unwrap();
        assert_eq!(
            values,
            json!({"replicaCount": 2, "podLabels": {"a": "c", "d": "e"}, "volumes": null})
        );
        app.values = vec![PathBuf::from("gone.yaml")];
        assert_eq!(read(&app).unwrap_err().code, Code::ValuesBroken);
    }

    #[test]
    fn lists_are_replaced_and_mappings_merged() {
        for (under, over, merged) in [
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
            (json!({"a": {"b": 1}}), json!({"a": {"c": 2}}), json!({"a": {"b": 1, "c": 2}})),
            (json!({"a": {"b": 1}}), json!({"a": null}), json!({"a": null})),
            (json!({"a": null}), json!({"a": {"b": 1}}), json!({"a": {"b": 1}})),
            (json!({"a": {"b": 1}}), json!({}), json!({"a": {"b": 1}})),
        ] {
            assert_eq!(merge(under.clone(), over.clone()), merged, "{under} {over}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_the_values_is_refused() {
        let (root, app) = app(&[("deployment/x", ""), ("secret", "password: 1")]);
        let link = root.path().join("deployment/values.yaml");
        std::os::unix::fs::symlink(root.path().join("secret"), link).unwrap();
        assert_eq!(read(&app).unwrap_err().code, Code::ChartFailed);
    }
}
