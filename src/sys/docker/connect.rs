//! Finds the engine: what the user named, then the docker context, then the usual sockets and pipes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::API_DEFAULT_VERSION;

use super::{Docker, Product, failed};
use crate::model::{Code, Label, Report};
use crate::sys::calls::Calls;

/// The oldest API that has what the builds need.
const OLDEST_API: (u32, u32) = (1, 41);
/// Uploads, loads and pushes may take long until the engine answers.
const TIMEOUT_SECONDS: u64 = 600;
/// An engine that does not answer a ping within this time counts as not running.
const PING: Duration = Duration::from_secs(3);

/// Everything that decides which engine is meant; read from the environment by `config`.
#[derive(Debug, Clone, Default)]
pub struct EngineChoice {
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub docker_context: Option<String>,
    /// `DOCKER_CONFIG`, else `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// `STUDIO_CONTAINER_TOOLCHAIN`: `docker` or `podman`, the name that Altinn's own tools use.
    pub toolchain: Option<String>,
    /// The user's home.
    pub home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
}

/// One place where an engine may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it comes from, for people: `DOCKER_HOST`, `context colima`.
    pub origin: String,
    /// As `unix:///var/run/docker.sock`.
    pub endpoint: String,
}

impl EngineChoice {
    /// Places to try, in order. A named one is the only one: a user who says where gets that or an error.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        let one = |origin: &str, endpoint: String| {
            vec![Candidate { origin: origin.to_owned(), endpoint }]
        };
        if let Some(host) = self.docker_host.as_ref().filter(|host| !host.is_empty()) {
            return one("DOCKER_HOST", host.clone());
        }
        if self.toolchain.as_deref() != Some("podman")
            && let Some((name, endpoint)) = self.context()
        {
            return one(&format!("context {name}"), endpoint);
        }
        self.usual()
    }

    /// The endpoint of the chosen docker context; none for `default`.
    fn context(&self) -> Option<(String, String)> {
        let folder =
            self.docker_config.clone().or_else(|| Some(self.home.as_ref()?.join(".docker")))?;
        let name = self.docker_context.clone().or_else(|| current_context(&folder))?;
        if name.is_empty() || name == "default" {
            return None;
        }
        let metas = std::fs::read_dir(folder.join("contexts/meta")).ok()?;
        metas.flatten().find_map(|entry| {
            let text = std::fs::read(entry.path().join("meta.json")).ok()?;
            let meta: serde_json::Value = serde_json::from_slice(&text).ok()?;
            let matches = meta["Name"].as_str() == Some(&name);
            let endpoint = meta["Endpoints"]["docker"]["Host"].as_str()?;
            matches.then(|| (name.clone(), endpoint.to_owned()))
        })
    }

    #[cfg(unix)]
    fn usual(&self) -> Vec<Candidate> {
        let home = |path: &str| self.home.as_ref().map(|home| home.join(path));
        let runtime = |path: &str| self.runtime_dir.as_ref().map(|folder| folder.join(path));
        let docker = [
            ("docker", Some(PathBuf::from("/var/run/docker.sock"))),
            ("docker (rootless)", runtime("docker.sock")),
            ("docker desktop", home(".docker/run/docker.sock")),
            ("colima", home(".colima/default/docker.sock")),
            ("rancher desktop", home(".rd/docker.sock")),
            ("orbstack", home(".orbstack/run/docker.sock")),
        ];
        let podman = [
            ("podman (rootless)", runtime("podman/podman.sock")),
            ("podman", Some(PathBuf::from("/run/podman/podman.sock"))),
            ("podman machine", home(".local/share/containers/podman/machine/podman.sock")),
        ];
        let chosen: Vec<_> = match self.toolchain.as_deref() {
            Some("podman") => podman.to_vec(),
            Some("docker") => docker.to_vec(),
            _ => docker.into_iter().chain(podman).collect(),
        };
        let existing = chosen.into_iter().filter_map(|(origin, path)| Some((origin, path?)));
        existing
            .map(|(origin, path)| Candidate {
                origin: origin.to_owned(),
                endpoint: format!("unix://{}", path.display()),
            })
            .collect()
    }

    #[cfg(windows)]
    fn usual(&self) -> Vec<Candidate> {
        let docker = ("docker", "npipe:////./pipe/docker_engine");
        let podman = ("podman machine", "npipe:////./pipe/podman-machine-default");
        let chosen = match self.toolchain.as_deref() {
            Some("podman") => vec![podman],
            Some("docker") => vec![docker],
            _ => vec![docker, podman],
        };
        chosen
            .into_iter()
            .map(|(origin, endpoint)| Candidate {
                origin: origin.to_owned(),
                endpoint: endpoint.to_owned(),
            })
            .collect()
    }
}

fn current_context(folder: &Path) -> Option<String> {
    let text = std::fs::read(folder.join("config.json")).ok()?;
    let config: serde_json::Value = serde_json::from_slice(&text).ok()?;
    config["currentContext"].as_str().map(str::to_owned)
}

