//! `altinn-local.yaml` as types. A key is here only when this release acts on it; every other key is an error, so
//! that nobody waits for a setting that does nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::{
    DesignerChoice, Domain, EnvironmentName, ImageRef, OrgName, Origin, Part, PlatformChoice,
    PlatformService, StackName, WatchAction, WatchMode, WatchRule, WidgetName,
};

/// The whole file. An overlay has the same keys; what it says wins, mappings are merged, lists are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "altinn-local.yaml")]
pub struct File {
    /// The version of this format; 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The stack's name; `default` when left out. Stacks of different names run beside each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub stack: Option<StackName>,
    /// The environment when none is asked for; `local` when left out. `altinn-local.<environment>.yaml` overlays
    /// this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub environment: Option<EnvironmentName>,
    /// The apps to build and deploy; the file's own folder when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apps: Option<Vec<AppEntry>>,
    /// Organisations that get a cluster even when no app here is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, Option<OrgEntry>>>")]
    pub orgs: Option<BTreeMap<OrgName, Option<OrgEntry>>>,
    /// Names, ports and reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkEntry>,
    /// Who answers for the platform, when it is not altinn-local's own services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformEntry>,
    /// Altinn Studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub studio: Option<StudioEntry>,
    /// What pages of apps do when something was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<BrowserEntry>,
    /// Altinn's own app frontend from its source, in the pages of all apps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontend: Option<FrontendEntry>,
    /// What the pipeline does by itself with what is pushed to Gitea.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<PipelineEntry>,
    /// Images to use instead of the catalogue's, as `postgres: postgres:16`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<BTreeMap<Part, ImageText>>,
}

/// What the pipeline does by itself with a push to the default branch that was built and passed the app's tests. It is
/// read in the commit that was pushed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineEntry {
    /// Release it, under the next semantic version.
    #[serde(default)]
    pub release: bool,
    /// Deploy what was released so.
    #[serde(default)]
    pub deploy: bool,
}

/// One app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppEntry {
    /// The app's repository, relative to this file.
    pub path: PathBuf,
    /// What the watcher heeds.
    #[serde(default)]
    pub watch: WatchEntry,
    /// How the app is deployed.
    #[serde(default)]
    pub deploy: DeployEntry,
    /// How the app is built.
    #[serde(default)]
    pub build: BuildEntry,
    /// Widgets to serve from their source whenever the app is up. `up --profile widgets` adds those in `widgets/`.
    #[serde(default)]
    pub widgets: Vec<WidgetEntry>,
}

/// One widget: a project of Vite that registers a web component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WidgetEntry {
    /// The project's folder, relative to the app.
    pub path: PathBuf,
    /// Its name; what its `package.json` says, else the folder's name, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub name: Option<WidgetName>,
    /// The command that starts its dev server, for a shell; Vite itself when left out. It must listen on port
    /// `$ALTINN_LOCAL_WIDGET_PORT` of 127.0.0.1 and serve below `$ALTINN_LOCAL_WIDGET_BASE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// The project of Altinn's own app frontend, `src/App/frontend` in a clone of `altinn-studio`. Its dev server must
/// answer `/altinn-app-frontend.js`. While it does, pages get the frontend from it, at the app's own address; else
/// the one they ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrontendEntry {
    /// The project's folder, relative to this file; its packages are installed. Without it, its dev server is yours to
    /// start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The command that starts its dev server, for a shell; `yarn start` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The port that it listens on; 8080 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// What the watcher heeds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchEntry {
    /// Globs, relative to the app, whose changes are left alone.
    #[serde(default)]
    pub exclude: Vec<Glob>,
    /// Which ways a save may take: the lightest one that is right (`auto`, when left out), always a new image and
    /// pod (`image`), always the whole Dockerfile (`build`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<WatchMode>,
    /// What to do with which files; the first rule that matches decides. Without one the Dockerfile and the project
    /// tell. `altinn-local watch --why PATH` shows it.
    #[serde(default)]
    pub rules: Vec<RuleEntry>,
}

/// What to do with some files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleEntry {
    /// A glob, relative to the app.
    pub path: Glob,
    /// `sync`: write them into the running containers. `restart`: that, and start the app's process anew. `reload`:
    /// that, and load the open pages anew. `rebuild`: build the whole Dockerfile. `ignore`: nothing.
    pub action: WatchAction,
    /// Where in the image, absolute, when the Dockerfile does not copy the files as they are. With a slash at the
    /// end a folder, which gets what follows the glob's fixed folders; else the one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<ImagePath>,
}

