//! The one place where environment variables are read. What was read is passed on as a value, so the rest of the
//! program depends on nothing it was not given, and tests need not touch the process.

use std::collections::BTreeMap;

use crate::model::short_hash;

macro_rules! variables {
    ($($variant:ident = $name:literal, $meaning:literal;)*) => {
        /// A variable that altinn-local heeds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Variable {
            $(#[doc = $meaning] $variant,)*
        }

        impl Variable {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, as `DOCKER_HOST`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it does, one line.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

variables! {
    Stack = "ALTINN_LOCAL_STACK", "Name of the stack; wins over the file.";
    Environment = "ALTINN_LOCAL_ENVIRONMENT", "Which `altinn-local.<environment>.yaml` overlays the file.";
    Port = "ALTINN_LOCAL_PORT", "Port of the router: a number or `auto`.";
    Offline = "ALTINN_LOCAL_OFFLINE", "`auto`, `always` or `never`; `1` and `true` mean `always`.";
    Home = "ALTINN_LOCAL_HOME", "One folder for everything altinn-local keeps; the next five win over it.";
    StateDir = "ALTINN_LOCAL_STATE_DIR", "Folder of stacks, credentials and logs.";
    CacheDir = "ALTINN_LOCAL_CACHE_DIR", "Folder of what can be made again.";
    RuntimeDir = "ALTINN_LOCAL_RUNTIME_DIR", "Folder of sockets and locks.";
    DataDir = "ALTINN_LOCAL_DATA_DIR", "Folder of data that should be kept.";
    ToolsDir = "ALTINN_LOCAL_TOOLS_DIR", "Folder of kind, helm and kubectl; searched before PATH.";
    Kind = "ALTINN_LOCAL_KIND", "The kind to run: an absolute path.";
    Helm = "ALTINN_LOCAL_HELM", "The helm to run: an absolute path.";
    Kubectl = "ALTINN_LOCAL_KUBECTL", "The kubectl to run: an absolute path.";
    ServicesPort = "ALTINN_LOCAL_SERVICES_PORT", "Port of 127.0.0.1 where `user`, `data` and `services` find the platform's services, when they were started by hand and not by `up`.";
    ServicesKeyFile = "ALTINN_LOCAL_SERVICES_KEY_FILE", "With it: the file that those services were started with as `--key-file`.";
    Log = "ALTINN_LOCAL_LOG", "Filter of the log file, as `altinn_local=debug`.";
    DockerHost = "DOCKER_HOST", "Address of the container engine.";
    DockerContext = "DOCKER_CONTEXT", "Name of the docker context to use.";
    DockerConfig = "DOCKER_CONFIG", "Folder of docker's own configuration, for contexts and registry logins.";
    ContainerToolchain = "STUDIO_CONTAINER_TOOLCHAIN", "Which engine to use: `docker`, `podman` or `colima`; studioctl heeds it too.";
    HttpsProxy = "HTTPS_PROXY", "Proxy towards registries; also in lower case.";
    HttpsProxyLower = "https_proxy", "As `HTTPS_PROXY`.";
    NoProxy = "NO_PROXY", "Hosts that need no proxy; also in lower case.";
    NoProxyLower = "no_proxy", "As `NO_PROXY`.";
    Path = "PATH", "Where kind, helm, kubectl and git are looked for.";
    NoColor = "NO_COLOR", "Set to anything: no colours.";
    Ci = "CI", "Set: no prompts, no redrawing of lines, and pages of apps stay as the apps answer them.";
    Term = "TERM", "`dumb`: no colours, no redrawing of lines.";
    XdgRuntimeDir = "XDG_RUNTIME_DIR", "Folder of sockets on Linux.";
}

/// The variables as they were when the program began. An empty value counts as not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<Variable, String>);

impl Environment {
    /// Reads the process's own environment.
    #[must_use]
    pub fn read() -> Self {
        let read = |variable: Variable| {
            // A value that is not Unicode can be neither a name nor a path we could print; it counts as not set.
            Some((variable, std::env::var(variable.name()).ok()?))
        };
        Self::from_pairs(Variable::ALL.iter().copied().filter_map(read))
    }

    /// An environment of these values.
    #[must_use]
    pub fn from_pairs<T: Into<String>>(pairs: impl IntoIterator<Item = (Variable, T)>) -> Self {
        let pairs = pairs.into_iter().map(|(variable, value)| (variable, value.into()));
        Self(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The value, when the variable is set.
    #[must_use]
    pub fn get(&self, variable: Variable) -> Option<&str> {
        self.0.get(&variable).map(String::as_str)
    }

    /// Whether the variable is set to anything but `0` and `false`.
    #[must_use]
    pub fn is_on(&self, variable: Variable) -> bool {
        self.get(variable).is_some_and(|value| !matches!(value, "0" | "false"))
    }

    /// A hash of all values, to tell whether two environments are the same.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let named: BTreeMap<&str, &String> =
            self.0.iter().map(|(variable, value)| (variable.name(), value)).collect();
        short_hash(&named)
    }

    /// The proxy for HTTPS, when one is set.
    #[must_use]
    pub fn https_proxy(&self) -> Option<&str> {
        self.get(Variable::HttpsProxyLower).or(self.get(Variable::HttpsProxy))
    }

    /// Whether a host is to be reached without the proxy: `*`, the host itself or a domain it is in.
    #[must_use]
    pub fn without_proxy(&self, host: &str) -> bool {
        let list = self.get(Variable::NoProxyLower).or(self.get(Variable::NoProxy));
        let matches = |entry: &str| {
            let domain = entry.trim().trim_start_matches("*.").trim_start_matches('.');
            entry.trim() == "*"
                || (!domain.is_empty()
                    && host
                        .strip_suffix(domain)
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
        };
        list.is_some_and(|list| list.split(',').any(matches))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_not_set_and_zero_is_off() {
        let environment = Environment::from_pairs([
            (Variable::Stack, ""),
            (Variable::Ci, "0"),
            (Variable::NoColor, "1"),
        ]);
        assert_eq!(environment.get(Variable::Stack), None);
        assert!(!environment.is_on(Variable::Ci));
        assert!(environment.is_on(Variable::NoColor));
    }

    #[test]
    fn proxies_are_left_out_by_domain() {
        let environment =
            Environment::from_pairs([(Variable::NoProxy, "localhost, .example.org,10.0.0.1")]);
        for (host, without) in [
            ("localhost", true),
            ("a.example.org", true),
            ("example.org", true),
            ("notexample.org", false),
            ("registry.example.com", false),
        ] {
            assert_eq!(environment.without_proxy(host), without, "{host}");
        }
        assert!(Environment::from_pairs([(Variable::NoProxy, "*")]).without_proxy("any"));
    }
}