impl Docker {
    /// Connects to the first place that answers, and checks its version.
    pub async fn connect(choice: &EngineChoice, calls: Calls) -> Result<Self, Report> {
        let mut tried = Vec::new();
        for candidate in choice.candidates() {
            match Self::at(&candidate, calls.clone()).await {
                Ok(docker) => return Ok(docker),
                Err(report) if report.code == Code::EngineTooOld => return Err(report),
                Err(report) => {
                    let why = report.labels.first().map_or("no answer", |(_, text)| text.as_str());
                    tried.push(format!("{} {}: {why}", candidate.origin, candidate.endpoint));
                }
            }
        }
        let start = "start Docker, Podman or Colima; on Linux `systemctl start docker`";
        Err(Report::new(Code::EngineMissing, "no container engine answered")
            .label(Label::Tried, tried.join(" · "))
            .fix(start, "then run the command again")
            .fix(
                "export DOCKER_HOST=unix:///path/to/docker.sock",
                "when the engine listens elsewhere",
            ))
    }

    async fn at(candidate: &Candidate, calls: Calls) -> Result<Self, Report> {
        let unreachable =
            |why: String| Report::new(Code::EngineMissing, "no container engine answered").why(why);
        if let Some(path) = candidate.endpoint.strip_prefix("unix://")
            && !Path::new(path).exists()
        {
            return Err(unreachable("not there".to_owned()));
        }
        let client = open(&candidate.endpoint).map_err(|error| unreachable(error.to_string()))?;
        let version = tokio::time::timeout(PING, client.version())
            .await
            .map_err(|_| unreachable("no answer within 3 s".to_owned()))?
            .map_err(|error| unreachable(error.to_string()))?;
        let api = version.api_version.unwrap_or_default();
        if parse_api(&api).is_some_and(|found| found < OLDEST_API) {
            return Err(Report::new(
                Code::EngineTooOld,
                format!("the engine's API {api} is too old"),
            )
            .why("builds need API 1.41 (Docker 20.10) or newer")
            .fix("upgrade the container engine", ""));
        }
        let client = client
            .negotiate_version()
            .await
            .map_err(|error| failed("agree on an API version", &error))?;
        let components = version.components.unwrap_or_default();
        let podman = components.iter().any(|part| part.name.starts_with("Podman"));
        Ok(Self {
            client,
            calls,
            product: if podman { Product::Podman } else { Product::Docker },
            endpoint: candidate.endpoint.clone(),
            version: version.version.unwrap_or_default(),
            api,
        })
    }
}

fn open(endpoint: &str) -> Result<bollard::Docker, bollard::errors::Error> {
    #[cfg(unix)]
    if endpoint.starts_with("unix://") {
        return bollard::Docker::connect_with_unix(endpoint, TIMEOUT_SECONDS, API_DEFAULT_VERSION);
    }
    #[cfg(windows)]
    if endpoint.starts_with("npipe://") {
        return bollard::Docker::connect_with_named_pipe(
            endpoint,
            TIMEOUT_SECONDS,
            API_DEFAULT_VERSION,
        );
    }
    if endpoint.starts_with("tcp://") || endpoint.starts_with("http://") {
        return bollard::Docker::connect_with_http(endpoint, TIMEOUT_SECONDS, API_DEFAULT_VERSION);
    }
    bollard::Docker::connect_with_host(endpoint)
}

fn parse_api(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn endpoints(choice: &EngineChoice) -> Vec<String> {
        choice.candidates().into_iter().map(|candidate| candidate.endpoint).collect()
    }

    #[test]
    fn a_named_host_is_the_only_one() {
        let choice = EngineChoice {
            docker_host: Some("tcp://127.0.0.1:2375".to_owned()),
            docker_context: Some("colima".to_owned()),
            ..EngineChoice::default()
        };
        assert_eq!(endpoints(&choice), ["tcp://127.0.0.1:2375"]);
    }

    #[test]
    fn the_current_context_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let meta = home.path().join(".docker/contexts/meta/abc");
        std::fs::create_dir_all(&meta).unwrap();
        let config = home.path().join(".docker/config.json");
        std::fs::write(config, r#"{"currentContext":"colima"}"#).unwrap();
        let text = r#"{"Name":"colima","Endpoints":{"docker":{"Host":"unix:///c.sock"}}}"#;
        std::fs::write(meta.join("meta.json"), text).unwrap();
        let mut choice =
            EngineChoice { home: Some(home.path().to_path_buf()), ..EngineChoice::default() };
        assert_eq!(endpoints(&choice), ["unix:///c.sock"]);
        choice.docker_context = Some("default".to_owned());
        assert_eq!(endpoints(&choice)[0], "unix:///var/run/docker.sock");
    }

    #[test]
    fn podman_by_the_toolchain_setting() {
        let choice =
            EngineChoice { toolchain: Some("podman".to_owned()), ..EngineChoice::default() };
        assert_eq!(endpoints(&choice), ["unix:///run/podman/podman.sock"]);
    }

    #[tokio::test]
    async fn no_engine_names_what_was_tried() {
        let choice = EngineChoice {
            docker_host: Some("unix:///nonexistent.sock".to_owned()),
            ..EngineChoice::default()
        };
        let report = Docker::connect(&choice, Calls::default()).await.unwrap_err();
        assert_eq!(report.code, Code::EngineMissing);
        assert!(report.labels[0].1.contains("/nonexistent.sock"), "{report:?}");
        assert!(!report.fixes.is_empty());
    }
}
