//! `doctor`: what altinn-local needs of this machine, looked at in parallel, offline and changing nothing.

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, join_all};
use semver::Version;
use serde::Serialize;

use crate::config::dirs::Dirs;
use crate::config::settings::{METADATA, Settings, WantedApp};
use crate::model::{AppId, Code, Domain, Exit, Fix, Report};
use crate::sys::host::HostFacts;
use crate::sys::machine;
use crate::sys::net;
use crate::sys::process::Program;

/// How long one check may take; all run at once.
const PATIENCE: Duration = Duration::from_millis(2500);

/// The oldest API of the engine that builds as we need it.
const ENGINE_API: Version = Version::new(1, 41, 0);

/// The first Docker that keeps ports published on 127.0.0.1 from other machines.
const PRIVATE_PORTS: Version = Version::new(28, 0, 0);

/// A program that is run or that users will want.
struct Tool {
    name: &'static str,
    oldest: Version,
    /// What makes it tell its version.
    arguments: &'static [&'static str],
    /// Whether `up` needs it.
    needed: bool,
}

static TOOLS: [Tool; 4] = [
    // Registries by `certs.d` without further settings.
    Tool { name: "kind", oldest: Version::new(0, 27, 0), arguments: &["version"], needed: true },
    // `--labels` of upgrade and install.
    Tool {
        name: "helm",
        oldest: Version::new(3, 13, 0),
        arguments: &["version", "--short"],
        needed: true,
    },
    // Only `altinn-local kube` runs it.
    Tool {
        name: "kubectl",
        oldest: Version::new(1, 30, 0),
        arguments: &["version", "--client"],
        needed: false,
    },
    // Ours is built in; people push and pull with theirs.
    Tool { name: "git", oldest: Version::new(2, 25, 0), arguments: &["--version"], needed: false },
];

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Works, but something will be slower, missing or harder.
    Warn,
    /// `up` will not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// As `engine.running`.
    pub id: String,
    /// The part of `id` before the dot.
    pub group: String,
    /// How it ended.
    pub status: Status,
    /// What was found.
    pub message: String,
    /// What to type.
    pub fixes: Vec<Fix>,
    /// How long it took, milliseconds.
    pub ms: u64,
}

impl Check {
    fn new(id: &str, status: Status, message: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            group: id.split('.').next().unwrap_or(id).to_owned(),
            status,
            message: message.into(),
            fixes: Vec::new(),
            ms: 0,
        }
    }

    fn failed(id: &str, report: Report) -> Self {
        let why = report.labels.first().map_or(String::new(), |(_, why)| format!(": {why}"));
        let check = Self::new(id, Status::Fail, format!("{report}{why}"));
        Self { fixes: report.fixes, ..check }
    }

    fn fix(mut self, command: impl Into<String>, description: impl Into<String>) -> Self {
        self.fixes.push(Fix { command: command.into(), description: description.into() });
        self
    }
}

/// All checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Doctor {
    schema: &'static str,
    ok: bool,
    summary: Summary,
    /// In the order of their groups.
    pub checks: Vec<Check>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Summary {
    ok: usize,
    warn: usize,
    fail: usize,
}

impl Doctor {
    fn new(checks: Vec<Check>) -> Self {
        let count = |status| checks.iter().filter(|check| check.status == status).count();
        let summary =
            Summary { ok: count(Status::Ok), warn: count(Status::Warn), fail: count(Status::Fail) };
        Self { schema: "altinn-local/doctor/1", ok: summary.fail == 0, summary, checks }
    }

    /// 0 when nothing failed, else 3.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        if self.ok { Exit::Ok } else { Exit::Preflight }
    }
}