impl From<RuleEntry> for WatchRule {
    fn from(rule: RuleEntry) -> Self {
        Self { glob: rule.path.0, action: rule.action, to: rule.to.map(|to| to.0) }
    }
}

/// How an app is deployed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeployEntry {
    /// Values files, relative to the app, merged in order after the app's own.
    #[serde(default)]
    pub values: Vec<PathBuf>,
    /// How long a deploy may take until the first answer, as `3m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

/// How an app is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildEntry {
    /// Build arguments for the Dockerfile; nothing secret.
    #[serde(default)]
    pub args: BTreeMap<String, String>,
}

/// An organisation. No keys yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrgEntry {}

/// Names, ports and reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkEntry {
    /// The names of apps and the platform; `altinn.localhost` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    /// The router's port; `auto` takes the next free one from 8800 when that is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<PortChoice>,
    /// Whether images may be fetched: `auto` asks once whether their registry answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline: Option<OfflineMode>,
}

/// Who answers for the platform, when it is not altinn-local's own services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlatformEntry {
    /// An image of Altinn's own local test, which listens on port 5101. It takes the place of all of altinn-local's
    /// services, and needs `network.domain: local.altinn.cloud`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageText>,
    /// Services that a remote environment answers for, as `storage: https://platform.tt02.altinn.no`: scheme, host
    /// and port. The path of each request stays as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<PlatformService, String>")]
    pub services: BTreeMap<PlatformService, Origin>,
}

impl From<PlatformEntry> for PlatformChoice {
    fn from(entry: PlatformEntry) -> Self {
        Self { image: entry.image.map(|image| ImageRef::parse(&image.0)), remote: entry.services }
    }
}

/// Altinn Studio.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StudioEntry {
    /// Who answers for Designer: `auto` is a stand-in and used when left out, `none` is nobody, and an image is one of
    /// Designer itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub designer: Option<DesignerText>,
}

/// What pages of apps do when something was saved. With both off, the router leaves them as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrowserEntry {
    /// Show why a build failed; on when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<bool>,
    /// Take new style sheets in place and load the page again for everything else; on when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload: Option<bool>,
}

/// Whether the network may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OfflineMode {
    /// One short probe decides.
    #[default]
    Auto,
    /// Never use the network.
    Always,
    /// Always try.
    Never,
}

impl FromStr for OfflineMode {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        match given {
            "auto" => Ok(Self::Auto),
            "always" | "1" | "true" => Ok(Self::Always),
            "never" | "0" | "false" => Ok(Self::Never),
            _ => Err(format!("expected `auto`, `always` or `never`, found `{given}`")),
        }
    }
}

/// A value that a text or a number of YAML stands for, with its rule in one function.
macro_rules! told_as_text {
    ($type:ident, $schema:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

/// The version of the file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version;

told_as_text!(Version, json_schema!({"const": 1}));

impl FromStr for Version {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        (given == "1")
            .then_some(Self)
            .ok_or_else(|| format!("this program reads version 1 of the file, not `{given}`"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("1")
    }
}

/// Which port the router gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChoice {
    /// The first free one from 8800 on, remembered for the stack.
    Auto,
    /// This one or none.
    Number(u16),
}

told_as_text!(
    PortChoice,
    json_schema!({"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1024, "maximum": 65535}]})
);

impl FromStr for PortChoice {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        if given == "auto" {
            return Ok(Self::Auto);
        }
        match given.parse() {
            // Ports below need rights that nobody should give us.
            Ok(port) if port >= 1024 => Ok(Self::Number(port)),
            _ => Err(format!("expected a port from 1024 to 65535 or `auto`, found `{given}`")),
        }
    }
}

impl fmt::Display for PortChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Number(port) => port.fmt(f),
        }
    }
}

/// A part of the work that is only done when asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// The dev servers of the widgets in the apps' `widgets/`.
    Widgets,
}

told_as_text!(Profile, json_schema!({"enum": ["widgets"]}));

impl FromStr for Profile {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        match given {
            "widgets" => Ok(Self::Widgets),
            _ => Err(format!("expected `widgets`, found `{given}`")),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Widgets => f.write_str("widgets"),
        }
    }
}

/// A length of time: whole hours, minutes and seconds, as `90s` or `1m30s`; at most a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The whole of it.
    pub seconds: u64,
}

told_as_text!(
    Span,
    json_schema!({"type": "string", "pattern": "^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"})
);

