//! Routes become the configuration of NGINX. Rendering is pure; putting it in place is in [`apply`].

mod apply;
mod render;
#[cfg(test)]
mod tests;

pub use apply::{apply, current};
pub use render::render;
