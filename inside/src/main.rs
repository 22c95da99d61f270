//! The helper inside containers. Which of its jobs it does, its first argument says:
//!
//! | | |
//! |---|---|
//! | `supervise -- PROGRAM …` | first process of an app's container: starts the app, and starts it again on SIGHUP |
//! | `node` | in a cluster's node: writes files into running containers, keeps them for new ones |
//! | `hook` | called by the container runtime before a container starts: puts the kept files into it |
//! | `session` | in a build container: takes sources, runs the compiler, gives back what changed |
//! | `relay PORT …` | in the router: carries connections to loopback ports over standard input and output |
//! | `idle` | keeps a build container alive |

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
