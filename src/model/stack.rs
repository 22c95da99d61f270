//! What is wanted: a value that can be compared, hashed and printed, with no decision left open.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    App, AppId, Domain, ImageRef, OrgName, Origin, PlatformChoice, PlatformService, StackName,
};

/// Labels on everything the stack makes. The outside world is the database: what carries these labels is
/// ours, and nothing else is ever touched.
pub mod labels {
    /// The stack's name.
    pub const STACK: &str = "no.altinn.local.stack";
    /// The resource's id.
    pub const RESOURCE: &str = "no.altinn.local.resource";
    /// What the resource id of an app's warm compiler begins with.
    pub const WARM: &str = "build.";
    /// The hash of the configuration it was made from.
    pub const HASH: &str = "no.altinn.local.hash";
    /// On an image for development: the tag of the image that it was made from.
    pub const BASE: &str = "no.altinn.local.base";
    /// On a node image: images that every node made of it already holds, separated by commas.
    pub const PRELOADED: &str = "no.altinn.local.preloaded";
    /// On a node image: `bundled` when it brings its own CNI configuration.
    pub const CNI: &str = "no.altinn.local.cni";
    /// kind's own label on node containers: the cluster's name.
    pub const KIND_CLUSTER: &str = "io.x-k8s.kind.cluster";
}

/// The first 12 hexadecimal digits of the SHA-256 of a value's JSON form.
pub(crate) fn short_hash(value: &impl Serialize) -> String {
    // Our own plain types always have a JSON form; an empty text would only cost a needless re-creation.
    let text = serde_json::to_vec(value).unwrap_or_default();
    hex(&Sha256::digest(text), 6)
}

/// The first `bytes` bytes as hexadecimal digits.
pub(crate) fn hex(digest: &[u8], bytes: usize) -> String {
    use std::fmt::Write as _;
    digest.iter().take(bytes).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The published ports of a stack, all on 127.0.0.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// The router: one port for every name.
    pub router: u16,
    /// The agent's HTTP side.
    pub agent: u16,
    /// The platform's registry.
    pub registry_platform: u16,
}

/// The addresses of a stack's network. One /16 holds everything, so that no packet of a cluster ever takes
/// the default route out of the machine: a packet for a service address that nobody serves yet finds no
/// neighbour on the bridge and dies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The network part: `172.30` of `172.30.0.0/16`.
    pub prefix: [u8; 2],
}

impl Addresses {
    /// How many clusters fit into one network.
    pub const CLUSTERS: u8 = 8;

    /// `172.30.0.0/16`.
    #[must_use]
    pub fn subnet(&self) -> String {
        format!("{}.{}.0.0/16", self.prefix[0], self.prefix[1])
    }

    /// The range the engine hands out: `172.30.0.0/20`.
    #[must_use]
    pub fn range(&self) -> String {
        format!("{}.{}.0.0/20", self.prefix[0], self.prefix[1])
    }

    /// The bridge: `172.30.0.1`.
    #[must_use]
    pub fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.prefix[0], self.prefix[1], 0, 1)
    }

    /// The router's fixed address, outside the range the engine hands out.
    #[must_use]
    pub fn router(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.prefix[0], self.prefix[1], 16, 10)
    }

    /// The service subnet of the cluster in the given slot (0 to 7): `172.30.128.0/20` and on.
    #[must_use]
    pub fn service_subnet(&self, slot: u8) -> String {
        let third = 128 + 16 * (slot % Self::CLUSTERS);
        format!("{}.{}.{third}.0/20", self.prefix[0], self.prefix[1])
    }
}

/// A published port. The host's side is always 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// On 127.0.0.1.
    pub host: u16,
    /// Inside the container.
    pub container: u16,
}

/// A named volume in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// The volume's name.
    pub volume: String,
    /// Where it is seen.
    pub path: String,
}

/// A file written into a container before it first runs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSpec {
    /// Absolute path in the container.
    pub path: String,
    /// What it holds.
    pub contents: String,
    /// Permission bits, as `0o644`.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u32, u32),
}

impl std::fmt::Debug for FileSpec {
    // Contents may hold credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSpec").field("path", &self.path).finish_non_exhaustive()
    }
}

/// How a container shows that it is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    /// A GET on a published port answers with a status below 400.
    Http {
        /// The published port.
        port: u16,
        /// Path with leading slash.
        path: String,
        /// The `Host` header, when the answer depends on it.
        host: Option<String>,
    },
    /// Anything that is HTTP answers on a published port, whatever it says.
    Answers {
        /// The published port.
        port: u16,
    },
    /// A command in the container ends with 0.
    Exec(Vec<String>),
}

