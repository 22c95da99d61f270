//! A world of its own for each story: a home, a stack, an app. Dropping it takes everything away, whatever happened.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::outside::{docker, docker_lines, get};
use crate::running::{Ended, Running, run};

/// What any command may take that does not wait for a cluster.
pub const SHORT: Duration = Duration::from_secs(20);
/// What `up` may take on a slow machine that others use too.
pub const LONG: Duration = Duration::from_mins(3);

/// What a program may do to the user's own kubeconfig: nothing.
const DECOY: &str = "apiVersion: v1\nkind: Config\ncurrent-context: mine\n";

/// A stack with its app.
pub struct World {
    folder: TempDir,
    /// The stack's name.
    pub stack: String,
    /// The app's name.
    pub app: String,
    /// The app's repository.
    pub repository: PathBuf,
    failed: Cell<bool>,
}

impl World {
    /// Tells a story in a world of its own.
    pub fn story(what: &str, tell: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        let began = Instant::now();
        let world = Self::new(what)?;
        world.failed.set(true);
        tell(&world)?;
        world.failed.set(false);
        drop(world);
        eprintln!("{what}: {:.1?}", began.elapsed());
        Ok(())
    }

    /// Makes an app from the template, and nothing else.
    pub fn new(what: &str) -> Result<Self> {
        let folder = TempDir::with_prefix("altinn-")?;
        let mut random = [0; 2];
        getrandom::fill(&mut random)?;
        let name = format!("{what}-{:02x}{:02x}", random[0], random[1]);
        let repository = folder.path().join("app");
        let stack = format!("t-{name}");
        let world = Self { stack, app: name, repository, folder, failed: Cell::new(false) };
        for decoy in world.decoys() {
            std::fs::create_dir_all(decoy.parent().context("no parent")?)?;
            std::fs::write(decoy, DECOY)?;
        }
        let id = format!("ttd/{}", world.app);
        let mut made = world.command(&["app", "new", &id, "app"]);
        run(made.current_dir(world.folder.path()), SHORT)?.succeeded()?;
        Ok(world)
    }

