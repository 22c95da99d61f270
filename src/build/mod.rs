//! From an app's folder to an image in its organisation's registry: find the app, read what a build sees, plan the
//! arguments, build, explain failures, push; and from there to the image for development, and to images of single
//! changed files. It does not decide when; the engine does.

mod arguments;
mod context;
mod detect;
mod develop;
mod diagnostics;
mod image;
mod landing;
mod layer;
mod push;
mod suite;
mod warm;

pub use arguments::{Dockerfile, plan_args};
pub use context::Context;
pub use detect::find_app;
pub use develop::{develop, development_tag, fold};
pub use image::{Built, Plan, build, fetch_bases, plan};
pub use landing::{Compile, Landing};
pub use layer::{Entry, File as LayerFile, Layer};
pub use push::{Pushed, push};
pub use suite::{Suite, sources, suites, test};
pub use warm::{Compiled, Place, Recipe, Warm};
