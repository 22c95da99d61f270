//! Commands inside a running container.

use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::{Docker, failed};
use crate::model::Report;

/// What a command in a container left.
#[derive(Debug, Clone)]
pub struct Executed {
    /// Its exit code.
    pub code: i64,
    /// Its standard output.
    pub stdout: String,
    /// Both outputs as lines, for messages.
    pub lines: Vec<String>,
}

impl Docker {
    /// Runs a command to its end; `input` goes to its standard input. Nothing secret may be among the words.
    pub async fn exec(
        &self,
        container: &str,
        words: &[&str],
        input: Option<&str>,
    ) -> Result<Executed, Report> {
        let what = || format!("run `{}` in `{container}`", words.first().unwrap_or(&""));
        let config = ExecConfig {
            cmd: Some(words.iter().map(|word| (*word).to_owned()).collect()),
            attach_stdin: Some(input.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let exec = self
            .client
            .create_exec(container, config)
            .await
            .map_err(|error| failed(&what(), &error))?;
        let started = self.client.start_exec(&exec.id, None::<StartExecOptions>).await;
        let started = started.map_err(|error| failed(&what(), &error))?;
        let (mut stdout, mut all) = (Vec::new(), Vec::new());
        if let StartExecResults::Attached { mut output, input: mut pipe } = started {
            if let Some(text) = input {
                // A command that ended early tells more by its exit code than by our broken pipe.
                let _ = pipe.write_all(text.as_bytes()).await;
                let _ = pipe.shutdown().await;
            }
            while let Some(part) = output.next().await {
                let part = part.map_err(|error| failed(&what(), &error))?;
                if let LogOutput::StdOut { message } = &part {
                    stdout.extend_from_slice(message);
                }
                all.extend_from_slice(&part.into_bytes());
            }
        }
        let ended = self.client.inspect_exec(&exec.id).await;
        let ended = ended.map_err(|error| failed(&what(), &error))?;
        let lines = String::from_utf8_lossy(&all).lines().map(str::to_owned).collect();
        Ok(Executed {
            code: ended.exit_code.unwrap_or(-1),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            lines,
        })
    }
}
