//! Widgets of apps: projects of React and Vite that register a web component for layout component `Custom`. Makes
//! them, builds them into the app, and runs their dev servers; also that of Altinn's own app frontend. Which of them run
//! is the engine's decision; how pages reach a dev server is the router's.

mod bundle;
mod findings;
mod install;
mod launch;
mod project;
mod route;
mod server;
mod service;
mod source;
mod state;
mod switchboard;
mod template;
mod toolchain;

pub use bundle::{Bundle, build};
pub use project::{Widget, find};
pub use route::{DevRoute, page_module};
pub use server::DevServer;
pub use service::{converse, module_path};
pub use source::{Frontend, Source};
pub use state::DevState;
pub use switchboard::Switchboard;
pub use template::create;
pub use toolchain::Toolchain;
