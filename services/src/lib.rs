//! The platform services that an Altinn app calls: what it finds in production, on one machine and without a network.
//!
//! Layers; a module uses only what stands below it, and siblings do not know each other: what one service needs of
//! another it asks over the wire contract, through [`kit::peer::Peer`], which is a connection or a call in the process.
//!
//! | | |
//! |---|---|
//! | L3 | [`run`]: the command line |
//! | L2 | [`embedded`]: all services in one process, and the hosts of one port |
//! | L1 | [`platform`]: Profile, Register, Authentication, Authorization, test log-in, the Maskinporten stand-in |
//! | L1 | [`storage`]: instances of apps, their data, process and events |
//! | L1 | [`events`]: publish, read, subscribe, deliver |
//! | L1 | [`designer`]: a stand-in for Altinn Studio's Designer |
//! | L0 | [`kit`]: serving, routes, answers, tokens, asking other services |
//!
//! The wire contract is Altinn's; each module names the parts that it answers.

#![allow(clippy::struct_field_names, reason = "the wire's names are given")]

pub mod designer;
pub mod embedded;
pub mod events;
pub mod kit;
pub mod platform;
pub mod run;
pub mod storage;
