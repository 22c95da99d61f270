//! What the user wants, from all its sources: command line, then environment, then file, then what is usual.
//! Reads files once; from then on it is a value that nobody asks twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;

use super::env::{Environment, Variable};
use super::schema::{
    AppEntry, File, FrontendEntry, OfflineMode, PipelineEntry, PlatformEntry, PortChoice,
    WidgetEntry,
};
use super::yaml;
use crate::model::{
    Code, DesignerChoice, Domain, EnvironmentName, ImageRef, OrgName, Part, Report, StackName,
    WatchMode, WatchRule, WidgetName,
};

/// The master file's name.
pub const FILE: &str = "altinn-local.yaml";

/// What makes a folder an app's repository.
pub const METADATA: &str = "App/config/applicationmetadata.json";

/// How long a deploy may take when nobody says otherwise, in seconds.
const DEPLOY_TIMEOUT: u64 = 180;

/// What the command line says; nothing said is none.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--stack`.
    pub stack: Option<StackName>,
    /// `--env`.
    pub environment: Option<EnvironmentName>,
    /// `--port`.
    pub port: Option<PortChoice>,
    /// `--offline`.
    pub offline: Option<OfflineMode>,
    /// `--org`, added to those of the file.
    pub orgs: Vec<OrgName>,
}

/// An app that the user wants, not yet looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedApp {
    /// The repository's root, absolute.
    pub root: PathBuf,
    /// Globs, relative to the root, that the watcher leaves alone.
    pub watch_exclude: Vec<String>,
    /// Which ways a save may take.
    pub watch_mode: WatchMode,
    /// What to do with which files, in order.
    pub watch_rules: Vec<WatchRule>,
    /// Values files, absolute, merged in order after the app's own.
    pub values: Vec<PathBuf>,
    /// How long a deploy may take until the first answer, in seconds.
    pub deploy_timeout_seconds: u64,
    /// Build arguments.
    pub build_args: BTreeMap<String, String>,
    /// Widgets to serve from their source.
    pub widgets: Vec<WantedWidget>,
}

/// A widget that the user named, not yet looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedWidget {
    /// The project's folder, absolute.
    pub root: PathBuf,
    /// Its name; none leaves it to the project.
    pub name: Option<WidgetName>,
    /// What starts its dev server, for a shell; none is Vite itself.
    pub command: Option<String>,
}

/// Altinn's own app frontend, not yet looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedFrontend {
    /// The project's folder, absolute; none when somebody else runs it.
    pub root: Option<PathBuf>,
    /// What starts its dev server, for a shell.
    pub command: String,
    /// The port that it listens on.
    pub port: u16,
}

impl WantedFrontend {
    fn of(project: &Path, entry: FrontendEntry) -> Self {
        Self {
            root: entry.path.map(|path| project.join(path)),
            command: entry.command.unwrap_or_else(|| "yarn start".to_owned()),
            port: entry.port.unwrap_or(8080),
        }
    }
}

/// The user's wishes, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The stack's name.
    pub stack: StackName,
    /// The environment, which chose the overlay.
    pub environment: EnvironmentName,
    /// The folder of the file, else the app's root, else the folder asked from.
    pub project: PathBuf,
    /// The files that were read, the later winning.
    pub files: Vec<PathBuf>,
    /// Apps to build and deploy; empty outside any app.
    pub apps: Vec<WantedApp>,
    /// Organisations that get a cluster beside those of the apps.
    pub orgs: Vec<OrgName>,
    /// The names of apps and the platform; none leaves them to other projects of the stack, or as is usual.
    pub domain: Option<Domain>,
    /// Who answers for the platform; none leaves it to other projects of the stack, or to our own services.
    pub platform: Option<PlatformEntry>,
    /// Who answers for Designer; none leaves it to other projects of the stack, or to our stand-in.
    #[serde(serialize_with = "as_word")]
    pub designer: Option<DesignerChoice>,
    /// The router's port; none leaves it as it was, or as is usual.
    #[serde(serialize_with = "as_number")]
    pub port: Option<PortChoice>,
    /// Whether images may be fetched.
    pub offline: OfflineMode,
    /// Whether pages show why a build failed.
    pub overlay: bool,
    /// Whether pages bring what changed by themselves.
    pub reload: bool,
    /// Altinn's own app frontend from its source.
    pub frontend: Option<WantedFrontend>,
    /// What the pipeline does by itself.
    pub pipeline: PipelineEntry,
    /// Images named by the user.
    #[serde(serialize_with = "as_texts")]
    pub parts: BTreeMap<Part, ImageRef>,
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that serde asks for"
)]
fn as_number<S: serde::Serializer>(
    port: &Option<PortChoice>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match port {
        Some(PortChoice::Number(port)) => serializer.serialize_u16(*port),
        Some(PortChoice::Auto) => serializer.serialize_str("auto"),
        None => serializer.serialize_none(),
    }
}

