//! Starts a program that outlives us and our terminal.

use std::path::Path;
use std::process::Stdio;

pub use process_wrap::tokio::ChildWrapper;
use process_wrap::tokio::CommandWrap;

use crate::model::{Code, Report};

/// What glibc is told: a program that waits most of its time gives memory back that it used once. Others ignore it.
const MEMORY: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "2"), ("MALLOC_TRIM_THRESHOLD_", "262144")];

/// Starts a program in a session of its own, in the given folder, with all output added to the end of a log file.
pub fn spawn(
    program: &Path,
    arguments: &[&str],
    directory: &Path,
    log: &Path,
) -> Result<Box<dyn ChildWrapper>, Report> {
    start(program, arguments, directory, log).map_err(|error| {
        Report::new(Code::AgentSilent, "the agent could not be started")
            .at(program.display().to_string())
            .why(error.to_string())
    })
}

fn start(
    program: &Path,
    arguments: &[&str],
    directory: &Path,
    log: &Path,
) -> std::io::Result<Box<dyn ChildWrapper>> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let output = options.open(log)?;
    let errors = output.try_clone()?;
    let mut wrapped = CommandWrap::with_new(program, |command| {
        command
            .args(arguments)
            // A folder that stays: the caller's own may be removed while we run.
            .current_dir(directory)
            .envs(MEMORY)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        #[cfg(windows)]
        {
            const DETACHED_PROCESS: u32 = 0x8;
            const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
            command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
        }
    });
    #[cfg(unix)]
    wrapped.wrap(process_wrap::tokio::ProcessSession);
    wrapped.spawn()
}