    /// A place for files of the story itself.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn decoys(&self) -> [PathBuf; 2] {
        [self.path("home/.kube/config"), self.path("own.kubeconfig")]
    }

    /// The user's kubeconfigs are what they were.
    pub fn check_decoys(&self) -> Result<()> {
        for decoy in self.decoys() {
            ensure!(std::fs::read_to_string(&decoy)? == DECOY, "{} was changed", decoy.display());
        }
        Ok(())
    }

    /// The program in this world, in the app's folder when there is one.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let tools = std::env::var_os("ALTINN_LOCAL_TOOLS_DIR")
            .map_or_else(|| home.join(".local/share/altinn-local/tools"), PathBuf::from);
        let mut command = Command::new(env!("CARGO_BIN_EXE_altinn-local"));
        command
            .args(arguments)
            .env("HOME", self.path("home"))
            .env("KUBECONFIG", self.path("own.kubeconfig"))
            .env("ALTINN_LOCAL_HOME", self.path("own"))
            .env("ALTINN_LOCAL_TOOLS_DIR", tools)
            .env("ALTINN_LOCAL_STACK", &self.stack)
            .env("NO_COLOR", "1")
            // Where it is set, pages are left as they are.
            .env_remove("CI");
        if std::env::var_os("DOCKER_CONFIG").is_none() {
            // The home above is not the one that knows of the engine.
            command.env("DOCKER_CONFIG", home.join(".docker"));
        }
        if self.repository.is_dir() {
            command.current_dir(&self.repository);
        }
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str], patience: Duration) -> Result<Ended> {
        run(&mut self.command(arguments), patience)
    }

    /// Runs the program, which must succeed, and gives the last JSON document that it prints.
    pub fn result(&self, arguments: &[&str], patience: Duration) -> Result<Value> {
        self.run(arguments, patience)?.succeeded()?.result()
    }

    /// Starts the program and reads its events.
    pub fn start(&self, arguments: &[&str]) -> Result<Running> {
        Running::start(&mut self.command(arguments))
    }

    /// An object in the cluster.
    pub fn object(&self, arguments: &[&str]) -> Result<Value> {
        let mut all = vec!["kube", "ttd", "--", "get"];
        all.extend(arguments);
        all.extend(["-o", "json"]);
        self.result(&all, SHORT).with_context(|| format!("get {arguments:?}"))
    }

    /// What `status` tells.
    pub fn status(&self) -> Result<Value> {
        self.run(&["status", "--json"], SHORT)?.result()
    }

    /// The router's port.
    pub fn port(&self) -> Result<u16> {
        let status = self.status()?;
        let resources = status["resources"].as_array().context("no resources")?;
        let router = resources.iter().find(|one| one["id"] == "studio.router");
        let url = router.and_then(|router| router["urls"][0].as_str()).context("no router")?;
        Ok(url.rsplit(':').next().unwrap_or_default().parse()?)
    }

    /// The path of the app on its organisation's host.
    pub fn app_path(&self, rest: &str) -> String {
        format!("/ttd/{}{rest}", self.app)
    }

    /// GET below the app's path, through the router.
    pub fn ask(&self, port: u16, rest: &str) -> Result<(u16, String)> {
        get(port, &format!("ttd.apps.altinn.localhost:{port}"), &self.app_path(rest))
    }

    /// Waits until the app's health endpoint says this.
    pub fn wait_for(&self, port: u16, text: &str, patience: Duration) -> Result<Duration> {
        let began = Instant::now();
        loop {
            let last = self.ask(port, "/health");
            if matches!(&last, Ok((200, body)) if body == text) {
                return Ok(began.elapsed());
            }
            ensure!(began.elapsed() < patience, "no `{text}` within {patience:?}, but {last:?}");
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    /// A file of the app.
    pub fn read(&self, file: &str) -> Result<String> {
        std::fs::read_to_string(self.repository.join(file)).with_context(|| file.to_owned())
    }

    /// Writes a file of the app, as an editor does.
    pub fn save(&self, file: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.repository.join(file), text)?)
    }

    /// Makes the app's health endpoint say something else.
    pub fn say(&self, text: &str) -> Result<()> {
        let file = "App/Startup.cs";
        let source = self.read(file)?;
        let marker = "context.Response.WriteAsync(\"";
        let (before, rest) = source.split_once(marker).context("no health endpoint")?;
        let (_, after) = rest.split_once('"').context("no end of text")?;
        self.save(file, &format!("{before}{marker}{text}\"{after}"))
    }

    /// The agent's process.
    pub fn agent(&self) -> Result<u32> {
        let lock = self.path("own/run").join(format!("{}.lock", self.stack));
        Ok(std::fs::read_to_string(lock)?.trim().parse()?)
    }

    /// What the agent told last, for a story that failed; the failure is told after it and must not be lost behind it.
    fn agent_log(&self) -> String {
        const LINES: usize = 30;
        let log = self.path("own/state/stacks").join(&self.stack).join("agent.log");
        let log = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    /// Names of everything on the engine that is of this stack, by kind.
    pub fn holdings(&self) -> Result<Holdings> {
        let label = format!("label=no.altinn.local.stack={}", self.stack);
        let node = format!("name=^altinn-{}-", self.stack);
        let mut containers =
            docker_lines(&["ps", "-a", "--filter", &label, "--format", "{{.Names}}"])?;
        containers.extend(docker_lines(&[
            "ps",
            "-a",
            "--filter",
            &node,
            "--format",
            "{{.Names}}",
        ])?);
        let own =
            |kind: &str| docker_lines(&[kind, "ls", "--filter", &label, "--format", "{{.Name}}"]);
        let mut all = Holdings { containers, networks: own("network")?, volumes: own("volume")? };
        for names in [&mut all.containers, &mut all.networks, &mut all.volumes] {
            names.sort();
            names.dedup();
        }
        Ok(all)
    }

    /// The names that an `up` of the app leads to, no more and no fewer.
    pub fn expected(&self) -> Holdings {
        let parts = |parts: &[&str]| -> Vec<String> {
            parts.iter().map(|part| format!("altinn-{}-{part}", self.stack)).collect()
        };
        Holdings {
            containers: parts(&[
                "azurite",
                "designer",
                "events",
                "gitea",
                "platform",
                "postgres",
                "registry-platform",
                "registry-ttd",
                "router",
                "storage",
                "ttd-control-plane",
            ]),
            networks: vec![format!("altinn-local-{}", self.stack)],
            volumes: parts(&[
                "azurite",
                "designer",
                "gitea",
                "platform",
                "postgres",
                "registry-platform",
                "registry-ttd",
            ]),
        }
    }

    /// Takes away what a story left; tells what the product's own `down` did not.
    fn clean(&self) -> Result<Holdings> {
        let down = self.run(&["down", "--volumes", "--yes"], LONG);
        if let Ok(agent) = self.agent()
            && process_is(agent, &self.stack)
        {
            let gone = Instant::now() + Duration::from_secs(5);
            while process_is(agent, &self.stack) && Instant::now() < gone {
                std::thread::sleep(Duration::from_millis(50));
            }
            if process_is(agent, &self.stack) {
                kill(agent)?;
            }
        }
        let left = self.holdings()?;
        let delete = |arguments: &[&str], names: &[String]| -> Result<()> {
            if names.is_empty() {
                return Ok(());
            }
            let names = names.iter().map(String::as_str);
            docker(&arguments.iter().copied().chain(names).collect::<Vec<_>>()).map(drop)
        };
        delete(&["rm", "-f", "-v"], &left.containers)?;
        delete(&["network", "rm"], &left.networks)?;
        delete(&["volume", "rm"], &left.volumes)?;
        // Images of an app are its own: its name is random.
        let pattern = format!("reference=*/ttd-{}", self.app);
        let images = ["images", "--filter", &pattern, "--format", "{{.Repository}}:{{.Tag}}"];
        delete(&["rmi", "-f"], &docker_lines(&images)?)?;
        down?.succeeded()?;
        Ok(left)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let failed = self.failed.get() || std::thread::panicking();
        if failed {
            eprintln!("the agent's log:\n{}", self.agent_log());
        }
        let left = self.clean();
        if !failed {
            assert_eq!(
                left.expect("cleaning up"),
                Holdings::default(),
                "left after `down --volumes`"
            );
        } else if let Err(error) = left {
            eprintln!("cleaning up: {error:?}");
        }
    }
}

/// What a stack has on the engine.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Holdings {
    pub containers: Vec<String>,
    pub networks: Vec<String>,
    pub volumes: Vec<String>,
}

/// Ends a process at once, as a crash does.
pub fn kill(process: u32) -> Result<()> {
    let status = Command::new("kill").args(["-9", &process.to_string()]).status()?;
    ensure!(status.success(), "kill -9 {process}");
    Ok(())
}

/// Whether a process runs that has this word in its command line.
fn process_is(process: u32, word: &str) -> bool {
    let path = Path::new("/proc").join(process.to_string()).join("cmdline");
    std::fs::read(path).is_ok_and(|line| String::from_utf8_lossy(&line).contains(word))
}