#[expect(clippy::ref_option, reason = "the shape that serde asks for")]
fn as_word<S: serde::Serializer>(
    designer: &Option<DesignerChoice>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match designer {
        Some(designer) => serializer.collect_str(designer),
        None => serializer.serialize_none(),
    }
}

fn as_texts<S: serde::Serializer>(
    parts: &BTreeMap<Part, ImageRef>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(parts.iter().map(|(part, image)| (part, image.to_string())))
}

impl Settings {
    /// Finds the project from `start` upward, reads its files and joins all sources. Outside any project the
    /// result has no apps, which is enough for `down` and `status`.
    pub fn resolve(
        start: &Path,
        overrides: Overrides,
        environment: &Environment,
    ) -> Result<Self, Report> {
        let start = real(start)?;
        let (project, found) = find(&start);
        let name = match overrides.environment {
            Some(name) => Some(name),
            None => variable(environment, Variable::Environment)?,
        };
        let (file, name, files) = match &found {
            Found::File => read_files(&project, name)?,
            Found::App | Found::Nothing => {
                (File::default(), name.map_or_else(|| word("local"), Ok)?, vec![])
            }
        };
        let network = file.network.unwrap_or_default();
        check_platform(network.domain.unwrap_or_default(), file.platform.as_ref())?;
        let browser = file.browser.unwrap_or_default();
        let apps = match (file.apps, &found) {
            (Some(apps), _) => apps,
            (None, Found::App) => vec![here()],
            (None, _) if project.join(METADATA).is_file() => vec![here()],
            (None, _) => vec![],
        };
        let mut orgs: Vec<OrgName> = file.orgs.unwrap_or_default().into_keys().collect();
        orgs.extend(overrides.orgs);
        orgs.sort();
        orgs.dedup();
        Ok(Self {
            stack: match overrides.stack {
                Some(stack) => stack,
                None => match variable(environment, Variable::Stack)?.or(file.stack) {
                    Some(stack) => stack,
                    None => word("default")?,
                },
            },
            environment: name,
            apps: wanted(&project, apps)?,
            frontend: file.frontend.map(|entry| WantedFrontend::of(&project, entry)),
            project,
            files,
            orgs,
            domain: network.domain,
            platform: file.platform,
            designer: file.studio.and_then(|studio| studio.designer).map(|designer| designer.0),
            port: match overrides.port {
                Some(port) => Some(port),
                None => variable(environment, Variable::Port)?.or(network.port),
            },
            offline: match overrides.offline {
                Some(offline) => offline,
                None => variable(environment, Variable::Offline)?
                    .or(network.offline)
                    .unwrap_or_default(),
            },
            overlay: browser.overlay.unwrap_or(true),
            reload: browser.reload.unwrap_or(true),
            pipeline: file.pipeline.unwrap_or_default(),
            parts: file
                .parts
                .unwrap_or_default()
                .into_iter()
                .map(|(part, image)| (part, ImageRef::parse(&image.0)))
                .collect(),
        })
    }

