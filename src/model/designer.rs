//! Who answers for Altinn Studio's Designer.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ImageRef;

/// The program behind the pages of Altinn Studio.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DesignerChoice {
    /// Our own stand-in.
    #[default]
    StandIn,
    /// Nobody.
    Nobody,
    /// Designer itself.
    Image(ImageRef),
}

impl DesignerChoice {
    /// The image that the user names.
    #[must_use]
    pub const fn image(&self) -> Option<&ImageRef> {
        match self {
            Self::Image(image) => Some(image),
            Self::StandIn | Self::Nobody => None,
        }
    }
}

// As `altinn-local.yaml` has it.
impl fmt::Display for DesignerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandIn => f.write_str("auto"),
            Self::Nobody => f.write_str("none"),
            Self::Image(image) => image.fmt(f),
        }
    }
}
