//! The parts a stack is made of, each an image.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One part. The catalogue (`templates/parts.yaml`) says which images can be it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The database of Gitea and of the services.
    Postgres,
    /// Studio's repositories.
    Gitea,
    /// NGINX: every name on one port.
    Router,
    /// A container registry, one per organisation and one for the platform.
    Registry,
    /// The blob store of the platform's services.
    Azurite,
    /// The ingress controller of each cluster.
    Traefik,
    /// The node of a kind cluster.
    KindNode,
    /// Compiles apps whose Dockerfile takes `DOTNET_SDK_IMAGE`.
    DotnetSdk,
    /// Runs apps whose Dockerfile takes `DOTNET_ASPNET_IMAGE`.
    DotnetAspnet,
}

impl Part {
    /// All parts, in the order in which they are told.
    pub const ALL: [Self; 9] = [
        Self::Postgres,
        Self::Gitea,
        Self::Router,
        Self::Registry,
        Self::Azurite,
        Self::Traefik,
        Self::KindNode,
        Self::DotnetSdk,
        Self::DotnetAspnet,
    ];

    /// The name in `altinn-local.yaml` and in the catalogue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Gitea => "gitea",
            Self::Router => "router",
            Self::Registry => "registry",
            Self::Azurite => "azurite",
            Self::Traefik => "traefik",
            Self::KindNode => "kind-node",
            Self::DotnetSdk => "dotnet-sdk",
            Self::DotnetAspnet => "dotnet-aspnet",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_told_alike() {
        for part in Part::ALL {
            assert_eq!(serde_json::to_value(part).unwrap(), serde_json::Value::from(part.as_str()));
        }
    }
}