    /// The apps, or the fault of `up` outside any app.
    pub fn require_apps(&self) -> Result<&[WantedApp], Report> {
        if !self.apps.is_empty() {
            return Ok(&self.apps);
        }
        Err(Report::new(Code::NotAnApp, "this is not a clone of an Altinn app")
            .at(self.project.display().to_string())
            .why(format!("neither `{FILE}` with apps nor `{METADATA}` is here or above"))
            .fix("altinn-local app new ORG/APP", "start a new app")
            .fix("altinn-local -C DIR up", "name the folder of the app"))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    File,
    App,
    Nothing,
}

/// The folder that governs `start`: that of the master file, else that of the app it is in. The search ends at the
/// root of the git repository, so that a file of another project is never taken.
fn find(start: &Path) -> (PathBuf, Found) {
    let mut app = None;
    for folder in start.ancestors() {
        if folder.join(FILE).is_file() {
            return (folder.to_path_buf(), Found::File);
        }
        if app.is_none() && folder.join(METADATA).is_file() {
            app = Some(folder);
        }
        // In a worktree or submodule `.git` is a file.
        if folder.join(".git").exists() {
            break;
        }
    }
    match app {
        Some(folder) => (folder.to_path_buf(), Found::App),
        None => (start.to_path_buf(), Found::Nothing),
    }
}

/// Reads one master file, checked.
pub fn read_file(path: &Path) -> Result<File, Report> {
    let unreadable = |why: String| {
        Report::new(Code::ConfigUnreadable, format!("cannot read `{}`", shown(path))).why(why)
    };
    let bytes = crate::sys::fs::read_if_there(path)
        .map_err(|report| unreadable(report.labels.into_iter().map(|(_, text)| text).collect()))?
        .ok_or_else(|| unreadable("it is not there".to_owned()))?;
    let text =
        String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Ok(File::default());
    }
    yaml::read(Code::ConfigInvalid, &shown(path), &text)
}

