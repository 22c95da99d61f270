//! Stories on a real engine and real clusters, each in a world of its own. A cluster costs half a minute, so a story
//! is long; each of its chapters says what it shows.
//!
//! ```text
//! cargo test --locked --test real -- --ignored --test-threads=1
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, missing_docs)]

mod alone;
mod clients;
mod interrupted;
mod journey;
mod outside;
mod pages;
mod refusals;
mod running;
mod saves;
mod services;
mod studio;
mod widgets;
mod world;
