//! What the containers, clusters and routes of a stack should be. Pure: the same wish gives the same stack.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::ports::PortMap;
use super::{designer, platform};
use crate::model::{
    Addresses, App, Cluster, Credentials, DesignerChoice, Domain, FileSpec, ImageRef, Mount,
    OrgName, Pages, PlatformChoice, Port, Ports, Probe, Report, Route, Service, Setup, Stack,
    StackName, Target, cluster_name, org_registry, short_hash,
};
use crate::sys::template;

const APP_INI: &str = include_str!("../../templates/gitea/app.ini");
const BOOT_CONF: &str = include_str!("../../templates/router/boot.conf");
const STUDIO: &str = Stack::STUDIO_HOST;
/// The platform's registry by the name that clusters know.
const PLATFORM_REGISTRY: &str = "altinnplatformregistry01.azurecr.io";

/// The images of the stack's parts, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// PostgreSQL.
    pub postgres: ImageRef,
    /// Gitea.
    pub gitea: ImageRef,
    /// NGINX.
    pub router: ImageRef,
    /// The registry.
    pub registry: ImageRef,
    /// The blob store; none when nothing local needs one.
    pub azurite: Option<ImageRef>,
    /// The platform's services.
    pub services: ImageRef,
    /// The kind node.
    pub node: ImageRef,
    /// Whether the node image brings its network plugin's configuration.
    pub bundled_cni: bool,
    /// Traefik as the engine knows it.
    pub traefik: ImageRef,
    /// Whether every node of the node image holds Traefik already.
    pub traefik_preloaded: bool,
}

/// Everything that decides what a stack should be.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    /// Its name.
    pub name: &'a StackName,
    /// Apps to build and deploy.
    pub apps: &'a [App],
    /// Organisations that get a cluster, those of the apps included.
    pub orgs: &'a BTreeSet<OrgName>,
    /// The names under which apps and the platform are reached.
    pub domain: Domain,
    /// Who answers for the platform.
    pub platform: &'a PlatformChoice,
    /// Who answers for Designer.
    pub designer: &'a DesignerChoice,
    /// Images of parts.
    pub images: &'a Images,
    /// The network's addresses.
    pub addresses: Addresses,
    /// Published ports.
    pub ports: &'a PortMap,
    /// Passwords and keys.
    pub credentials: &'a Credentials,
    /// The certificates that tokens of apps are checked with: base64 of DER.
    pub certificates: &'a BTreeMap<OrgName, String>,
    /// What pages of apps get.
    pub pages: Option<Pages>,
}

/// Names of the stack's volumes start with this.
#[must_use]
pub fn volumes_prefix(stack: &StackName) -> String {
    format!("altinn-{stack}-")
}

/// The configuration a new router starts with.
pub fn boot_configuration(port: u16) -> Result<String, Report> {
    template::render(BOOT_CONF, &json!({ "port": port }))
}

/// The whole stack.
pub fn desired(wish: &Wish<'_>) -> Result<Stack, Report> {
    let mut services = vec![postgres(wish), router(wish)?, gitea(wish)?];
    services.push(registry(wish, "platform", "platform.registry"));
    for org in wish.orgs {
        services.push(registry(wish, org.as_str(), &format!("org.{org}.registry")));
    }
    services.extend(designer::service(wish));
    services.extend(platform::services(wish));
    let clusters: Vec<Cluster> = wish.orgs.iter().map(|org| cluster(wish, org)).collect();
    Ok(Stack {
        name: wish.name.clone(),
        network: network(wish.name),
        domain: wish.domain,
        platform: wish.platform.clone(),
        addresses: wish.addresses,
        ports: Ports {
            router: port(wish, "router"),
            agent: port(wish, "agent"),
            registry_platform: port(wish, "registry-platform"),
        },
        routes: routes(wish, &clusters),
        pages: wish.pages.clone(),
        services,
        clusters,
        apps: wish.apps.to_vec(),
    })
}

fn network(stack: &StackName) -> String {
    format!("altinn-local-{stack}")
}

