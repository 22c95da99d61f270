//! Where a process stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::date::Date;

/// Where the process of an instance stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProcessState {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) current_task: Option<ProcessElement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_event: Option<String>,
}

/// A task that a process is in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProcessElement {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flow: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) element_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) altinn_task_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validated: Option<Validated>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flow_type: Option<String>,
}

/// When the task's data was last found valid.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Validated {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<Date>,
    #[serde(deserialize_with = "super::or_default")]
    can_complete_task: bool,
}

/// The body of `process/instanceandevents`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProcessStateUpdate {
    /// The new state.
    pub state: Option<ProcessState>,
    /// What happened on the way.
    #[serde(deserialize_with = "super::or_default")]
    pub events: Vec<super::InstanceEvent>,
}

/// A line of a process' history.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProcessHistoryItem {
    pub(crate) event_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) element_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) occured: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Date>,
    pub(crate) performed_by: String,
}

/// The answer of `process/history`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProcessHistory {
    pub(crate) process_history: Vec<ProcessHistoryItem>,
}

impl ProcessState {
    /// Id of the task that it is in.
    #[must_use]
    pub fn task(&self) -> Option<&str> {
        self.current_task.as_ref()?.element_id.as_deref()
    }

    /// Kind of the task that it is in.
    #[must_use]
    pub fn task_type(&self) -> Option<&str> {
        self.current_task.as_ref()?.altinn_task_type.as_deref()
    }
}
