//! The documents that Storage keeps and answers (`platform-api.md` §1.1). Nulls are left out, unknown members are
//! tolerated; of an application they are kept.

pub mod application;
pub mod element;
pub mod event;
pub mod instance;
pub mod lock;
pub mod process;
pub mod sign;

pub use application::{Application, DataType};
pub use element::{DataElement, FileScanResult, Reference};
pub use event::{InstanceEvent, PlatformUser};
pub use instance::{Instance, ReadStatus};
pub use process::ProcessState;

use serde::{Deserialize, Deserializer};

/// Clients write null where they have nothing.
pub(crate) fn or_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(input).map(Option::unwrap_or_default)
}

/// Text, or a number written out: ids come as both.
pub(crate) fn as_text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    match Option::<serde_json::Value>::deserialize(input)? {
        None => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text)),
        Some(serde_json::Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(serde::de::Error::custom("text is expected")),
    }
}
