//! Applications: kept as they were posted, read through a view of the members that Storage looks at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::or_default;

/// What Storage itself reads of an application's metadata.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Application {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) org: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) data_types: Vec<DataType>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) title: std::collections::BTreeMap<String, Option<String>>,
    pub(crate) prevent_instance_deletion_for_days: Option<i64>,
}

/// What Storage reads of a data type.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DataType {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: String,
    pub(crate) task_id: Option<String>,
    pub(crate) action_required_to_read: Option<String>,
    pub(crate) action_required_to_write: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) enable_file_scan: bool,
    #[serde(deserialize_with = "or_default")]
    pub(crate) allowed_content_types: Vec<String>,
    pub(crate) app_logic: Option<AppLogic>,
}

/// What Storage reads of a data type's logic.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AppLogic {
    #[serde(deserialize_with = "or_default")]
    pub(crate) auto_delete_on_process_end: bool,
}

/// The answer of `applications`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ApplicationList {
    pub(crate) applications: Vec<serde_json::Value>,
}

impl Application {
    /// The data type of this id.
    #[must_use]
    pub fn data_type(&self, id: &str) -> Option<&DataType> {
        self.data_types.iter().find(|kind| kind.id == id)
    }
}
