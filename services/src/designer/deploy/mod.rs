//! Releases, deployments, and the pipeline that carries them out.

pub(super) mod builds;
pub(super) mod deployments;
pub(super) mod environments;
pub(super) mod events;
pub(super) mod model;
pub(super) mod pipeline;
pub(super) mod releases;
pub(super) mod store;
