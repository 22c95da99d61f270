//! Everything here runs in Linux containers only.

mod apply;
mod containers;
mod digest;
mod hook;
mod listener;
mod node;
mod relay;
mod session;
mod store;
mod supervise;

use std::io::Write as _;
use std::process::ExitCode;

/// What went wrong, in one line.
type Fault = String;

pub(crate) fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let job = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let done = match job.as_str() {
        "supervise" => supervise::run(rest),
        "node" => node::run(),
        "hook" => hook::run(),
        "session" => session::run(),
        "relay" => relay::run(&rest),
        "idle" => supervise::idle(),
        _ => Err(format!("unknown job `{job}`: supervise, node, hook, session, relay or idle")),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(fault) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(std::io::stderr(), "altinn-inside: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Puts what was tried before a system's error.
fn told<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Fault + '_ {
    move |error| format!("cannot {what}: {error}")
}
