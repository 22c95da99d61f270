//! altinn-local: the whole of Altinn on a workstation.
//!
//! Layers, from top to bottom; a module uses only what stands below it, and siblings of L3 do not know each other
//! (`tests/layers.rs` checks both):
//!
//! | | |
//! |---|---|
//! | L5 | [`cli`], [`server`]: people and machines talk to us |
//! | L4 | [`engine`]: one loop, its state, its tasks |
//! | L3 | [`stack`], [`cluster`], [`build`], [`deploy`], [`sync`], [`router`], [`page`], [`secrets`], [`parts`], [`pipeline`], [`widgets`]: one job each |
//! | L2 | [`sys`]: the only code that touches the outside; [`config`] reads the user's wishes |
//! | L1 | [`plan`]: pure decisions; [`events`]: the stream |
//! | L0 | [`model`]: plain data |
//!
//! Five invariants:
//! 1. Only `engine` changes state.
//! 2. Planning is pure: the same wish and the same findings give the same steps.
//! 3. Everything made is labelled, and every step can be repeated.
//! 4. The event stream is the only way out of the engine.
//! 5. Only `sys` touches the outside, and only `cli::printer` prints.
//!
//! Start reading at `main.rs`, then `cli::up`, then `engine::run`.

pub mod build;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod deploy;
pub mod engine;
pub mod events;
pub mod model;
pub mod page;
pub mod parts;
pub mod pipeline;
pub mod plan;
pub mod router;
pub mod secrets;
pub mod server;
pub mod stack;
pub mod sync;
pub mod sys;
pub mod widgets;
