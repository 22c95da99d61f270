//! The outside: programs, the engine, clusters, files. Each module is a thin, typed face of one thing; it knows
//! names and paths, never plans.

pub mod calls;
pub mod detach;
pub mod docker;
pub mod dockerignore;
pub mod fs;
pub mod git;
pub mod gitea;
pub mod handover;
pub mod helm;
pub mod helper;
pub mod host;
pub mod http;
pub mod inside;
pub mod ipc;
pub mod kind;
pub mod kube;
pub mod lenient;
pub mod lock;
pub mod machine;
pub mod net;
pub mod process;
pub mod project;
pub mod registry;
pub mod remote;
pub mod services;
pub mod template;
pub mod tools;
pub mod tunnel;
pub mod walk;
