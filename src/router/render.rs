//! Routes as NGINX configuration text.

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{Code, Pages, Report, Stack, Target};
use crate::sys::template;

/// Where pages of apps take Altinn's own frontend from; the version follows.
const FRONTEND: &str = "https://altinncdn.no/toolkits/altinn-app-frontend/";
const TEMPLATE: &str = include_str!("../../templates/router/nginx.conf");

#[derive(Serialize)]
struct Server {
    hosts: Vec<String>,
    locations: Vec<Location>,
    org: Option<String>,
    home: Option<String>,
}

#[derive(Serialize)]
struct Location {
    prefix: Option<String>,
    upstream: String,
    /// Its address is looked up by name.
    container: bool,
    /// It sees paths without the prefix.
    cut: bool,
}

/// The configuration of a stack's router. The same stack gives the same text.
pub fn render(stack: &Stack) -> Result<String, Report> {
    let mut servers: Vec<Server> = Vec::new();
    for route in &stack.routes {
        let (upstream, container) = match &route.to {
            Target::Container(name, port) => (format!("{name}:{port}"), true),
            Target::Cluster(_, node) => (format!("{node}:30080"), true),
            Target::Relay(port) => (format!("127.0.0.1:{port}"), false),
        };
        let location =
            Location { prefix: route.prefix.clone(), upstream, container, cut: route.cut };
        if let Some(server) = servers.iter_mut().find(|server| server.hosts == route.hosts) {
            server.locations.push(location);
            continue;
        }
        let org = match &route.to {
            Target::Cluster(org, _) => Some(org.to_string()),
            Target::Container(..) | Target::Relay(_) => None,
        };
        servers.push(Server {
            hosts: route.hosts.clone(),
            // A server with nothing at its root leads to the first thing it has.
            home: route.prefix.clone(),
            locations: vec![location],
            org,
        });
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
    let hosts: Vec<&String> = servers
        .iter()
        .filter(|server| server.org.is_some())
        .flat_map(|server| &server.hosts)
        .collect();
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
        "hosts": hosts,
        "scripts": scripts,
        "frontend": wanted.frontend,
        "cdn": FRONTEND,
        "follow": wanted.follow(),
        "port": Pages::PORT,
        "scripts_port": Pages::SCRIPTS,
        "prefix": Pages::PREFIX,
    }))
}

/// Whether a path means nothing but itself to NGINX and to HTML.
fn is_plain(path: &str) -> bool {
    path.starts_with('/')
        && path.chars().all(|c| c.is_ascii_alphanumeric() || "/@._-?=".contains(c))
}
