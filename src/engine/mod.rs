//! The one place where state changes: a loop that hears commands, changes on disk and the ends of its own tasks.
//!
//! The loop itself does no work: it starts tasks, at most one run at a time, and at most one shipment for each app.
//! Everything that happens is told to the journal; `status` is a fold of it.

mod board;
mod browser;
mod carry;
mod converge;
mod desire;
mod dev;
mod embedded;
mod execute;
mod handle;
mod hot;
mod local;
mod observe;
mod output;
mod pipeline;
mod ports;
mod resources;
mod run;
mod services_log;
mod ship;
mod slots;
mod turns;
mod way;
mod workshop;

pub use embedded::embedded_data;
pub use handle::Visitor;
pub(crate) use handle::state_word;
pub use handle::{
    Command, DownRequest, EngineHandle, EngineProduct, Reply, Snapshot, StackState, UpOptions,
    UpRequest,
};
pub use local::{Foresight, found_app, render};
pub use output::{Line, output};
pub use ports::{agent_port, remembered as remembered_ports};
pub use run::spawn;
pub use services_log::services_log;
pub use turns::Turns;
pub use workshop::{Site, engine_choice};
