//! A program in a running container that is talked to for long: one call to start it, then a stream each way.

use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::{ContainerCreateBody, ExecConfig, HostConfig, Mount, MountType};
use bollard::query_parameters::{CreateContainerOptionsBuilder, UploadToContainerOptionsBuilder};
use futures_util::StreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::StreamReader;

use super::{Docker, failed};
use crate::model::{Report, StackName, labels};

/// The streams of a program in a container. Dropping them closes its standard input.
pub struct Session {
    /// Its standard input.
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
    /// Its standard output.
    pub output: Pin<Box<dyn AsyncRead + Send>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// A container that only waits for sessions.
#[derive(Debug, Clone)]
pub struct Idle<'a> {
    /// Its name.
    pub name: &'a str,
    /// The resource it belongs to, as `app.ttd.demo`.
    pub resource: &'a str,
    /// The image to run.
    pub image: &'a str,
    /// Where the helper is put, and how it is told to wait.
    pub words: &'a [&'a str],
    /// A volume and where it is seen.
    pub volume: Option<(&'a str, &'a str)>,
    /// How much of the processors it gets beside others that want them: 1024 is as much as any other; none for that.
    pub weight: Option<i64>,
}

impl Docker {
    /// Starts a program in a running container. Nothing secret may be among the words.
    pub async fn open_session(&self, container: &str, words: &[&str]) -> Result<Session, Report> {
        let what = || format!("run `{}` in `{container}`", words.first().unwrap_or(&""));
        let config = ExecConfig {
            cmd: Some(words.iter().map(|word| (*word).to_owned()).collect()),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let exec = self.client.create_exec(container, config).await;
        let exec = exec.map_err(|error| failed(&what(), &error))?;
        let options = StartExecOptions { output_capacity: Some(256 * 1024), ..Default::default() };
        let started = self.client.start_exec(&exec.id, Some(options)).await;
        let StartExecResults::Attached { output, input } =
            started.map_err(|error| failed(&what(), &error))?
        else {
            let error = std::io::Error::other("the engine did not attach to it");
            return Err(Report::bug(what(), &error));
        };
        let output = output.filter_map(|part| async {
            match part {
                Ok(LogOutput::StdOut { message }) => Some(Ok(message)),
                Ok(other) => {
                    tracing::warn!("{}", other.to_string().trim_end());
                    None
                }
                Err(error) => Some(Err(std::io::Error::other(error))),
            }
        });
        Ok(Session { input, output: Box::pin(StreamReader::new(output)) })
    }

    /// Puts a program into a container, running or not, where anyone may run it.
    pub async fn put_program(
        &self,
        container: &str,
        path: &str,
        program: &[u8],
    ) -> Result<(), Report> {
        self.calls.changing("engine: put a program into a container");
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(program.len() as u64);
        header.set_mode(0o755);
        header.set_entry_type(tar::EntryType::Regular);
        let packed = archive
            .append_data(&mut header, path.trim_start_matches('/'), program)
            .and_then(|()| archive.into_inner())
            .map_err(|error| Report::bug("cannot pack a program for a container", &error))?;
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        let body = bollard::body_full(packed.into());
        let put = self.client.upload_to_container(container, Some(options), body).await;
        put.map_err(|error| failed("put a program into a container", &error))
    }

    /// Makes a container that waits for sessions, and puts the program into it that waits. It does not run yet.
    pub async fn create_idle(
        &self,
        idle: &Idle<'_>,
        program: &[u8],
        network: &str,
        stack: &StackName,
    ) -> Result<String, Report> {
        self.calls.changing("engine: create container");
        let volume = idle.volume.map(|(volume, path)| Mount {
            typ: Some(MountType::VOLUME),
            source: Some(volume.to_owned()),
            target: Some(path.to_owned()),
            ..Mount::default()
        });
        let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let body = ContainerCreateBody {
            image: Some(idle.image.to_owned()),
            entrypoint: Some(idle.words.iter().map(|word| (*word).to_owned()).collect()),
            cmd: Some(Vec::new()),
            user: Some("0:0".to_owned()),
            labels: Some(
                [label(labels::STACK, stack.as_str()), label(labels::RESOURCE, idle.resource)]
                    .into(),
            ),
            host_config: Some(HostConfig {
                network_mode: Some(network.to_owned()),
                mounts: Some(volume.into_iter().collect()),
                cpu_shares: idle.weight,
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(idle.name).build();
        let created = self.client.create_container(Some(options), body).await;
        let id = created.map_err(|error| failed("create a container", &error))?.id;
        if let Some(path) = idle.words.first() {
            self.put_program(&id, path, program).await?;
        }
        Ok(id)
    }
}
