//! Which image each part is: named by the user, in the engine already, or to be pulled. Decides; the engine's own
//! calls (list, pull, load) are made by `sys::docker`.

mod catalogue;
mod probe;
mod resolve;

pub use catalogue::{Catalogue, Entry};
pub use probe::why_offline;
pub use resolve::{Choice, Resolved, Situation, resolve};
