//! The `kind` program: makes and deletes clusters whose nodes are containers.
//!
//! It gets our own kubeconfig file with every call, so the user's is neither read nor written, and its current
//! context stays.

use std::path::{Path, PathBuf};

use semver::Version;

use super::calls::Calls;
use super::process::Program;
use crate::model::{Code, Report};

/// The oldest kind that knows the options we give it and starts the nodes we use.
const OLDEST: Version = Version::new(0, 24, 0);

/// The engine that kind is to run nodes in. It drives it by the engine's own command-line program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KindEngine {
    /// Podman instead of Docker.
    pub podman: bool,
    /// `DOCKER_HOST`, when the engine is not at its usual place.
    pub docker_host: Option<String>,
}

/// The program, and how it reaches the engine.
#[derive(Debug, Clone)]
pub struct Kind {
    program: PathBuf,
    engine: KindEngine,
    calls: Calls,
}

impl Kind {
    /// The program at this path; it is not run yet.
    #[must_use]
    pub fn new(program: PathBuf, engine: KindEngine, calls: Calls) -> Self {
        Self { program, engine, calls }
    }

    /// Its version, when it is new enough.
    pub async fn version(&self) -> Result<Version, Report> {
        let said = self
            .command(["version"])
            .run(|_| ())
            .await?
            .success(Code::ToolMissing, "`kind` does not tell its version")?;
        let too_old = |what: String| {
            Report::new(Code::ToolMissing, "`kind` is too old")
                .at(self.program.display().to_string())
                .why(what)
                .fix("scripts/up", "builds a fitting one from packages")
                .fix("ALTINN_LOCAL_KIND=/path/to/kind", "to name another one than this")
        };
        match parse_version(&said) {
            Some(version) if version >= OLDEST => Ok(version),
            Some(version) => {
                Err(too_old(format!("it is {version}; {OLDEST} is the oldest that works")))
            }
            None => Err(too_old(format!("it says `{}`", said.trim()))),
        }
    }

    /// Whether there is a cluster of this name, whole or half-made.
    pub async fn exists(&self, name: &str) -> Result<bool, Report> {
        let names = self
            .command(["get", "clusters", "--quiet"])
            .run(|_| ())
            .await?
            .success(Code::ClusterFailed, "`kind` cannot list its clusters")?;
        Ok(names.lines().any(|line| line == name))
    }

    /// Whether a kind still works on the cluster of this kubeconfig. When the program that started it is killed,
    /// kind goes on alone, and when it then fails, it deletes whatever has the cluster's name, even if somebody
    /// made that anew meanwhile. Windows ends it together with its parent, so there is nothing to look for.
    pub async fn is_creating(&self, kubeconfig: &Path) -> bool {
        let ps = Program::new(Path::new("/bin/ps")).args(["-axww", "-o", "args="]);
        let path = kubeconfig.display().to_string();
        match ps.run(|_| ()).await {
            Ok(finished) => finished
                .stdout
                .lines()
                .any(|line| line.contains("create cluster") && line.contains(&path)),
            Err(_) => false,
        }
    }

    /// Makes a cluster in an existing docker network and writes its `kubeconfig`; passes each line of output on.
    /// Does not wait for the node to be ready: what is applied meanwhile starts sooner. What a failed run made,
    /// kind removes itself; what a killed one made stays.
    pub async fn create(
        &self,
        name: &str,
        configuration: &serde_json::Value,
        kubeconfig: &Path,
        network: &str,
        on_line: impl FnMut(&str),
    ) -> Result<(), Report> {
        self.version().await?;
        self.calls.changing(&format!("kind create cluster {name}"));
        let provider = if self.engine.podman { "PODMAN" } else { "DOCKER" };
        self.command(["create", "cluster", "--name", name, "--config", "-"])
            .arg("--kubeconfig")
            .arg(kubeconfig.display().to_string())
            .env(format!("KIND_EXPERIMENTAL_{provider}_NETWORK"), network)
            // JSON is YAML, and needs no quoting rules.
            .input(configuration.to_string())
            .run(on_line)
            .await?
            .success(Code::ClusterFailed, &format!("`kind` could not make the cluster `{name}`"))?;
        Ok(())
    }

