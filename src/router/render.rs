//! Routes as NGINX configuration text.

use serde::Serialize;
use serde_json::json;

use crate::model::{Report, Stack, Target};
use crate::sys::template;

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
}

/// The configuration of a stack's router. The same stack gives the same text.
pub fn render(stack: &Stack) -> Result<String, Report> {
    let mut servers: Vec<Server> = Vec::new();
    for route in &stack.routes {
        let upstream = match &route.to {
            Target::Container(name, port) => format!("{name}:{port}"),
            Target::Cluster(_, node) => format!("{node}:30080"),
        };
        let location = Location { prefix: route.strip_prefix.clone(), upstream };
        if let Some(server) = servers.iter_mut().find(|server| server.hosts == route.hosts) {
            server.locations.push(location);
            continue;
        }
        let org = match &route.to {
            Target::Cluster(org, _) => Some(org.to_string()),
            Target::Container(..) => None,
        };
        servers.push(Server {
            hosts: route.hosts.clone(),
            // A server with nothing at its root leads to the first thing it has.
            home: route.strip_prefix.clone(),
            locations: vec![location],
            org,
        });
    }
    let hosts: Vec<&String> = servers.iter().filter_map(|server| server.hosts.first()).collect();
    let values = json!({
        "stack": stack.name, "port": stack.ports.router, "servers": servers, "hosts": hosts,
    });
    template::render(TEMPLATE, &values)
}