impl FromStr for Span {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let wrong = || format!("expected a time as `3m` or `90s`, found `{given}`");
        let (mut seconds, mut rest, mut largest) = (0_u64, given, u64::MAX);
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let number: u64 = rest[..end].parse().map_err(|_| wrong())?;
            let unit = match rest.as_bytes()[end] {
                b'h' => 3600,
                b'm' => 60,
                b's' => 1,
                _ => return Err(wrong()),
            };
            if unit >= largest {
                return Err(wrong());
            }
            largest = unit;
            seconds = seconds.saturating_add(number.saturating_mul(unit));
            rest = &rest[end + 1..];
        }
        (1..=86_400).contains(&seconds).then_some(Self { seconds }).ok_or_else(wrong)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.seconds)
    }
}

/// A pattern of paths that the watcher can match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(pub String);

told_as_text!(Glob, json_schema!({"type": "string"}));

impl FromStr for Glob {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        globset::Glob::new(given).map_err(|error| error.to_string())?;
        Ok(Self(given.to_owned()))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePath(pub String);

told_as_text!(ImagePath, json_schema!({"type": "string", "pattern": "^/"}));

impl FromStr for ImagePath {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let mut parts = given.split('/').skip(1);
        let plain = given.starts_with('/') && parts.all(|part| part != ".." && part != ".");
        plain
            .then(|| Self(given.to_owned()))
            .ok_or_else(|| format!("expected an absolute path as `/app/texts/`, found `{given}`"))
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An image as an engine takes it, with a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageText(pub String);

told_as_text!(ImageText, json_schema!({"type": "string", "examples": ["postgres:16"]}));

impl FromStr for ImageText {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
        let tagged = given
            .rsplit_once(':')
            .is_some_and(|(name, tag)| !name.is_empty() && !tag.is_empty() && !tag.contains('/'));
        (tagged && given.chars().all(allowed) && !given.starts_with('-'))
            .then(|| Self(given.to_owned()))
            .ok_or_else(|| {
                format!("expected an image with a tag, as `postgres:16`, found `{given}`")
            })
    }
}

impl fmt::Display for ImageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who answers for Designer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesignerText(pub DesignerChoice);

told_as_text!(
    DesignerText,
    json_schema!({"anyOf": [{"enum": ["auto", "none"]}, {"type": "string", "pattern": ":"}]})
);

impl FromStr for DesignerText {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let image = |_| format!("expected `auto`, `none` or an image with a tag, found `{given}`");
        Ok(Self(match given {
            "auto" => DesignerChoice::StandIn,
            "none" => DesignerChoice::Nobody,
            _ => DesignerChoice::Image(ImageRef::parse(
                &given.parse::<ImageText>().map_err(image)?.0,
            )),
        }))
    }
}

impl fmt::Display for DesignerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The JSON schema of the file, for editors.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(File).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::yaml;
    use crate::model::{Code, Report};

    fn read(text: &str) -> Result<File, Report> {
        yaml::read(Code::ConfigInvalid, "altinn-local.yaml", text)
    }

    const WHOLE: &str = "\
version: 1
stack: default
environment: local
apps:
  - path: .
    watch:
      exclude: ['**/bin/**']
      mode: image
      rules: [{path: 'App/texts/**', action: sync, to: /app/texts/}, {path: '*.md', action: ignore}]
    deploy: {values: [deployment/values.local.yaml], timeout: 1m30s}
    build: {args: {VERSION: 1.10}}
    widgets: [{path: widgets/counter}, {path: ../shared/map, name: map, command: npm run dev}]
orgs:
  ttd: {}
  skd:
