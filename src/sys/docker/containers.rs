//! Containers: find, create, fill, start, stop, remove, read.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use bollard::models::{
    ContainerCreateBody, ContainerSummary, EndpointIpamConfig, EndpointSettings, HostConfig,
    HostConfigLogConfig, Mount, MountType, NetworkingConfig, PortBinding,
};
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, CreateContainerOptionsBuilder,
    DownloadFromContainerOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    LogsOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
    StopContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};

use super::{Docker, failed, found, status};
use crate::model::{Code, FileSpec, FoundContainer, Label, Report, Service, StackName, labels};

/// A line of a log with its time.
pub type Stamped = (String, String);

/// How long a removal may take that somebody else began.
const REMOVAL: Duration = Duration::from_secs(20);

/// Written into a container when its set-up is done; a new container does not have it.
pub const SET_UP_MARKER: &str = "/etc/altinn-local.set-up";

impl Docker {
    /// Containers with the stack's label, kind nodes in its network, and those that hold one of the given names, by
    /// name.
    pub async fn containers(
        &self,
        stack: &StackName,
        names: &[String],
        network: &str,
    ) -> Result<BTreeMap<String, FoundContainer>, Report> {
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let answer = self.client.list_containers(Some(options)).await;
        let all = answer.map_err(|error| failed("list containers", &error))?;
        let mut result = BTreeMap::new();
        for summary in all {
            let (name, container) = read_summary(summary, stack);
            let node = container.kind_cluster.is_some()
                && container.networks.iter().any(|name| name == network);
            if container.ours || node || names.contains(&name) {
                result.insert(name, container);
            }
        }
        Ok(result)
    }

    /// Whether the container was set up: the marker is there. A look that changes nothing.
    pub async fn is_set_up(&self, id: &str) -> Result<bool, Report> {
        self.holds(id, SET_UP_MARKER).await
    }

    /// Whether a container has something at this path. A look that changes nothing.
    pub async fn holds(&self, id: &str, path: &str) -> Result<bool, Report> {
        let options = ContainerArchiveInfoOptionsBuilder::default().path(path).build();
        let answer = self.client.get_container_archive_info(id, Some(options)).await;
        Ok(found("look into a container", answer)?.is_some())
    }

    /// Makes a container from a service, and puts the files in: the service's, with what only others know of them. It
    /// does not run yet.
    pub async fn create_container(
        &self,
        service: &Service,
        files: &[FileSpec],
        network: &str,
        stack: &StackName,
    ) -> Result<String, Report> {
        self.calls.changing("engine: create container");
        let options = CreateContainerOptionsBuilder::default().name(&service.container).build();
        let body = body(service, network, stack);
        let created = self.client.create_container(Some(options), body).await;
        let id = created.map_err(|error| failed("create a container", &error))?.id;
        self.put_files(&id, files).await?;
        Ok(id)
    }

    /// Writes files into a container, as one plain tar: a compressed one would be unpacked by a program of the image.
    pub async fn put_files(&self, container: &str, files: &[FileSpec]) -> Result<(), Report> {
        if files.is_empty() {
            return Ok(());
        }
        self.calls.changing("engine: put files into container");
        let archive = archive(files)
            .map_err(|error| Report::bug("cannot pack files for a container", &error))?;
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        let body = bollard::body_full(archive.into());
        let put = self.client.upload_to_container(container, Some(options), body).await;
        put.map_err(|error| failed("put files into a container", &error))
    }

    /// One file of a container, at most 1 MiB; none when it is not there.
    pub async fn read_file(&self, container: &str, path: &str) -> Result<Option<String>, Report> {
        let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
        let stream = self.client.download_from_container(container, Some(options));
        let parts: Result<Vec<_>, _> = stream.try_collect().await;
        let Some(parts) = found("read from a container", parts)? else {
            return Ok(None);
        };
        let mut unpacked = tar::Archive::new(std::io::Cursor::new(parts.concat()));
        let read = || -> std::io::Result<Option<String>> {
            let Some(entry) = unpacked.entries()?.next() else {
                return Ok(None);
            };
            let mut text = String::new();
            std::io::Read::read_to_string(&mut std::io::Read::take(entry?, 1 << 20), &mut text)?;
            Ok(Some(text))
        };
        read_or_report(read)
    }

    /// Starts a container, then checks that every published port is on 127.0.0.1 alone; one that is not is removed.
    pub async fn start_container(&self, id: &str, name: &str) -> Result<(), Report> {
        self.calls.changing("engine: start container");
        let started = self.client.start_container(id, None::<StartContainerOptions>).await;
        started.map_err(|error| start_failed(name, &failed("start a container", &error)))?;
        self.check_private(id, name).await
    }

