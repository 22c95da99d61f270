//! Widgets of apps: projects of React and Vite that register a web component for layout component `Custom`. Makes
//! them, builds them into the app, and runs their dev servers. Which of them run is the engine's decision; how pages
//! reach a dev server is the router's.

mod bundle;
mod install;
mod project;
mod route;
mod server;
mod template;
mod toolchain;

pub use bundle::{Bundle, build};
pub use project::{Widget, find};
pub use route::{DevRoute, dev_module};
pub use server::DevServer;
pub use template::create;
pub use toolchain::Toolchain;
