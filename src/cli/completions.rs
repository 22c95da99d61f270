//! `completions`: a script for the shell, made from the arguments' types.

use std::process::ExitCode;

use clap::CommandFactory as _;

use super::Context;
use super::args::Args;

pub(super) fn run(context: &Context<'_>, shell: clap_complete::Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "altinn-local", &mut script);
    context.printer.line(String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