    /// Removes a container that the engine published on another address than 127.0.0.1.
    pub async fn check_private(&self, id: &str, name: &str) -> Result<(), Report> {
        let exposed = self.exposed(id).await?;
        if exposed.is_empty() {
            return Ok(());
        }
        self.remove_container(id).await?;
        Err(Report::new(
            Code::PortExposed,
            format!("the engine published `{name}` to other machines"),
        )
        .why(format!("it listens on {}", exposed.join(", ")))
        .fix("altinn-local doctor", "checks the engine's settings"))
    }

    /// Addresses other than 127.0.0.1 on which the engine published the container.
    async fn exposed(&self, id: &str) -> Result<Vec<String>, Report> {
        let answer = self.client.inspect_container(id, None::<InspectContainerOptions>).await;
        let container = answer.map_err(|error| failed("inspect a container", &error))?;
        let ports = container.network_settings.and_then(|settings| settings.ports);
        let bindings = ports.unwrap_or_default().into_values().flatten().flatten();
        let addresses = bindings.filter_map(|binding| binding.host_ip);
        Ok(addresses.filter(|address| address != "127.0.0.1").collect())
    }

    /// Whether the container runs, and its exit code when not.
    pub async fn state(&self, id: &str) -> Result<Option<(bool, i64)>, Report> {
        let answer = self.client.inspect_container(id, None::<InspectContainerOptions>).await;
        let state = found("inspect a container", answer)?.and_then(|container| container.state);
        Ok(state.map(|state| (state.running.unwrap_or(false), state.exit_code.unwrap_or(0))))
    }

    /// Sends a signal to the container's first process, as `SIGHUP`.
    pub async fn signal(&self, id: &str, signal: &str) -> Result<(), Report> {
        self.calls.changing("engine: signal container");
        let options = bollard::query_parameters::KillContainerOptionsBuilder::default()
            .signal(signal)
            .build();
        let sent = self.client.kill_container(id, Some(options)).await;
        sent.map_err(|error| failed("signal a container", &error))
    }

    /// Stops a container with a short grace; databases end well within it.
    pub async fn stop_container(&self, id: &str) -> Result<(), Report> {
        self.calls.changing("engine: stop container");
        let options = StopContainerOptionsBuilder::default().t(10).build();
        found("stop a container", self.client.stop_container(id, Some(options)).await).map(|_| ())
    }

    /// Removes a container, running or not, but no named volume; one that is gone already is fine.
    pub async fn remove_container(&self, id: &str) -> Result<(), Report> {
        self.calls.changing("engine: remove container");
        let options = RemoveContainerOptionsBuilder::default().force(true).v(false).build();
        match self.client.remove_container(id, Some(options)).await {
            // Somebody else's wish for the same is being carried out.
            Err(error) if status(&error) == Some(409) => self.removed(id).await,
            removed => found("remove a container", removed).map(|_| ()),
        }
    }

