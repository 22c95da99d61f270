//! Data elements.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::instance::SelfLinks;
use super::or_default;
use crate::kit::date::Date;

/// What is known of one file of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DataElement {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) instance_guid: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filename: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blob_storage_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) self_links: Option<SelfLinks>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_hash: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) locked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refs: Option<Vec<String>>,
    pub(crate) is_read: bool,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_defined_metadata: Option<Vec<KeyValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Vec<KeyValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delete_status: Option<DeleteStatus>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) file_scan_result: FileScanResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) references: Option<Vec<Reference>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_changed: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_changed_by: Option<String>,
}

impl Default for DataElement {
    fn default() -> Self {
        Self {
            id: String::new(),
            instance_guid: String::new(),
            data_type: String::new(),
            filename: None,
            content_type: None,
            blob_storage_path: None,
            self_links: None,
            size: 0,
            content_hash: None,
            locked: false,
            refs: None,
            is_read: true,
            tags: Vec::new(),
            user_defined_metadata: None,
            metadata: None,
            delete_status: None,
            file_scan_result: FileScanResult::default(),
            references: None,
            created: None,
            created_by: None,
            last_changed: None,
            last_changed_by: None,
        }
    }
}

/// A pair of free words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KeyValue {
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
}

/// Marked for deletion.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DeleteStatus {
    pub(crate) is_hard_deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hard_deleted: Option<Date>,
}

/// What the scanner found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FileScanResult {
    /// The data type asks for no scan.
    #[default]
    NotApplicable,
    /// Not looked at yet.
    Pending,
    /// Nothing.
    Clean,
    /// Something.
    Infected,
}

/// Where an element comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Reference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) relation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value_type: Option<String>,
}

/// The body of `filescanstatus`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FileScanStatus {
    pub(crate) file_scan_result: FileScanResult,
    pub(crate) content_hash: Option<String>,
}

/// The answer of `dataelements`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataElementList {
    pub(crate) data_elements: Vec<DataElement>,
}

impl DataElement {
    /// Whether only the app's owner still sees it.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.delete_status.as_ref().is_some_and(|status| status.is_hard_deleted)
    }

    /// Whether it was made in this task.
    #[must_use]
    pub fn is_from(&self, task: &str) -> bool {
        self.references.iter().flatten().any(|reference| {
            reference.relation.as_deref() == Some("GeneratedFrom")
                && reference.value_type.as_deref() == Some("Task")
                && reference.value.as_deref() == Some(task)
        })
    }
}

impl Reference {
    /// Made in this task.
    #[must_use]
    pub fn task(task: &str) -> Self {
        Self {
            value: Some(task.to_owned()),
            relation: Some("GeneratedFrom".to_owned()),
            value_type: Some("Task".to_owned()),
        }
    }
}
