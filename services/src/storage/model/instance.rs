//! Instances.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataElement, ProcessState, as_text, or_default};
use crate::kit::date::Date;

/// An instance of an app, as it is stored (without `data` and links) and as it is answered (with both).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Instance {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) instance_owner: InstanceOwner,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) org: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) self_links: Option<SelfLinks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) due_before: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) visible_after: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) process: Option<ProcessState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<InstanceStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) complete_confirmations: Option<Vec<CompleteConfirmation>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Vec<DataElement>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) presentation_texts: Option<BTreeMap<String, Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_values: Option<BTreeMap<String, Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_changed: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_changed_by: Option<String>,
}

/// Who an instance belongs to; stored as the app gave it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InstanceOwner {
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "as_text")]
    pub(crate) party_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) person_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) organisation_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_identifier: Option<String>,
}

/// Links of an instance or an element.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SelfLinks {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) apps: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<String>,
}

/// What became of an instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InstanceStatus {
    pub(crate) is_archived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) archived: Option<Date>,
    pub(crate) is_soft_deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) soft_deleted: Option<Date>,
    pub(crate) is_hard_deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hard_deleted: Option<Date>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) read_status: ReadStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) substatus: Option<Substatus>,
}

/// Whether the owner has seen it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReadStatus {
    /// Not yet.
    #[default]
    Unread,
    /// All of it.
    Read,
    /// Some of it changed since.
    UpdatedSinceLastReview,
}

/// The service owner's own word on where it stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Substatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// A stakeholder needs the instance no longer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CompleteConfirmation {
    #[serde(deserialize_with = "or_default")]
    pub(crate) stakeholder_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirmed_on: Option<Date>,
}

/// The answer of an instance query; its nulls are written.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueryResponse {
    pub(crate) count: usize,
    #[serde(rename = "self")]
    pub(crate) this: String,
    pub(crate) next: Option<String>,
    pub(crate) instances: Vec<Instance>,
}

impl Instance {
    /// The status, made when it is missing.
    pub fn status(&mut self) -> &mut InstanceStatus {
        self.status.get_or_insert_default()
    }

    /// Number of the party that owns it.
    #[must_use]
    pub fn party(&self) -> Option<i64> {
        self.instance_owner.party_id.as_deref()?.parse().ok()
    }

    /// The guid behind the slash of the id.
    #[must_use]
    pub fn guid(&self) -> Option<&str> {
        self.id.as_deref()?.rsplit('/').next()
    }

    /// Puts down a change.
    pub fn touch(&mut self, now: Date, author: &str) {
        self.last_changed = Some(now);
        self.last_changed_by = Some(author.to_owned());
    }
}
