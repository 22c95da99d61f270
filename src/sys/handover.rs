//! Runs a program in our place: the terminal is its own, and its exit code becomes ours.

use std::path::Path;

use super::process::SCRUBBED;
use crate::model::{Code, Report};

/// Runs to the end; tells the exit code, or 128 and the signal's number as shells do.
pub async fn run(
    program: &Path,
    arguments: &[String],
    environment: &[(&str, &Path)],
    directory: &Path,
) -> Result<u8, Report> {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).current_dir(directory);
    for name in SCRUBBED {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied());
    let status = command.status().await.map_err(|error| {
        Report::new(Code::ToolMissing, format!("cannot run `{}`", program.display()))
            .why(error.to_string())
    })?;
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Ok(u8::try_from(128 + signal).unwrap_or(1));
    }
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