/// Every key that is asked for was allocated; 0 would be refused by the engine and show up at once.
pub(super) fn port(wish: &Wish<'_>, key: &str) -> u16 {
    wish.ports.get(key).copied().unwrap_or(0)
}

pub(super) fn container(wish: &Wish<'_>, part: &str) -> String {
    format!("altinn-{}-{part}", wish.name)
}

pub(super) fn service(
    wish: &Wish<'_>,
    id: &str,
    part: &str,
    image: &ImageRef,
    probe: Probe,
) -> Service {
    Service {
        id: id.to_owned(),
        container: container(wish, part),
        image: image.clone(),
        entrypoint: None,
        command: None,
        environment: Vec::new(),
        ports: Vec::new(),
        mounts: Vec::new(),
        files: Vec::new(),
        aliases: Vec::new(),
        address: None,
        after: Vec::new(),
        probe,
        setup: None,
        sign_in: None,
    }
}

pub(super) fn mount(wish: &Wish<'_>, part: &str, path: &str) -> Vec<Mount> {
    vec![Mount { volume: container(wish, part), path: path.to_owned() }]
}

pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn postgres(wish: &Wish<'_>) -> Service {
    // Over TCP: while the image sets up an empty volume, its server answers on the socket alone.
    let probe = Probe::Exec(words(&["pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres"]));
    let password = "/etc/altinn-local/postgres-password";
    Service {
        environment: vec![
            ("POSTGRES_USER".to_owned(), "postgres".to_owned()),
            ("POSTGRES_PASSWORD_FILE".to_owned(), password.to_owned()),
        ],
        mounts: mount(wish, "postgres", "/var/lib/postgresql/data"),
        files: vec![FileSpec {
            path: password.to_owned(),
            contents: wish.credentials.postgres_password.clone(),
            // The image reads it as its own user, whose number differs between images.
            mode: 0o444,
            owner: (0, 0),
        }],
        setup: Some(Setup::Databases(words(&["gitea", "storage", "events", "designer"]))),
        ..service(wish, "studio.postgres", "postgres", &wish.images.postgres, probe)
    }
}

fn router(wish: &Wish<'_>) -> Result<Service, Report> {
    let port = port(wish, "router");
    // A name that no route has, so that the router itself answers.
    let host = Some("router.altinn.localhost".to_owned());
    let probe = Probe::Http { port, path: "/router/health".to_owned(), host };
    let mut aliases = words(&[STUDIO, Stack::PIPELINE_HOST, wish.domain.platform_host()]);
    let apps = wish.orgs.iter().map(|org| wish.domain.apps_host(org));
    aliases.extend(apps.filter(|host| host != wish.domain.platform_host()));
    Ok(Service {
        entrypoint: Some(words(&["nginx"])),
        command: Some(words(&[
            "-p",
            "/run/nginx/",
            "-c",
            "/etc/nginx/nginx.conf",
            "-g",
            "daemon off;",
        ])),
        // The same port inside as outside, so that a URL means the same in a browser and in a container.
        ports: vec![Port { host: port, container: port }],
        files: vec![FileSpec {
            path: "/etc/nginx/nginx.conf".to_owned(),
            contents: boot_configuration(port)?,
            mode: 0o644,
            owner: (0, 0),
        }],
        aliases,
        address: Some(wish.addresses.router()),
        ..service(wish, "studio.router", "router", &wish.images.router, probe)
    })
}

