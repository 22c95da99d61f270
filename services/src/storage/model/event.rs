//! What happened to an instance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataElement, Instance, ProcessState, as_text};
use crate::kit::date::Date;
use crate::kit::token::Claims;

/// An event of an instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InstanceEvent {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "as_text")]
    pub(crate) instance_owner_party_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<PlatformUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) related_user: Option<PlatformUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) process_info: Option<ProcessState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) additional_info: Option<String>,
}

/// Who did it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PlatformUser {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) org_id: Option<String>,
    #[serde(deserialize_with = "super::or_default")]
    pub(crate) authentication_level: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_user_system_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) national_identity_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) system_user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) system_user_owner_org_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) system_user_name: Option<String>,
}

/// The answer of `events`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceEventList {
    pub(crate) instance_events: Vec<InstanceEvent>,
}

impl InstanceEvent {
    /// An event of now.
    #[must_use]
    pub fn new(
        kind: &str,
        instance: &Instance,
        element: Option<&DataElement>,
        claims: &Claims,
    ) -> Self {
        Self {
            id: Some(uuid::Uuid::new_v4().to_string()),
            instance_id: instance.id.clone(),
            data_id: element.map(|element| element.id.clone()),
            created: Some(Date::now()),
            event_type: Some(kind.to_owned()),
            instance_owner_party_id: instance.instance_owner.party_id.clone(),
            user: Some(PlatformUser::of(claims)),
            process_info: instance.process.clone(),
            ..Self::default()
        }
    }
}

impl PlatformUser {
    /// Who a token stands for.
    #[must_use]
    pub fn of(claims: &Claims) -> Self {
        let system = claims.system_user();
        Self {
            user_id: claims.user_id(),
            org_id: claims.org(),
            authentication_level: claims.level().unwrap_or_default(),
            system_user_owner_org_no: system.as_ref().and_then(|system| system.org_number.clone()),
            system_user_id: system.map(|system| system.id),
            ..Self::default()
        }
    }

    /// Whether it names anybody.
    #[must_use]
    pub fn is_somebody(&self) -> bool {
        self.user_id.is_some() || self.org_id.is_some() || self.system_user_id.is_some()
    }

    /// As history names it (`platform-api.md` §1.6 "performedBy").
    #[must_use]
    pub fn performer(&self) -> String {
        [&self.national_identity_number, &self.org_id, &self.system_user_owner_org_no]
            .into_iter()
            .flatten()
            .find(|name| !name.is_empty())
            .cloned()
            .unwrap_or_default()
    }
}