impl fmt::Display for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut group = "";
        for check in &self.checks {
            if check.group != group {
                group = &check.group;
                writeln!(f, "{group}")?;
            }
            let glyph = match check.status {
                Status::Ok => "✔",
                Status::Warn => "!",
                Status::Fail => "✖",
            };
            writeln!(f, "  {glyph} {:<16} {}", check.id, check.message)?;
            for fix in &check.fixes {
                writeln!(f, "      fix  {}   {}", fix.command, fix.description)?;
            }
        }
        let Summary { ok, warn, fail } = self.summary;
        let plural = if warn == 1 { "" } else { "s" };
        write!(f, "\n{ok} ok · {warn} warning{plural} · {fail} failed")
    }
}

/// The container engine as it told of itself.
#[derive(Debug, Clone)]
pub struct Engine {
    /// As `Docker Desktop`, `dockerd`, `podman`.
    pub product: String,
    /// Its own version.
    pub version: String,
    /// The newest API it speaks, as `1.45`.
    pub api: String,
}

/// What the checks look at.
pub struct Subject<'a> {
    /// Folders of our own.
    pub dirs: &'a Dirs,
    /// Finds a program by name, or says how to get it.
    pub find: &'a (dyn Fn(&str) -> Result<PathBuf, Report> + Sync),
    /// What the user wants, or why that could not be read.
    pub settings: &'a Result<Settings, Report>,
    /// Ports that must be free: with what they are for. Those that the stack already holds are left out.
    pub ports: &'a [(u16, &'a str)],
}

/// Runs all checks at once. `engine` asks the engine who it is.
pub async fn run(
    subject: &Subject<'_>,
    engine: impl Future<Output = Result<Engine, Report>> + Send,
) -> Doctor {
    let mut checks: Vec<BoxFuture<'_, Vec<Check>>> =
        vec![timed("engine.running", async { engine_checks(engine.await) })];
    for tool in &TOOLS {
        let found = (subject.find)(tool.name);
        let look = async move { vec![tool_check(tool, found).await] };
        checks.push(timed(tool.name, look));
    }
    checks.push(timed("machine.disk", async { disk(&subject.dirs.state).await }));
    checks.push(timed("machine", async { machine_checks(subject) }));
    checks.push(timed("ports", async {
        subject.ports.iter().map(|(port, what)| port_check(*port, what)).collect()
    }));
    checks.push(timed("names", async { names(subject.settings) }));
    checks.push(timed("repo", async { repository(subject.settings) }));
    Doctor::new(join_all(checks).await.into_iter().flatten().collect())
}

/// Runs one look with its time, and does not wait for ever.
fn timed<'a>(
    id: &'static str,
    look: impl Future<Output = Vec<Check>> + Send + 'a,
) -> BoxFuture<'a, Vec<Check>> {
    Box::pin(timed_within(PATIENCE, id, look))
}

async fn timed_within(
    patience: Duration,
    id: &str,
    look: impl Future<Output = Vec<Check>>,
) -> Vec<Check> {
    let start = Instant::now();
    let mut checks = tokio::time::timeout(patience, look)
        .await
        .unwrap_or_else(|_| vec![Check::new(id, Status::Warn, "gave no answer within 2.5 s")]);
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    for check in &mut checks {
        check.ms = ms;
    }
    checks
}

fn engine_checks(engine: Result<Engine, Report>) -> Vec<Check> {
    let engine = match engine {
        Ok(engine) => engine,
        Err(report) => {
            let report = report
                .fix("altinn-local up --embedded", "works without one: the platform's services");
            return vec![Check::failed("engine.running", report)];
        }
    };
    let running = format!("{} {} answers", engine.product, engine.version);
    let version = match version_in(&engine.api) {
        Some(api) if api < ENGINE_API => Check::new(
            "engine.version",
            Status::Fail,
            format!("its API is {}; 1.41 (Docker 20.10) or newer is needed", engine.api),
        ),
        _ => Check::new("engine.version", Status::Ok, format!("API {}", engine.api)),
    };
    let mut checks = vec![Check::new("engine.running", Status::Ok, running), version];
    checks.extend(routable(&engine));
    checks
}