fn gitea(wish: &Wish<'_>) -> Result<Service, Report> {
    let credentials = wish.credentials;
    let configuration = template::render(
        APP_INI,
        &json!({
            "router_port": port(wish, "router"),
            "pipeline_host": Stack::PIPELINE_HOST,
            "postgres": container(wish, "postgres"),
            "database_password": credentials.gitea_database_password,
            "secret_key": credentials.gitea_secret_key,
            "internal_token": credentials.gitea_internal_token,
            "jwt_secret": credentials.gitea_jwt_secret,
        }),
    )?;
    let secrets = short_hash(&(&credentials.developer_password, &credentials.pipeline_hook_secret));
    let probe = Probe::Http {
        port: port(wish, "router"),
        path: "/repos/api/healthz".to_owned(),
        host: Some(format!("{STUDIO}:{}", port(wish, "router"))),
    };
    Ok(Service {
        entrypoint: Some(words(&["/usr/local/bin/gitea"])),
        command: Some(words(&["web", "--config", "/etc/gitea/app.ini"])),
        mounts: mount(wish, "gitea", "/var/lib/gitea"),
        files: vec![FileSpec {
            path: "/etc/gitea/app.ini".to_owned(),
            contents: configuration,
            mode: 0o600,
            owner: (1000, 1000),
        }],
        after: words(&["studio.postgres", "studio.router"]),
        setup: Some(Setup::Gitea { orgs: wish.orgs.iter().cloned().collect(), secrets }),
        ..service(wish, "studio.gitea", "gitea", &wish.images.gitea, probe)
    })
}

fn registry(wish: &Wish<'_>, owner: &str, id: &str) -> Service {
    let part = format!("registry-{owner}");
    let host = port(wish, &part);
    let probe = Probe::Http { port: host, path: "/v2/".to_owned(), host: None };
    Service {
        ports: vec![Port { host, container: 5000 }],
        mounts: mount(wish, &part, "/var/lib/registry"),
        ..service(wish, id, &part, &wish.images.registry, probe)
    }
}

fn cluster(wish: &Wish<'_>, org: &OrgName) -> Cluster {
    let router_port = port(wish, "router");
    let traefik = &wish.images.traefik;
    let traefik_image = if wish.images.traefik_preloaded {
        traefik.clone()
    } else {
        ImageRef::new(format!("{PLATFORM_REGISTRY}/traefik"), traefik.tag.clone())
    };
    let api_port = port(wish, &format!("api-{org}"));
    let slot = u8::try_from(api_port % u16::from(Addresses::CLUSTERS)).unwrap_or(0);
    let at = |part: &str| format!("http://{}:5000", container(wish, part));
    Cluster {
        org: org.clone(),
        name: cluster_name(wish.name, org),
        stack: wish.name.clone(),
        node_image: wish.images.node.clone(),
        bundled_cni: wish.images.bundled_cni,
        api_port,
        network: network(wish.name),
        // By a number that the cluster keeps when organisations come and go. Two clusters in one slot would do no
        // harm: service addresses mean something inside their own node only.
        service_subnet: wish.addresses.service_subnet(slot),
        router: (wish.addresses.router(), router_port),
        traefik_image,
        mirrors: vec![
            (org_registry(org), at(&format!("registry-{org}"))),
            (PLATFORM_REGISTRY.to_owned(), at("registry-platform")),
        ],
        registry_host: format!("127.0.0.1:{}", port(wish, &format!("registry-{org}"))),
        domain: wish.domain,
        contents: String::new(),
    }
}

fn routes(wish: &Wish<'_>, clusters: &[Cluster]) -> Vec<Route> {
    // libgit2 does not resolve `*.localhost` on every system, so the agent's own pushes come by address.
    let studio = words(&[STUDIO, "127.0.0.1"]);
    let mut routes: Vec<Route> = designer::route(wish, studio.clone()).into_iter().collect();
    routes.extend([
        Route {
            hosts: studio,
            prefix: Some("/repos/".to_owned()),
            cut: true,
            to: Target::Container(container(wish, "gitea"), 3000),
        },
        Route {
            hosts: words(&[Stack::PIPELINE_HOST]),
            prefix: None,
            cut: false,
            to: Target::Relay(Stack::PIPELINE),
        },
    ]);
    routes.extend(platform::routes(wish));
    routes.extend(clusters.iter().map(|cluster| Route {
        hosts: vec![cluster.apps_host()],
        prefix: wish.domain.is_one_host().then(|| format!("/{}/", cluster.org)),
        cut: false,
        to: Target::Cluster(cluster.org.clone(), cluster.node()),
    }));
    routes
}