/// What is done once in a new container after it is ready, before others may rely on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Setup {
    /// Roles and databases, by name; passwords come from the stack's credentials.
    Databases(Vec<String>),
    /// The administrator, the developer, and these organisations with their teams and webhook.
    Gitea {
        /// Organisations that must exist.
        orgs: Vec<OrgName>,
        /// Changes when a password or a secret of these does.
        secrets: String,
    },
}

/// The OAuth application in Gitea that a container signs people in with. Gitea invents its secret and tells it once, so
/// it is made with the container, into the container's files: where these words stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The application's name.
    pub name: String,
    /// Where Gitea sends browsers back to.
    pub redirect: String,
}

impl SignIn {
    /// Stands in a file for the application's id.
    pub const ID: &str = "{sign-in.id}";
    /// Stands in a file for its secret.
    pub const SECRET: &str = "{sign-in.secret}";
}

/// One container of the stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The resource id, as `studio.gitea`.
    pub id: String,
    /// The container's name, as `altinn-default-gitea`.
    pub container: String,
    /// The image to run.
    pub image: ImageRef,
    /// Replaces the image's entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Environment, none of it secret.
    pub environment: Vec<(String, String)>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Named volumes.
    pub mounts: Vec<Mount>,
    /// Files put in before the first start.
    pub files: Vec<FileSpec>,
    /// Further names in the stack's network.
    pub aliases: Vec<String>,
    /// A fixed address in the stack's network.
    pub address: Option<Ipv4Addr>,
    /// Services that must be ready first, by id.
    pub after: Vec<String>,
    /// How it shows that it is ready.
    pub probe: Probe,
    /// What a new container needs before it counts as ready.
    pub setup: Option<Setup>,
    /// How it signs people in.
    pub sign_in: Option<SignIn>,
}

impl Service {
    /// The hash that says whether a container was made from this very configuration.
    #[must_use]
    pub fn config_hash(&self) -> String {
        short_hash(self)
    }
}

/// One organisation's Kubernetes cluster in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Whose it is.
    pub org: OrgName,
    /// kind's name for it: `altinn-<stack>-<org>`.
    pub name: String,
    /// The stack it belongs to.
    pub stack: StackName,
    /// The image of its node.
    pub node_image: ImageRef,
    /// Whether the node image brings its own network plugin configuration.
    pub bundled_cni: bool,
    /// The API server's port on 127.0.0.1.
    pub api_port: u16,
    /// The docker network it joins.
    pub network: String,
    /// Its service addresses, inside the docker network's own subnet.
    pub service_subnet: String,
    /// The router's address and port, which the stack's names mean in every pod.
    pub router: (Ipv4Addr, u16),
    /// The name the ingress controller's image has inside the node.
    pub traefik_image: ImageRef,
    /// Registries as the node sees them: production's host name, then the address that serves it.
    pub mirrors: Vec<(String, String)>,
    /// The org's registry as the workstation sees it, as `127.0.0.1:5511`.
    pub registry_host: String,
    /// The names under which apps and the platform are reached.
    pub domain: Domain,
    /// A hash of what is put inside beyond these fields: templates and secrets.
    pub contents: String,
}

impl Cluster {
    /// The node's container name, which is also its name in the stack's network.
    #[must_use]
    pub fn node(&self) -> String {
        format!("{}-control-plane", self.name)
    }

    /// The host name under which apps of this org are served, without port.
    #[must_use]
    pub fn apps_host(&self) -> String {
        self.domain.apps_host(&self.org)
    }

    /// The whole base URL of the platform as apps see it, as `http://platform.altinn.localhost:8800`.
    #[must_use]
    pub fn platform_url(&self) -> String {
        format!("http://{}:{}", self.domain.platform_host(), self.router.1)
    }

    /// Changes when the cluster must be made anew.
    #[must_use]
    pub fn create_hash(&self) -> String {
        short_hash(&(
            &self.name,
            &self.node_image,
            self.bundled_cni,
            self.api_port,
            &self.network,
            &self.service_subnet,
        ))
    }

    /// Changes when what is inside must be applied again.
    #[must_use]
    pub fn contents_hash(&self) -> String {
        short_hash(self)
    }
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// A container of the network and its port.
    Container(String, u16),
    /// The Traefik of an organisation's cluster, through port 30080 of the node with this name.
    Cluster(OrgName, String),
    /// A port of 127.0.0.1 on the workstation, through the tunnel that the agent keeps to the router.
    Relay(u16),
    /// A remote environment, whose own name requests carry.
    Remote(Origin),
    /// Nobody: the router says that there is no such service here.
    Nobody(PlatformService),
}

