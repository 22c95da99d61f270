//! Settles which ports the stack publishes, and remembers them for its next time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;

use super::workshop::Site;
use crate::config::schema::PortChoice;
use crate::model::{Code, FoundContainer, Label, OrgName, Report, Stack};
use crate::stack::{self, PortMap, PortWish};
use crate::sys::{fs, machine};

const FILE: &str = "ports.json";

/// The ports of the stack; those that it publishes now are kept.
pub(super) fn settle(
    site: &Site,
    orgs: &BTreeSet<OrgName>,
    mut published: PortMap,
    choice: Option<PortChoice>,
) -> Result<PortMap, Report> {
    let remembered = remembered(&site.folder())?;
    published.insert("agent".to_owned(), site.agent_port);
    let wish = match choice {
        None => PortWish::Usual,
        Some(PortChoice::Auto) => PortWish::Auto,
        Some(PortChoice::Number(port)) => PortWish::Exactly(port),
    };
    let default = site.stack.as_str() == "default";
    let ports = stack::allocate(default, orgs, &published, &remembered, wish, is_free);
    remember(site, remembered, &ports)?;
    Ok(ports)
}

/// Ports remembered from the last time of the stack with this folder; none when the file is not there or not readable as
/// such: it is a wish, not a record.
pub fn remembered(folder: &Path) -> Result<PortMap, Report> {
    let text = fs::read_if_there(&folder.join(FILE))?;
    Ok(text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default())
}

pub(super) fn remember(site: &Site, mut before: PortMap, ports: &PortMap) -> Result<(), Report> {
    let old = before.clone();
    before.extend(ports.clone());
    if before == old {
        return Ok(());
    }
    let text = serde_json::to_vec_pretty(&before)
        .map_err(|error| Report::bug("cannot write down the ports", &error))?;
    fs::write_private(&site.folder().join(FILE), &text)
}

/// Whether the port can be taken on 127.0.0.1.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// The ports that the stack's own containers publish now, by key.
pub(super) fn published(site: &Site, containers: &BTreeMap<String, FoundContainer>) -> PortMap {
    let prefix = stack::volumes_prefix(&site.stack);
    let mut ports = PortMap::new();
    for (name, container) in containers {
        let Some((_, port, _)) = container.published.first().filter(|_| container.running) else {
            continue;
        };
        let part_name = name.strip_prefix(&prefix).unwrap_or(name);
        let key = match part_name.strip_suffix("-control-plane") {
            Some(org) => format!("api-{org}"),
            None => part_name.to_owned(),
        };
        ports.insert(key, *port);
    }
    ports
}

/// A report for each port that somebody else holds.
pub(super) fn taken(stack: &Stack, containers: &BTreeMap<String, FoundContainer>) -> Vec<Report> {
    let ours: BTreeSet<u16> = containers
        .values()
        .flat_map(|container| container.published.iter().map(|(_, port, _)| *port))
        .collect();
    let mut wanted: Vec<(u16, &str)> = stack
        .services
        .iter()
        .flat_map(|service| service.ports.iter().map(|port| (port.host, service.id.as_str())))
        .collect();
    wanted.extend(stack.clusters.iter().map(|cluster| (cluster.api_port, cluster.name.as_str())));
    let taken = wanted.into_iter().filter(|(port, _)| !ours.contains(port) && !is_free(*port));
    taken.map(|(port, what)| report(port, what, "altinn-local up --port auto")).collect()
}

/// A port that somebody else holds, with what takes another one.
pub(super) fn report(port: u16, what: &str, other: &str) -> Report {
    let owner = machine::port_owner(port);
    let report = Report::new(Code::PortTaken, format!("port {port} is in use"))
        .label(Label::Who, owner.clone().unwrap_or_else(|| "a program of another user".to_owned()))
        .why(format!("{what} is published there"))
        .fix(other, "use the next free port and remember it for this stack");
    let pid = owner.as_deref().and_then(|owner| owner.split("pid ").nth(1));
    let pid: String = pid.unwrap_or("").chars().take_while(char::is_ascii_digit).collect();
    if pid.is_empty() {
        report
    } else {
        report.fix(format!("kill {pid}"), "stop the other program")
    }
}

/// The agent's port: the one it had, else the usual one, else the next free one. People seldom type it, so a taken
/// one is no reason to fail.
pub fn agent_port(folder: &Path, default_stack: bool) -> Result<u16, Report> {
    let remembered = remembered(folder)?;
    let wish = stack::PortWish::Auto;
    let ports = stack::allocate(default_stack, [], &PortMap::new(), &remembered, wish, is_free);
    ports.get("agent").copied().ok_or_else(|| Report::new(Code::Bug, "the agent has no port"))
}