    /// Waits until a container that is being removed is gone.
    async fn removed(&self, id: &str) -> Result<(), Report> {
        let end = Instant::now() + REMOVAL;
        while self.state(id).await?.is_some() {
            if Instant::now() > end {
                return Err(Report::new(
                    Code::EngineFailed,
                    "a container is being removed for too long",
                )
                .at(id)
                .fix(format!("docker rm -f {id}"), "tells what holds it"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// The last lines of a container's log.
    pub async fn log_tail(&self, id: &str, lines: usize) -> Vec<String> {
        self.logs(id, lines, false).map(|(_, line)| line).collect().await
    }

    /// A container's log as time (RFC 3339) and line: the last ones, and then new ones when following. A log that
    /// breaks off ends.
    pub fn logs(&self, id: &str, tail: usize, follow: bool) -> impl Stream<Item = Stamped> + use<> {
        let options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .follow(follow)
            .tail(&tail.to_string())
            .build();
        let parts = self.client.logs(id, Some(options));
        parts.filter_map(|part| async { part.ok().map(|part| stamped(&part.to_string())) })
    }
}

/// Splits what a log line begins with, its time, from the line.
pub(crate) fn stamped(line: &str) -> Stamped {
    let line = line.trim_end_matches(['\n', '\r']);
    let (time, rest) = line.split_once(' ').unwrap_or((line, ""));
    (time.to_owned(), rest.to_owned())
}

fn read_or_report(
    read: impl FnOnce() -> std::io::Result<Option<String>>,
) -> Result<Option<String>, Report> {
    read().map_err(|error| Report::bug("cannot read a file out of a container", &error))
}

/// The engine says "port is already allocated" or "address already in use"; users deserve the port's owner,
/// which the pre-flight names, and at least the right code here.
fn start_failed(name: &str, report: &Report) -> Report {
    let why = report.labels.first().map_or("", |(_, text)| text.as_str());
    if !why.contains("already allocated") && !why.contains("address already in use") {
        return report.clone();
    }
    Report::new(Code::PortTaken, format!("a port of `{name}` is in use"))
        .label(Label::Why, why)
        .fix("altinn-local up --port auto", "use the next free port and remember it for this stack")
}

fn read_summary(summary: ContainerSummary, stack: &StackName) -> (String, FoundContainer) {
    let labels = summary.labels.unwrap_or_default();
    let names = summary.names.unwrap_or_default();
    let name = names.first().map_or("", |name| name.trim_start_matches('/')).to_owned();
    let ports = summary.ports.unwrap_or_default().into_iter();
    let published = ports.filter_map(|port| {
        Some((port.ip.unwrap_or_default(), port.public_port?, port.private_port))
    });
    let networks = summary.network_settings.and_then(|settings| settings.networks);
    let state = summary.state.map(|state| state.to_string()).unwrap_or_default();
    let container = FoundContainer {
        id: summary.id.unwrap_or_default(),
        ours: labels.get(labels::STACK).map(String::as_str) == Some(stack.as_str()),
        hash: labels.get(labels::HASH).cloned(),
        running: state == "running",
        set_up: false,
        published: published.collect(),
        resource: labels.get(labels::RESOURCE).cloned(),
        image: summary.image.unwrap_or_default(),
        networks: networks.unwrap_or_default().into_keys().collect(),
        kind_cluster: labels.get(labels::KIND_CLUSTER).cloned(),
    };
    (name, container)
}

fn body(service: &Service, network: &str, stack: &StackName) -> ContainerCreateBody {
    let ports = service.ports.iter().map(|port| {
        let binding = PortBinding {
            host_ip: Some("127.0.0.1".to_owned()),
            host_port: Some(port.host.to_string()),
        };
        (format!("{}/tcp", port.container), Some(vec![binding]))
    });
    let mounts = service.mounts.iter().map(|mount| Mount {
        typ: Some(MountType::VOLUME),
        source: Some(mount.volume.clone()),
        target: Some(mount.path.clone()),
        ..Mount::default()
    });
    // A flood of log lines must not fill the disk.
    let log = HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(HashMap::from([
            ("max-size".to_owned(), "16m".to_owned()),
            ("max-file".to_owned(), "2".to_owned()),
        ])),
    };
    let host = HostConfig {
        port_bindings: Some(ports.clone().collect()),
        mounts: Some(mounts.collect()),
        network_mode: Some(network.to_owned()),
        log_config: Some(log),
        ..HostConfig::default()
    };
    let endpoint = EndpointSettings {
        aliases: Some(service.aliases.clone()),
        ipam_config: service.address.map(|address| EndpointIpamConfig {
            ipv4_address: Some(address.to_string()),
            ..EndpointIpamConfig::default()
        }),
        ..EndpointSettings::default()
    };
    let label = |key: &str, value: String| (key.to_owned(), value);
    ContainerCreateBody {
        image: Some(service.image.to_string()),
        entrypoint: service.entrypoint.clone(),
        cmd: service.command.clone(),
        env: Some(
            service.environment.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        ),
        exposed_ports: Some(ports.map(|(port, _)| port).collect()),
        labels: Some(HashMap::from([
            label(labels::STACK, stack.to_string()),
            label(labels::RESOURCE, service.id.clone()),
            label(labels::HASH, service.config_hash()),
        ])),
        host_config: Some(host),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(network.to_owned(), endpoint)])),
        }),
        ..ContainerCreateBody::default()
    }
}

/// Packs files with absolute paths into a tar that is unpacked at `/`. Folders are not listed: an entry for one
/// that exists would change its mode.
fn archive(files: &[FileSpec]) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(file.contents.len() as u64);
        header.set_mode(file.mode);
        header.set_uid(u64::from(file.owner.0));
        header.set_gid(u64::from(file.owner.1));
        header.set_entry_type(tar::EntryType::Regular);
        let path = file.path.trim_start_matches('/');
        builder.append_data(&mut header, path, file.contents.as_bytes())?;
    }
    builder.into_inner()
}
