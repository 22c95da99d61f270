//! The stack's own credentials: made once, kept in one file that only the owner can read, and never shown unless
//! asked for. Secrets of apps are not here.

mod access;
mod keep;
mod redactor;

pub use access::{AccessKey, access_key};
pub use keep::{all, file, generate, load, load_or_generate};
pub use redactor::Redactor;
