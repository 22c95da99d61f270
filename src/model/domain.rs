//! The names under which apps and the platform are reached, in browsers, containers and pods alike.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use super::OrgName;

/// The domain of a stack. Gitea and the agent have names of their own, which stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub enum Domain {
    /// A host for each organisation and one for the platform, as in production. No name server is asked: browsers
    /// know these names themselves.
    #[default]
    #[serde(rename = "altinn.localhost")]
    AltinnLocalhost,
    /// One host for everything, as in Altinn's own local test: apps below `/{org}/`, all other paths are the
    /// platform's. Public name servers answer 127.0.0.1. Libraries of apps fetch tokens of service owners from the
    /// platform's test pages under this name only.
    #[serde(rename = "local.altinn.cloud")]
    LocalAltinnCloud,
}

impl Domain {
    /// The domain itself, which cookies are set for.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AltinnLocalhost => "altinn.localhost",
            Self::LocalAltinnCloud => "local.altinn.cloud",
        }
    }

    /// Whether apps and the platform share one host.
    #[must_use]
    pub const fn is_one_host(self) -> bool {
        matches!(self, Self::LocalAltinnCloud)
    }

    /// The host name under which an organisation's apps are served, without port.
    #[must_use]
    pub fn apps_host(self, org: &OrgName) -> String {
        match self {
            Self::AltinnLocalhost => format!("{org}.apps.{self}"),
            Self::LocalAltinnCloud => self.to_string(),
        }
    }

    /// The host name of the platform, without port.
    #[must_use]
    pub const fn platform_host(self) -> &'static str {
        match self {
            Self::AltinnLocalhost => "platform.altinn.localhost",
            Self::LocalAltinnCloud => self.as_str(),
        }
    }
}

impl FromStr for Domain {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let all = [Self::AltinnLocalhost, Self::LocalAltinnCloud];
        all.into_iter()
            .find(|domain| domain.as_str() == given)
            .ok_or_else(|| format!("expected `{}` or `{}`, found `{given}`", all[0], all[1]))
    }
}

// Of few words, the one that is most like a wrong one is no better than the others: all are told.
impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_each_domain() {
        let org = "ttd".parse().unwrap();
        for (domain, told, apps, platform) in [
            (
                Domain::AltinnLocalhost,
                "altinn.localhost",
                "ttd.apps.altinn.localhost",
                "platform.altinn.localhost",
            ),
            (
                Domain::LocalAltinnCloud,
                "local.altinn.cloud",
                "local.altinn.cloud",
                "local.altinn.cloud",
            ),
        ] {
            assert_eq!(serde_json::to_value(domain).unwrap(), told);
            assert_eq!(domain.to_string(), told);
            assert_eq!(told.parse(), Ok(domain));
            assert_eq!(domain.apps_host(&org), apps);
            assert_eq!(domain.platform_host(), platform);
            assert_eq!(domain.is_one_host(), apps == platform);
        }
        let fault = "altinn.no".parse::<Domain>().unwrap_err();
        assert_eq!(fault, "expected `altinn.localhost` or `local.altinn.cloud`, found `altinn.no`");
    }
}
