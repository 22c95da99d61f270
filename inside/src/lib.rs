//! What altinn-local and its helper inside containers say to each other.

pub mod relay;
pub mod wire;