/// A host name, optionally with a path prefix, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Exact host names.
    pub hosts: Vec<String>,
    /// Path prefix with both slashes, as `/repos/`.
    pub prefix: Option<String>,
    /// Whether the prefix is cut off before a container sees the path.
    pub cut: bool,
    /// Where it leads.
    pub to: Target,
}

/// What pages of apps get on their way through the router, so that they follow each save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pages {
    /// Show why a build failed, over the page.
    pub overlay: bool,
    /// Bring what changed: style sheets in place, everything else by loading the page again.
    pub reload: bool,
    /// Module scripts for the pages of one app, by their path: those that bring widgets from their dev servers.
    pub scripts: Vec<(AppId, String)>,
    /// The relayed port behind which the dev server of Altinn's own app frontend is, for all apps.
    pub frontend: Option<u16>,
}

impl Pages {
    /// The loopback port in the router behind which the agent itself answers.
    pub const PORT: u16 = 7800;
    /// The one behind which it answers with [`Pages::scripts`].
    pub const SCRIPTS: u16 = 7801;
    /// The first one for dev servers.
    pub const SERVERS: u16 = 7802;
    /// The paths of every app's host that are ours.
    pub const PREFIX: &str = "/.altinn-local/";

    /// The loopback ports of the router that these need.
    fn relays(&self) -> impl Iterator<Item = u16> {
        let own = self.follow().then_some(Self::PORT);
        let scripts = (!self.scripts.is_empty()).then_some(Self::SCRIPTS);
        own.into_iter().chain(scripts).chain(self.frontend)
    }

    /// Whether pages follow saves.
    #[must_use]
    pub const fn follow(&self) -> bool {
        self.overlay || self.reload
    }
}

/// The whole of what one stack should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Its name.
    pub name: StackName,
    /// The docker network's name.
    pub network: String,
    /// The names under which apps and the platform are reached.
    pub domain: Domain,
    /// Who answers for the platform.
    pub platform: PlatformChoice,
    /// The network's addresses.
    pub addresses: Addresses,
    /// Published ports that do not belong to one organisation.
    pub ports: Ports,
    /// Containers.
    pub services: Vec<Service>,
    /// One cluster per organisation.
    pub clusters: Vec<Cluster>,
    /// Apps to build and deploy.
    pub apps: Vec<App>,
    /// What the router serves.
    pub routes: Vec<Route>,
    /// What pages of apps get; none leaves them as the apps answer them.
    pub pages: Option<Pages>,
}

impl Stack {
    /// The loopback port in the router behind which the agent answers for the pipeline.
    pub const PIPELINE: u16 = 7799;
    /// The host name of Gitea and of Designer.
    pub const STUDIO_HOST: &str = "studio.localhost";
    /// The host name of the pipeline, in containers and on the workstation alike.
    pub const PIPELINE_HOST: &str = "pipeline.studio.localhost";

    /// The cluster of an organisation.
    #[must_use]
    pub fn cluster(&self, org: &OrgName) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.org == *org)
    }

    /// The loopback ports of the router that lead to the workstation.
    #[must_use]
    pub fn relays(&self) -> BTreeSet<u16> {
        let routes = self.routes.iter().filter_map(|route| match route.to {
            Target::Relay(port) => Some(port),
            Target::Container(..) | Target::Cluster(..) | Target::Remote(_) | Target::Nobody(_) => {
                None
            }
        });
        routes.chain(self.pages.iter().flat_map(Pages::relays)).collect()
    }

    /// The address of an app in a browser: `http://ttd.apps.altinn.localhost:8800/ttd/my-app`.
    #[must_use]
    pub fn app_url(&self, app: &App) -> String {
        self.url_of(&app.id)
    }

    /// The same of an app that has no folder here.
    #[must_use]
    pub fn url_of(&self, id: &AppId) -> String {
        format!("http://{}:{}/{id}", self.domain.apps_host(&id.org), self.ports.router)
    }
}

/// Gitea and Designer in a browser and in containers alike, behind the router on this port.
#[must_use]
pub fn studio_url(router_port: u16) -> String {
    format!("http://{}:{router_port}", Stack::STUDIO_HOST)
}

/// The pipeline in containers and on the workstation alike, behind the router on this port.
#[must_use]
pub fn pipeline_url(router_port: u16) -> String {
    format!("http://{}:{router_port}", Stack::PIPELINE_HOST)
}

/// kind's name for an organisation's cluster in a stack.
#[must_use]
pub fn cluster_name(stack: &StackName, org: &OrgName) -> String {
    format!("altinn-{stack}-{org}")
}

/// The production name of an organisation's registry, which the node resolves to the local one.
#[must_use]
pub fn org_registry(org: &OrgName) -> String {
    format!("{org}altinnregistry01.azurecr.io")
}