fn shown(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The file with its overlay. The environment is the one asked for, else the one the file names, else `local`.
fn read_files(
    project: &Path,
    asked: Option<EnvironmentName>,
) -> Result<(File, EnvironmentName, Vec<PathBuf>), Report> {
    let path = project.join(FILE);
    let file = read_file(&path)?;
    let usual = match file.environment.clone() {
        Some(name) => name,
        None => word("local")?,
    };
    let name = asked.unwrap_or_else(|| usual.clone());
    let overlay = project.join(format!("altinn-local.{name}.yaml"));
    if overlay.is_file() {
        let merged = overlaid(&file, &read_file(&overlay)?)?;
        return Ok((merged, name, vec![path, overlay]));
    }
    // The usual environment needs no file of its own; any other would silently be the same as the usual one.
    if name == usual {
        return Ok((file, name, vec![path]));
    }
    Err(Report::new(Code::ConfigUnreadable, format!("there is no environment `{name}`"))
        .label(crate::model::Label::Missing, overlay.display().to_string())
        .fix("altinn-local up", format!("use the environment `{usual}`")))
}

/// Altinn's local test makes all its addresses of one host name.
pub fn check_platform(domain: Domain, platform: Option<&PlatformEntry>) -> Result<(), Report> {
    let image = platform.and_then(|platform| platform.image.as_ref());
    let Some(image) = image.filter(|_| !domain.is_one_host()) else { return Ok(()) };
    Err(Report::new(Code::ConfigInvalid, "`platform.image` needs another `network.domain`")
        .why(format!("{image} serves everything on one host, and the domain is `{domain}`"))
        .fix(
            format!("network: {{domain: {}}}", Domain::LocalAltinnCloud),
            format!("write this into `{FILE}`"),
        ))
}

/// The first file with the second on top. Both were checked by themselves, so faults were told with their place.
fn overlaid(file: &File, overlay: &File) -> Result<File, Report> {
    let broken = |error| Report::bug("two good files make a bad one", &error);
    let mut base = serde_json::to_value(file).map_err(broken)?;
    merge(&mut base, serde_json::to_value(overlay).map_err(broken)?);
    serde_json::from_value(base).map_err(broken)
}

/// Mappings are merged key by key; everything else is replaced. An overlay's null leaves things as they are,
/// because in the file it only means "no options".
fn merge(base: &mut serde_json::Value, overlay: serde_json::Value) {
    use serde_json::Value;
    match (base, overlay) {
        (Value::Object(base), Value::Object(overlay)) => {
            for (key, value) in overlay {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (base, overlay) => *base = overlay,
    }
}

fn here() -> AppEntry {
    AppEntry { path: PathBuf::from("."), ..AppEntry::default() }
}

fn wanted(project: &Path, apps: Vec<AppEntry>) -> Result<Vec<WantedApp>, Report> {
    apps.into_iter()
        .map(|app| {
            let root = real(&project.join(&app.path))?;
            Ok(WantedApp {
                watch_exclude: app.watch.exclude.into_iter().map(|glob| glob.0).collect(),
                watch_mode: app.watch.mode.unwrap_or_default(),
                watch_rules: app.watch.rules.into_iter().map(WatchRule::from).collect(),
                values: app.deploy.values.iter().map(|path| root.join(path)).collect(),
                deploy_timeout_seconds: app
                    .deploy
                    .timeout
                    .map_or(DEPLOY_TIMEOUT, |span| span.seconds),
                build_args: app.build.args,
                widgets: app.widgets.into_iter().map(|entry| named(&root, entry)).collect(),
                root,
            })
        })
        .collect()
}

fn named(app: &Path, WidgetEntry { path, name, command }: WidgetEntry) -> WantedWidget {
    WantedWidget { root: app.join(path), name, command }
}

/// The path without links and dots.
fn real(path: &Path) -> Result<PathBuf, Report> {
    dunce::canonicalize(path).map_err(|error| {
        Report::new(Code::ConfigUnreadable, "a folder is not there")
            .at(path.display().to_string())
            .why(error.to_string())
    })
}

/// A word of ours as a name.
fn word<T: FromStr<Err = crate::model::InvalidName>>(text: &str) -> Result<T, Report> {
    text.parse().map_err(|error| Report::bug("a name of ours is not valid", &error))
}

/// A variable as a value of its type.
fn variable<T>(environment: &Environment, variable: Variable) -> Result<Option<T>, Report>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    let Some(value) = environment.get(variable) else {
        return Ok(None);
    };
    value.parse().map(Some).map_err(|error: T::Err| {
        Report::new(
            Code::ConfigInvalid,
            format!("`{}` has a value that is not possible", variable.name()),
        )
        .why(error.to_string())
        .fix(format!("unset {}", variable.name()), variable.meaning())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Project(tempfile::TempDir);

    impl Project {
        fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                let path = folder.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            Self(folder)
        }

        fn root(&self) -> PathBuf {
            dunce::canonicalize(self.0.path()).unwrap()
        }

        fn resolve(&self, folder: &str, overrides: Overrides) -> Result<Settings, Report> {
            self.resolve_with(folder, overrides, &[])
        }

        fn resolve_with(
            &self,
            folder: &str,
            overrides: Overrides,
            variables: &[(Variable, &str)],
        ) -> Result<Settings, Report> {
            let environment = Environment::from_pairs(variables.iter().copied());
            Settings::resolve(&self.root().join(folder), overrides, &environment)
        }
    }

    #[test]
    fn an_app_needs_no_file() {
        let project = Project::new(&[(".git/HEAD", ""), (METADATA, "{}"), ("App/logic/x", "")]);
        let settings = project.resolve("App/logic", Overrides::default()).unwrap();
        assert_eq!(settings.project, project.root());
        assert_eq!(settings.apps.len(), 1);
        assert_eq!(settings.apps[0].root, project.root());
        assert_eq!(settings.apps[0].deploy_timeout_seconds, 180);
        assert_eq!(settings.port, None);
        assert_eq!(settings.stack.as_str(), "default");
        assert_eq!(settings.environment.as_str(), "local");
        assert!(settings.require_apps().is_ok());
    }

    #[test]
    fn the_search_ends_at_the_repository() {
        let project = Project::new(&[(FILE, "stack: other"), ("app/.git", ""), ("app/x/y", "")]);
        let settings = project.resolve("app/x", Overrides::default()).unwrap();
        assert_eq!(settings.stack.as_str(), "default");
        assert_eq!(settings.project, project.root().join("app/x"));
        assert_eq!(settings.require_apps().unwrap_err().code, Code::NotAnApp);
    }

    #[test]
    fn a_file_above_governs_the_apps_below() {
        let project = Project::new(&[
            (FILE, "apps: [{path: a, deploy: {values: [v.yaml]}}, {path: b}]"),
            ("a/App/config/applicationmetadata.json", "{}"),
            ("b/x", ""),
        ]);
        let settings = project.resolve("a", Overrides::default()).unwrap();
        let roots: Vec<_> = settings.apps.iter().map(|app| app.root.clone()).collect();
        assert_eq!(roots, [project.root().join("a"), project.root().join("b")]);
        assert_eq!(settings.apps[0].values, [project.root().join("a/v.yaml")]);
    }

    #[test]
    fn the_nearest_source_wins() {
        let project = Project::new(&[(FILE, "stack: file\nnetwork: {port: 9001, offline: never}")]);
        let variables =
            [(Variable::Stack, "variable"), (Variable::Port, "9002"), (Variable::Offline, "1")];
        let settings = project.resolve_with("", Overrides::default(), &variables).unwrap();
        assert_eq!(settings.stack.as_str(), "variable");
        assert_eq!(settings.port, Some(PortChoice::Number(9002)));
        assert_eq!(settings.offline, OfflineMode::Always);
        let overrides = Overrides {
            stack: Some("line".parse().unwrap()),
            port: Some(PortChoice::Auto),
            orgs: vec!["skd".parse().unwrap()],
            ..Overrides::default()
        };
        let settings = project.resolve_with("", overrides, &variables).unwrap();
        assert_eq!(settings.stack.as_str(), "line");
        assert_eq!(settings.port, Some(PortChoice::Auto));
        assert_eq!(settings.orgs, ["skd".parse().unwrap()]);
    }

    #[test]
    fn a_bad_variable_is_named() {
        let project = Project::new(&[("x", "")]);
        let report = project
            .resolve_with("", Overrides::default(), &[(Variable::Port, "eighty")])
            .unwrap_err();
        assert!(report.title.contains("ALTINN_LOCAL_PORT"), "{report}");
    }

    #[test]
    fn overlays_merge_mappings_and_replace_lists() {
        let project = Project::new(&[
            (
                FILE,
                "orgs: {ttd: {}}\nnetwork: {port: 9000, offline: never}\nparts: {postgres: 'a:1'}\napps: []",
            ),
            (
                "altinn-local.tt02.yaml",
                "orgs: {skd: , ttd: }\nnetwork: {port: auto}\nparts: {gitea: 'b:1.10'}\napps: [{path: .}]",
            ),
        ]);
        let tt02 = Overrides { environment: Some("tt02".parse().unwrap()), ..Overrides::default() };
        let settings = project.resolve("", tt02).unwrap();
        assert_eq!(settings.orgs.len(), 2);
        assert_eq!(settings.port, Some(PortChoice::Auto));
        assert_eq!(settings.offline, OfflineMode::Never);
        assert_eq!(settings.parts[&Part::Postgres], ImageRef::new("a", "1"));
        assert_eq!(settings.parts[&Part::Gitea], ImageRef::new("b", "1.10"));
        assert_eq!(settings.apps.len(), 1);
        assert_eq!(settings.files.len(), 2);
    }

    #[test]
    fn domain_and_platform_come_from_the_file() {
        let project = Project::new(&[
            (FILE, "platform: {services: {events: 'https://a.no', storage: 'https://a.no'}}"),
            (
                "altinn-local.tt02.yaml",
                "network: {domain: local.altinn.cloud}\nplatform: {image: 'lt:6', services: {events: 'https://b.no'}}",
            ),
        ]);
        let settings = project.resolve("", Overrides::default()).unwrap();
        assert_eq!(settings.domain, None);
        let tt02 = Overrides { environment: Some("tt02".parse().unwrap()), ..Overrides::default() };
        let settings = project.resolve("", tt02).unwrap();
        assert_eq!(settings.domain, Some(Domain::LocalAltinnCloud));
        let platform = serde_json::to_value(settings.platform.unwrap()).unwrap();
        let services = serde_json::json!({"events": "https://b.no", "storage": "https://a.no"});
        assert_eq!(platform, serde_json::json!({"image": "lt:6", "services": services}));
    }

    #[test]
    fn the_local_test_needs_its_own_host() {
        for domain in ["", "network: {domain: altinn.localhost}\n"] {
            let text = format!("{domain}platform: {{image: 'lt:6'}}");
            let project = Project::new(&[(FILE, &text)]);
            let report = project.resolve("", Overrides::default()).unwrap_err();
            assert_eq!(report.code, Code::ConfigInvalid);
            assert!(report.to_string().contains("network.domain"), "{report}");
        }
    }

    #[test]
    fn an_unknown_environment_is_told() {
        let project = Project::new(&[(FILE, "")]);
        let prod = Overrides { environment: Some("prod".parse().unwrap()), ..Overrides::default() };
        let report = project.resolve("", prod).unwrap_err();
        assert_eq!(report.title, "there is no environment `prod`");
    }

    #[test]
    fn a_fault_in_the_overlay_names_the_overlay() {
        let project = Project::new(&[(FILE, ""), ("altinn-local.local.yaml", "stack: a\nnope: 1")]);
        let report = project.resolve("", Overrides::default()).unwrap_err();
        assert_eq!(report.diagnostics[0].file, "altinn-local.local.yaml");
        assert_eq!(report.diagnostics[0].line, 2);
    }
}
