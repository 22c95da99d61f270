//! From an app's folder to an image in its organisation's registry: find the app, read what a build sees, plan the
//! arguments, build, explain failures, push. It does not decide when; the engine does.

mod arguments;
mod context;
mod detect;
mod diagnostics;
mod image;
mod push;

pub use arguments::{Dockerfile, plan_args};
pub use context::Context;
pub use detect::find_app;
pub use image::{Built, Plan, build, fetch_bases, plan};
pub use push::{Pushed, is_pushed, push};
