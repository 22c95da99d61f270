//! Signatures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{as_text, or_default};
use crate::kit::date::Date;

/// The body of `sign`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SignRequest {
    #[serde(deserialize_with = "or_default")]
    pub(crate) signature_document_data_type: String,
    pub(crate) generated_from_task: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) data_element_signatures: Vec<ElementToSign>,
    pub(crate) signee: Option<Signee>,
}

/// An element to be signed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ElementToSign {
    #[serde(deserialize_with = "or_default")]
    pub(crate) data_element_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) signed: bool,
}

/// Who signs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Signee {
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "as_text")]
    pub(crate) user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) system_user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) person_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) organisation_number: Option<String>,
}

/// The file that a signature leaves.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignDocument {
    pub(crate) id: String,
    pub(crate) instance_guid: String,
    pub(crate) signed_time: Date,
    pub(crate) signee_info: Signee,
    pub(crate) data_element_signatures: Vec<ElementSignature>,
}

/// One signed element.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ElementSignature {
    pub(crate) data_element_id: String,
    pub(crate) sha256_hash: String,
    pub(crate) signed: bool,
}