    /// Deletes a cluster with its nodes and their volumes; it need not be there.
    pub async fn delete(&self, name: &str, kubeconfig: &Path) -> Result<(), Report> {
        self.calls.changing(&format!("kind delete cluster {name}"));
        self.command(["delete", "cluster", "--name", name, "--kubeconfig"])
            .arg(kubeconfig.display().to_string())
            .run(|_| ())
            .await?
            .success(
                Code::ClusterFailed,
                &format!("`kind` could not delete the cluster `{name}`"),
            )?;
        Ok(())
    }

    fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Program {
        // Always said, because kind would else take whatever the user's environment says.
        let provider = if self.engine.podman { "podman" } else { "docker" };
        let program =
            Program::new(&self.program).args(arguments).env("KIND_EXPERIMENTAL_PROVIDER", provider);
        match &self.engine.docker_host {
            Some(host) => program.env("DOCKER_HOST", host),
            None => program,
        }
    }
}

/// Reads `kind v0.30.0 go1.24.6 linux/amd64`.
fn parse_version(said: &str) -> Option<Version> {
    said.split_whitespace().find_map(|word| Version::parse(word.strip_prefix('v')?).ok())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (said, version) in [
            ("kind v0.30.0 go1.24.6 linux/amd64\n", Some("0.30.0")),
            ("kind v0.31.0-alpha+abc go1.25 darwin/arm64", Some("0.31.0-alpha+abc")),
            ("kind version unknown", None),
        ] {
            let read = parse_version(said).map(|version| version.to_string());
            assert_eq!(read.as_deref(), version, "{said}");
        }
    }

    /// A `kind` that writes its arguments, environment and input to a file.
    fn scripted(folder: &Path, version: &str) -> Kind {
        let program = folder.join("kind");
        let script = format!(
            "#!/bin/sh\nif [ $1 = version ]; then echo 'kind v{version} go1 x/y'; exit; fi\n\
             echo \"$*|$KIND_EXPERIMENTAL_PROVIDER|$KIND_EXPERIMENTAL_DOCKER_NETWORK|$DOCKER_HOST\" >>{0}/log\n\
             if [ $1 = get ]; then printf 'one\\ntwo\\n'; fi\nif [ $1 = create ]; then cat >{0}/input; echo ' ✓ Done' >&2; fi\n",
            folder.display()
        );
        // Written by another process: a file that this one has open for writing may be inherited by the child
        // of a test beside this one, and then cannot be run yet ("text file busy").
        let write = "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\"";
        let status = std::process::Command::new("/bin/sh")
            .args(["-c", write])
            .args([program.as_os_str(), std::ffi::OsStr::new(&script)])
            .status();
        assert!(status.unwrap().success());
        let engine = KindEngine { podman: false, docker_host: Some("unix:///x".to_owned()) };
        Kind::new(program, engine, Calls::default())
    }

    #[tokio::test]
    async fn each_call_names_our_own_kubeconfig() {
        let folder = tempfile::tempdir().unwrap();
        let kind = scripted(folder.path(), "0.30.0");
        let mut heard = Vec::new();
        let configuration = serde_json::json!({"kind": "Cluster"});
        let config_path = Path::new("/ours/c.kubeconfig");
        kind.create("c", &configuration, config_path, "net", |line| {
            heard.push(line.to_owned());
        })
        .await
        .unwrap();
        kind.delete("c", config_path).await.unwrap();
        assert!(kind.exists("two").await.unwrap());
        assert!(!kind.exists("tw").await.unwrap());
        assert_eq!(heard, [" ✓ Done"]);
        assert_eq!(kind.calls.count(), 2);
        let read = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("input"), r#"{"kind":"Cluster"}"#);
        assert_eq!(
            read("log").lines().take(2).collect::<Vec<_>>(),
            [
                "create cluster --name c --config - --kubeconfig /ours/c.kubeconfig|docker|net|unix:///x",
                "delete cluster --name c --kubeconfig /ours/c.kubeconfig|docker||unix:///x",
            ]
        );
    }

    #[tokio::test]
    async fn an_old_kind_is_refused_before_anything_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let kind = scripted(folder.path(), "0.23.0");
        let report = kind
            .create("c", &serde_json::json!({}), Path::new("/x"), "net", |_| ())
            .await
            .unwrap_err();
        assert_eq!(report.code, Code::ToolMissing);
        assert_eq!(kind.calls.count(), 0);
    }
}
