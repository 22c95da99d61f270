//! Routes as NGINX configuration text.

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{Code, Pages, Report, Route, Stack, Target};
use crate::sys::template;

/// Where pages of apps take Altinn's own frontend from; the version follows.
const FRONTEND: &str = "https://altinncdn.no/toolkits/altinn-app-frontend/";
const TEMPLATE: &str = include_str!("../../templates/router/nginx.conf");

#[derive(Serialize)]
struct Server {
    hosts: Vec<String>,
    locations: Vec<Location>,
    /// Whether apps are served here; a host may be shared by several organisations and the platform.
    apps: bool,
    home: Option<String>,
}

#[derive(Serialize)]
struct Location {
    prefix: Option<String>,
    /// The organisation whose apps are here.
    org: Option<String>,
    /// The prefix counts in upper and lower case: ASP.NET does not tell them apart.
    any_case: bool,
    /// What is behind it sees paths without the prefix.
    cut: bool,
    to: To,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum To {
    /// Its address is looked up by name.
    Container {
        upstream: String,
    },
    Relay {
        upstream: String,
    },
    Remote {
        scheme: &'static str,
        authority: String,
    },
    Nobody {
        service: String,
    },
}

impl Location {
    fn of(route: &Route) -> Self {
        let (to, org) = match &route.to {
            Target::Container(name, port) => {
                (To::Container { upstream: format!("{name}:{port}") }, None)
            }
            Target::Cluster(org, node) => {
                (To::Container { upstream: format!("{node}:30080") }, Some(org.to_string()))
            }
            Target::Relay(port) => (To::Relay { upstream: format!("127.0.0.1:{port}") }, None),
            Target::Remote(origin) => {
                let authority = origin.authority().to_owned();
                (To::Remote { scheme: origin.scheme(), authority }, None)
            }
            Target::Nobody(service) => (To::Nobody { service: service.to_string() }, None),
        };
        let exact = route.cut || org.is_some() || matches!(to, To::Relay { .. });
        let any_case = route.prefix.is_some() && !exact;
        Self { prefix: route.prefix.clone(), org, any_case, cut: route.cut, to }
    }
}

/// The configuration of a stack's router. The same stack gives the same text.
pub fn render(stack: &Stack) -> Result<String, Report> {
    let mut servers: Vec<Server> = Vec::new();
    for route in &stack.routes {
        let location = Location::of(route);
        let apps = location.org.is_some();
        if let Some(server) = servers.iter_mut().find(|server| server.hosts == route.hosts) {
            server.locations.push(location);
            server.apps |= apps;
            continue;
        }
        servers.push(Server {
            hosts: route.hosts.clone(),
            // A server with nothing at its root leads to the first thing it has.
            home: route.prefix.clone(),
            locations: vec![location],
            apps,
        });
    }
    for server in &mut servers {
        // The first pattern that fits wins, so what is for all paths comes last.
        server.locations.sort_by_key(|location| location.prefix.is_none());
    }
    let hosts: Vec<&String> = servers.iter().filter_map(|server| server.hosts.first()).collect();
    let pages = stack.pages.as_ref().map(|wanted| pages(wanted, &servers)).transpose()?;
    let values = json!({
        "stack": stack.name, "port": stack.ports.router, "servers": servers, "hosts": hosts, "pages": pages,
    });
    template::render(TEMPLATE, &values)
}

/// What pages get, for the template.
fn pages(wanted: &Pages, servers: &[Server]) -> Result<Value, Report> {
    let places: Vec<String> = servers.iter().flat_map(places_of_apps).collect();
    let mut scripts: Vec<Value> = Vec::new();
    let mut apps: Vec<_> = wanted.scripts.iter().map(|(app, _)| app).collect();
    apps.dedup();
    for app in apps {
        let paths: Vec<&String> =
            wanted.scripts.iter().filter(|(of, _)| of == app).map(|(_, path)| path).collect();
        if let Some(odd) = paths.iter().find(|path| !is_plain(path)) {
            return Err(
                Report::new(Code::Bug, "a script for pages has an odd path").at(odd.as_str())
            );
        }
        scripts.push(json!({ "id": app, "paths": paths }));
    }
    Ok(json!({
        "places": places,
        "scripts": scripts,
        "frontend": wanted.frontend,
        "cdn": FRONTEND,
        "follow": wanted.follow(),
        "port": Pages::PORT,
        "scripts_port": Pages::SCRIPTS,
        "prefix": Pages::PREFIX,
    }))
}

/// What hosts and paths of apps begin with.
fn places_of_apps(server: &Server) -> Vec<String> {
    let apps = server.locations.iter().filter(|location| location.org.is_some());
    let prefixes = apps.map(|location| location.prefix.as_deref().unwrap_or("/"));
    prefixes
        .flat_map(|prefix| server.hosts.iter().map(move |host| format!("{host}{prefix}")))
        .collect()
}

/// Whether a path means nothing but itself to NGINX and to HTML.
fn is_plain(path: &str) -> bool {
    path.starts_with('/')
        && path.chars().all(|c| c.is_ascii_alphanumeric() || "/@._-?=".contains(c))
}
