//! The user's wishes: environment, folders, `altinn-local.yaml`, command line. Reads files and variables, writes
//! nothing, and knows nothing of containers. What comes out is [`settings::Settings`], a plain value.

pub mod dirs;
pub mod env;
pub mod schema;
pub mod settings;
pub mod yaml;
