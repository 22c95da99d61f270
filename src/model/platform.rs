//! Which programs answer for the platform: our own, Altinn's local test, or a remote environment.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ImageRef;

/// A service of the platform that apps call, at `/{name}/` of the platform's host.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PlatformService {
    /// Delegations of rights. Nothing local answers for it.
    AccessManagement,
    /// Log-in and tokens.
    Authentication,
    /// Decisions on who may do what.
    Authorization,
    /// Messages to users. Nothing local answers for it.
    Correspondence,
    /// What happened, and who wants to know.
    Events,
    /// E-mail and text messages. Nothing local answers for it.
    Notifications,
    /// Users and their settings.
    Profile,
    /// Persons and organisations.
    Register,
    /// Instances and their data.
    Storage,
}

impl PlatformService {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::AccessManagement,
        Self::Authentication,
        Self::Authorization,
        Self::Correspondence,
        Self::Events,
        Self::Notifications,
        Self::Profile,
        Self::Register,
        Self::Storage,
    ];

    /// The name in `altinn-local.yaml` and in paths.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessManagement => "accessmanagement",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Correspondence => "correspondence",
            Self::Events => "events",
            Self::Notifications => "notifications",
            Self::Profile => "profile",
            Self::Register => "register",
            Self::Storage => "storage",
        }
    }

    /// Whether our own programs answer for it.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        !matches!(self, Self::AccessManagement | Self::Correspondence | Self::Notifications)
    }
}

impl fmt::Display for PlatformService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The address of a remote environment: scheme, host and port. Made of characters that mean nothing to NGINX.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    https: bool,
    authority: String,
}

impl Origin {
    /// `http` or `https`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// Host and port, as the URL names them: `platform.tt02.altinn.no` or `10.0.0.5:5101`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl FromStr for Origin {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            Err(format!(
                "expected an address as `https://platform.tt02.altinn.no`, {why}: `{given}`"
            ))
        };
        let (https, rest) = match given.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return wrong("but it does not begin with `http://` or `https://`"),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        if authority.contains('@') {
            return wrong("without a user");
        }
        if authority.contains(['/', '?', '#']) {
            return wrong("with nothing after host and port: the path is that of each request");
        }
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority.as_str(), None),
        };
        let is_label = |label: &str| {
            !label.is_empty()
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        if !host.split('.').all(is_label) {
            return wrong("but this has no valid host");
        }
        let is_port = |port: &str| {
            port.chars().all(|c| c.is_ascii_digit())
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        };
        if !port.is_none_or(is_port) {
            return wrong("but this has no valid port");
        }
        let loopback = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if loopback || host == "localhost" || host.ends_with(".localhost") {
            return wrong("but this is the inside of the router's container");
        }
        Ok(Self { https, authority })
    }
}

impl TryFrom<String> for Origin {
    type Error = String;
    fn try_from(given: String) -> Result<Self, String> {
        given.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority)
    }
}

/// Who answers for the platform; our own services where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformChoice {
    /// Altinn's local test, in place of all our own services.
    pub image: Option<ImageRef>,
    /// Services that a remote environment answers for.
    pub remote: BTreeMap<PlatformService, Origin>,
}

impl PlatformChoice {
    /// Whether our own program answers for a service.
    #[must_use]
    pub fn is_ours(&self, service: PlatformService) -> bool {
        self.image.is_none() && service.is_ours() && !self.remote.contains_key(&service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_told_alike() {
        for service in PlatformService::ALL {
            assert_eq!(serde_json::to_value(service).unwrap(), service.as_str());
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (given, told) in [
            ("https://platform.tt02.altinn.no", "https://platform.tt02.altinn.no"),
            ("https://Platform.TT02.altinn.no/", "https://platform.tt02.altinn.no"),
            ("http://10.0.0.5:5101", "http://10.0.0.5:5101"),
            ("http://my_storage:8080/", "http://my_storage:8080"),
        ] {
            assert_eq!(given.parse::<Origin>().unwrap().to_string(), told, "{given}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (given, why) in [
            ("", "begin with"),
            ("platform.tt02.altinn.no", "begin with"),
            ("ftp://a", "begin with"),
            ("HTTPS://a", "begin with"),
            ("https://", "no valid host"),
            ("https://a..b", "no valid host"),
            ("https://a b", "no valid host"),
            ("https://a;b", "no valid host"),
            ("https://$host", "no valid host"),
            ("https://[::1]", "no valid host"),
            ("https://a{}", "no valid host"),
            ("https://user:word@a", "without a user"),
            ("https://a/storage", "nothing after"),
            ("https://a//", "nothing after"),
            ("https://a?x=1", "nothing after"),
            ("https://a#x", "nothing after"),
            ("https://a:", "no valid port"),
            ("https://a:0", "no valid port"),
            ("https://a:70000", "no valid port"),
            ("https://a:+80", "no valid port"),
            ("https://a:80:80", "no valid port"),
            ("http://localhost:9000", "inside of the router"),
            ("http://platform.altinn.localhost", "inside of the router"),
            ("http://127.0.0.1:9000", "inside of the router"),
        ] {
            let fault = given.parse::<Origin>().unwrap_err();
            assert!(fault.contains(why), "{given}: {fault}");
        }
    }

    #[test]
    fn ours_is_what_nobody_else_answers_for() {
        let remote = BTreeMap::from([(PlatformService::Storage, "https://a".parse().unwrap())]);
        let mut choice = PlatformChoice { image: None, remote };
        assert!(choice.is_ours(PlatformService::Events));
        assert!(!choice.is_ours(PlatformService::Storage));
        assert!(!choice.is_ours(PlatformService::Correspondence));
        choice.image = Some(ImageRef::parse("localtest:6"));
        assert!(!choice.is_ours(PlatformService::Events));
    }
}