network: {domain: local.altinn.cloud, port: auto, offline: never}
platform: {image: 'localtest:6', services: {events: 'https://platform.tt02.altinn.no/'}}
studio: {designer: 'studio-designer:2026'}
frontend: {path: ../altinn-studio/src/App/frontend, command: yarn start, port: 8080}
parts: {postgres: 'postgres:16', kind-node: 'kindest/node:v1.34.0'}
";

    #[test]
    fn a_whole_file_is_read() {
        let file = read(WHOLE).unwrap();
        let app = &file.apps.as_ref().unwrap()[0];
        assert_eq!(app.deploy.timeout, Some(Span { seconds: 90 }));
        assert_eq!(app.build.args["VERSION"], "1.10");
        assert_eq!(app.widgets[1].name.as_ref().unwrap().as_str(), "map");
        assert_eq!(app.watch.mode, Some(WatchMode::Image));
        assert_eq!(app.watch.rules[0].to, Some(ImagePath("/app/texts/".to_owned())));
        assert_eq!(app.watch.rules[1].action, WatchAction::Ignore);
        assert_eq!(file.orgs.as_ref().unwrap().len(), 2);
        assert_eq!(file.network.as_ref().unwrap().port, Some(PortChoice::Auto));
        assert_eq!(file.network.as_ref().unwrap().domain, Some(Domain::LocalAltinnCloud));
        let platform = PlatformChoice::from(file.platform.clone().unwrap());
        assert_eq!(platform.image, Some(ImageRef::new("localtest", "6")));
        let events = &platform.remote[&PlatformService::Events];
        assert_eq!(events.to_string(), "https://platform.tt02.altinn.no");
        let designer = |file: &File| file.studio.clone().unwrap().designer.unwrap().0;
        let image = ImageRef::new("studio-designer", "2026");
        assert_eq!(designer(&file), DesignerChoice::Image(image));
        for (text, choice) in [("auto", DesignerChoice::StandIn), ("none", DesignerChoice::Nobody)]
        {
            let file = read(&format!("studio: {{designer: {text}}}")).unwrap();
            assert_eq!(designer(&file), choice);
        }
        assert_eq!(file.frontend.as_ref().unwrap().port, Some(8080));
        let dressed = format!("\u{feff}{}", WHOLE.replace('\n', "\r\n"));
        assert_eq!(read(&dressed).unwrap(), file);
    }

    #[test]
    fn faults_show_their_place() {
        let table = [
            ("unknown key", "version: 1\napp:\n  - path: .\n"),
            ("unknown key inside", "apps:\n  - path: .\n    deploy:\n      timeuot: 3m\n"),
            ("key of a later release", "services:\n  smtp: {image: x}\n"),
            ("wrong type", "apps: yes\n"),
            ("missing key", "apps:\n  - build: {}\n"),
            ("bad name", "stack: Mine!\n"),
            ("bad org", "orgs:\n  Ttd: {}\n"),
            ("bad port", "network:\n  port: 70000\n"),
            ("bad word", "network:\n  offline: maybe\n"),
            ("bad domain", "network:\n  domain: altinn.no\n"),
            ("bad image of a platform", "platform:\n  image: localtest\n"),
            ("bad designer", "studio:\n  designer: real\n"),
            ("bad service", "platform:\n  services:\n    receipt: https://a.no\n"),
            ("bad address", "platform:\n  services:\n    storage: https://me:word@a.no\n"),
            ("bad time", "apps:\n  - path: .\n    deploy: {timeout: 3 minutes}\n"),
            ("bad glob", "apps:\n  - path: .\n    watch: {exclude: ['a[']}\n"),
            ("bad mode", "apps:\n  - path: .\n    watch: {mode: sync}\n"),
            (
                "bad action",
                "apps:\n  - path: .\n    watch:\n      rules:\n        - {path: a, action: copy}\n",
            ),
            (
                "bad glob of a rule",
                "apps:\n  - path: .\n    watch:\n      rules:\n        - {path: 'a[', action: sync}\n",
            ),
            (
                "bad target",
                "apps:\n  - path: .\n    watch:\n      rules:\n        - {path: a, action: sync, to: app/}\n",
            ),
            (
                "unknown key of a rule",
                "apps:\n  - path: .\n    watch:\n      rules:\n        - {path: a, action: sync, target: /a}\n",
            ),
            ("bad port of a frontend", "frontend:\n  port: 80800\n"),
            ("bad part", "parts:\n  postgresql: postgres:16\n"),
            ("bad image", "parts:\n  postgres: postgres\n"),
            ("newer version", "version: 2\n"),
            ("twice", "stack: a\nstack: b\n"),
            ("broken", "apps: [\n"),
            ("tab", "apps:\n\t- path: .\n"),
            ("two documents", "stack: a\n---\nstack: b\n"),
        ];
        let told = table.map(|(case, text)| {
            let report = read(text).unwrap_err();
            assert_eq!(report.code, Code::ConfigInvalid, "{case}");
            assert!(report.title.chars().count() <= 80, "{case}");
            format!("# {case}\n{}", yaml::write(&report).unwrap())
        });
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn times_have_units_in_order() {
        for (text, seconds) in [("3m", 180), ("90s", 90), ("1h", 3600), ("1h1m1s", 3661)] {
            assert_eq!(text.parse(), Ok(Span { seconds }), "{text}");
        }
        for bad in ["", "3", "m", "3x", "1s1m", "1m1m", "0s", "25h", "-1s", "1.5m", "3ø"] {
            assert!(bad.parse::<Span>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_schema_knows_every_key() {
        let schema = json_schema();
        let keys: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        let known = [
            "version",
            "stack",
            "environment",
            "apps",
            "orgs",
            "network",
            "platform",
            "studio",
            "browser",
            "frontend",
            "pipeline",
            "parts",
        ];
        assert_eq!(keys, known);
        assert_eq!(schema["additionalProperties"], false);
    }
}
