//! The containers of a stack: what they should be, and how that is brought about.

mod addresses;
mod designer;
mod desired;
mod execute;
mod gitea;
mod localtest;
pub mod platform;
mod ports;
pub mod program;
mod ready;
#[cfg(test)]
mod tests;

pub use addresses::choose as choose_addresses;
pub use desired::{Images, Wish, boot_configuration, desired, volumes_prefix};
pub use execute::Executor;
pub use gitea::{Seed, push_repository, repositories};
pub use ports::{PortMap, PortWish, allocate};