/// Docker before 28 passes packets on to a published container's own address, whatever host address it was
/// published on: a machine in the same network segment that adds a route gets there.
fn routable(engine: &Engine) -> Option<Check> {
    let docker = engine.product.starts_with("Docker");
    let old = version_in(&engine.version).is_some_and(|version| version < PRIVATE_PORTS);
    (docker && old).then(|| {
        let message =
            "Docker before 28: a neighbour that adds a route reaches published containers";
        Check::new("engine.neighbours", Status::Warn, message)
            .fix("upgrade Docker to 28 or newer", "or work in networks that you trust")
    })
}

async fn tool_check(tool: &Tool, found: Result<PathBuf, Report>) -> Check {
    let id = format!("tools.{}", tool.name);
    let trouble = if tool.needed { Status::Fail } else { Status::Warn };
    let told = match found {
        Ok(program) => version_of(tool, &program).await.map(|version| (program, version)),
        Err(report) => Err(report),
    };
    match told {
        Err(report) => Check { status: trouble, ..Check::failed(&id, report) },
        Ok((program, version)) if version < tool.oldest => {
            let Tool { name, oldest, .. } = tool;
            let message = format!("`{}` is {version}; {oldest} is needed", program.display());
            Check::new(&id, trouble, message)
                .fix(format!("install {name} {oldest} or newer"), "the older one is found first")
        }
        Ok((program, version)) => {
            Check::new(&id, Status::Ok, format!("{version} ({})", program.display()))
        }
    }
}

async fn version_of(tool: &Tool, program: &Path) -> Result<Version, Report> {
    let finished = Program::new(program).args(tool.arguments.iter().copied()).run(|_| ()).await?;
    version_in(&finished.tail.join(" ")).ok_or_else(|| {
        let title = format!("`{}` does not tell its version", program.display());
        Report::new(Code::ToolMissing, title).with_tail(finished.tail)
    })
}

/// The first version in a text: `v3.17.3+ge4da497`, `1.45`.
fn version_in(text: &str) -> Option<Version> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.')).find_map(|word| {
        let mut numbers = word.split('.').map(str::parse::<u64>);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
            return None;
        };
        let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Version::new(major, minor, patch))
    })
}

async fn disk(state: &Path) -> Vec<Check> {
    let Some(mib) = machine::free_disk_mib(state).await else {
        return Vec::new();
    };
    let gib = mib / 1024;
    let status = match gib {
        0..2 => Status::Fail,
        2..10 => Status::Warn,
        _ => Status::Ok,
    };
    let check = Check::new("machine.disk", status, format!("{gib} GiB free"));
    vec![match status {
        Status::Ok => check,
        _ => check.fix("docker system df", "see what takes room; a stack takes about 5 GiB"),
    }]
}

fn machine_checks(subject: &Subject<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(mib) = machine::free_memory_mib() {
        let status = if mib < 2048 { Status::Warn } else { Status::Ok };
        let message = format!("{mib} MiB free; a stack with one organisation takes about 1500");
        checks.push(Check::new("machine.memory", status, message));
    }
    if let Some(limits) = machine::inotify() {
        checks.push(inotify(limits));
    }
    checks.push(node(HostFacts::probe()));
    checks.push(match subject.dirs.check_writable() {
        Ok(()) => {
            let message = format!("own files go to `{}`", subject.dirs.state.display());
            Check::new("machine.folders", Status::Ok, message)
        }
        Err(report) => Check::failed("machine.folders", report),
    });
    checks
}

fn inotify(limits: machine::Inotify) -> Check {
    let machine::Inotify { watches, instances } = limits;
    let message = format!("{watches} watches, {instances} instances");
    let check = |status| Check::new("machine.inotify", status, message.clone());
    if instances >= 256 && watches >= 65_536 {
        return check(Status::Ok);
    }
    check(Status::Warn).fix(
        "sudo sysctl -w fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=1048576",
        "several clusters and large repositories need more",
    )
}

