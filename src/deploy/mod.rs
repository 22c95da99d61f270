//! From an app and its image to a version that answers: values as production's pipeline makes them, our chart,
//! Helm or a patch of the image alone, and the watch over the rollout; and what the platform is told of the app. Each part can be asked alone; none decides when.

pub mod chart;
pub mod overlay;
pub mod patch;
pub mod progress;
pub mod publish;
pub mod release;
pub mod rollout;
pub mod values;

pub use release::ReleaseSpec;
pub use rollout::Rollout;