fn node(host: HostFacts) -> Check {
    let lacks: Vec<&str> = [(host.cgroup_v1, "cgroup v1"), (host.limits_fixed, "no SYS_RESOURCE")]
        .into_iter()
        .filter_map(|(lacks, what)| lacks.then_some(what))
        .collect();
    let message = if lacks.is_empty() {
        "kind's own node image can run".to_owned()
    } else {
        format!("{}: clusters use the node image of `scripts/up`", lacks.join(", "))
    };
    Check::new("machine.node", Status::Ok, message)
}

fn port_check(port: u16, what: &str) -> Check {
    let id = format!("ports.{port}");
    if net::is_port_free(port) {
        return Check::new(&id, Status::Ok, format!("free for {what}"));
    }
    let owner = machine::port_owner(port).unwrap_or_else(|| "another program".to_owned());
    Check::new(&id, Status::Fail, format!("{owner} holds the port of {what}"))
        .fix("altinn-local up --port auto", "take the next free port and remember it")
}

fn names(settings: &Result<Settings, Report>) -> Vec<Check> {
    let domain = settings.as_ref().ok().and_then(|settings| settings.domain).unwrap_or_default();
    let public = domain.is_one_host().then(|| public_name(domain.as_str()));
    std::iter::once(own_names(domain)).chain(public).collect()
}

/// A name that public name servers know. Nothing is looked up: they would have to be asked.
fn public_name(name: &str) -> Check {
    if machine::is_in_hosts_file(name) {
        return Check::new("names.public", Status::Ok, format!("the hosts file has `{name}`"));
    }
    let message =
        format!("only public name servers know `{name}`: not offline, not in every network");
    Check::new("names.public", Status::Warn, message).fix(
        format!("echo '127.0.0.1 {name}' | sudo tee -a /etc/hosts"),
        "resolve it on this machine",
    )
}

fn own_names(domain: Domain) -> Check {
    const NAME: &str = "studio.localhost";
    if machine::resolves_localhost(NAME) {
        return Check::new("names.libc", Status::Ok, "every program resolves `*.localhost`");
    }
    let message = "browsers, curl and git resolve `*.localhost` themselves; Python and Node do not";
    Check::new("names.libc", Status::Warn, message).fix(
        format!("echo '127.0.0.1 {NAME} {}' | sudo tee -a /etc/hosts", domain.platform_host()),
        "only when other programs shall use the names",
    )
}

fn repository(settings: &Result<Settings, Report>) -> Vec<Check> {
    let settings = match settings {
        Ok(settings) => settings,
        Err(report) => return vec![Check::failed("repo.config", report.clone())],
    };
    let message = match settings.files.as_slice() {
        [] => "no `altinn-local.yaml`, none is needed".to_owned(),
        files => format!("{} file(s), valid", files.len()),
    };
    let mut checks = vec![Check::new("repo.config", Status::Ok, message)];
    if settings.apps.is_empty() {
        let message = "this folder is not in an app's repository";
        checks.push(
            Check::new("repo.app", Status::Warn, message)
                .fix("altinn-local app new ORG/APP", "start a new app"),
        );
    }
    checks.extend(settings.apps.iter().flat_map(|app| [app_check(app), chart(app)]));
    checks
}

fn app_check(app: &WantedApp) -> Check {
    let place = app.root.display();
    let fail = |message: String| Check::new("repo.app", Status::Fail, message);
    let Ok(text) = std::fs::read_to_string(app.root.join(METADATA)) else {
        return fail(format!("`{METADATA}` is not in `{place}`"));
    };
    let id = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|metadata| metadata["id"].as_str()?.parse::<AppId>().ok());
    let Some(id) = id else {
        return fail(format!("the `id` in `{METADATA}` is not `org/app`"));
    };
    if ["Dockerfile", "App/Dockerfile"].iter().any(|path| app.root.join(path).is_file()) {
        return Check::new("repo.app", Status::Ok, format!("{id} in `{place}`"));
    }
    fail(format!("{id} has no Dockerfile, neither at its root nor in `App/`"))
}

fn chart(app: &WantedApp) -> Check {
    let folder = app.root.join("deployment");
    let has = |name: &str| folder.join(name).is_file();
    let (status, message) = match (has("Chart.yaml"), has("values.yaml")) {
        (true, _) => (Status::Ok, "the app's own chart in `deployment/`"),
        (false, true) => (Status::Ok, "`deployment/values.yaml` on the built-in chart"),
        (false, false) if folder.is_dir() => {
            (Status::Warn, "`deployment/` holds neither Chart.yaml nor values.yaml")
        }
        (false, false) => (Status::Ok, "no `deployment/`; the built-in chart alone"),
    };
    Check::new("repo.chart", status, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::Environment;
    use crate::config::settings::Overrides;

    #[test]
    fn versions_are_found() {
        for (text, version) in [
            ("kind v0.30.0 go1.24.6 linux/amd64", Some((0, 30, 0))),
            ("v3.17.3+ge4da497", Some((3, 17, 3))),
            ("Client Version: v1.34.4 Kustomize Version: v5.7.1", Some((1, 34, 4))),
            ("1.45", Some((1, 45, 0))),
            ("kind (devel)", None),
            ("", None),
        ] {
            let expected = version.map(|(major, minor, patch)| Version::new(major, minor, patch));
            assert_eq!(version_in(text), expected, "{text:?}");
        }
    }

    #[test]
    fn old_or_silent_engines_fail() {
        let engine =
            |api: &str| Engine { product: "dockerd".into(), version: "1".into(), api: api.into() };
        let worst = |checks: Vec<Check>| Doctor::new(checks).exit();
        assert_eq!(worst(engine_checks(Ok(engine("1.41")))), Exit::Ok);
        assert_eq!(worst(engine_checks(Ok(engine("1.40")))), Exit::Preflight);
        let silent = Report::new(Code::EngineMissing, "no container engine answered");
        assert_eq!(worst(engine_checks(Err(silent))), Exit::Preflight);
    }

    #[tokio::test]
    async fn what_takes_too_long_is_told() {
        let never = std::future::pending();
        let checks = timed_within(Duration::ZERO, "engine.running", never).await;
        assert_eq!(checks[0].status, Status::Warn);
        assert_eq!(checks[0].group, "engine");
    }

    #[test]
    fn apps_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let app = || {
            let settings =
                Settings::resolve(root, Overrides::default(), &Environment::default()).unwrap();
            app_check(&settings.apps[0])
        };
        let write = |path: &str, text: &str| {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), text).unwrap();
        };
        write(METADATA, "{}");
        assert!(app().message.contains("not `org/app`"));
        write(METADATA, r#"{"id": "ttd/a"}"#);
        assert!(app().message.contains("no Dockerfile"));
        write("App/Dockerfile", "FROM x");
        assert_eq!(app().status, Status::Ok);
    }

    #[test]
    fn the_text_is_grouped_and_ends_with_a_sum() {
        let checks = vec![
            Check::new("engine.running", Status::Ok, "dockerd 26.1.5 answers"),
            Check::new("tools.kind", Status::Fail, "`kind` was not found")
                .fix("get it", "from there"),
            Check::new("tools.helm", Status::Ok, "3.17.3"),
            node(HostFacts { cgroup_v1: true, limits_fixed: true }),
            inotify(machine::Inotify { watches: 8192, instances: 128 }),
        ];
        let doctor = Doctor::new(checks);
        assert_eq!(doctor.exit(), Exit::Preflight);
        insta::assert_snapshot!(doctor.to_string());
        insta::assert_json_snapshot!(doctor);
    }
}
