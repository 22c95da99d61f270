//! Which ports on 127.0.0.1 a stack publishes. A stack keeps the ports it had: what its containers publish now
//! wins, then what was remembered, then the usual number or the next free one.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::OrgName;

/// Ports by what they serve: `router`, `agent`, `registry-platform`, `azurite`, `registry-<org>`, `api-<org>`.
pub type PortMap = BTreeMap<String, u16>;

/// How the router's port is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortWish {
    /// The one the stack had, else the usual one, taken or not: a taken one becomes an error with its owner.
    Usual,
    /// The one the stack had when it is free, else the next free one.
    Auto,
    /// This one.
    Exactly(u16),
}

/// First numbers of each kind; the stack `default` gets them, others start 100 further up.
fn first(key: &str) -> u16 {
    match key {
        "router" => 8800,
        "agent" => 8810,
        "azurite" => 10000,
        _ if key.starts_with("registry-") => 5510,
        _ => 6551,
    }
}

/// What a stack with these organisations publishes.
pub fn keys<'a>(orgs: impl IntoIterator<Item = &'a OrgName>) -> Vec<String> {
    let mut keys = ["router", "agent", "registry-platform", "azurite"].map(str::to_owned).to_vec();
    for org in orgs {
        keys.push(format!("registry-{org}"));
        keys.push(format!("api-{org}"));
    }
    keys
}

/// Gives each key its port. `free` tells whether a port can be taken now; ports of our own running containers
/// come in by `published` and are kept without asking.
pub fn allocate<'a>(
    default_stack: bool,
    orgs: impl IntoIterator<Item = &'a OrgName>,
    published: &PortMap,
    remembered: &PortMap,
    wish: PortWish,
    free: impl Fn(u16) -> bool,
) -> PortMap {
    let mut chosen = PortMap::new();
    let mut used: BTreeSet<u16> = published.values().copied().collect();
    for key in keys(orgs) {
        let port = match (wish, key.as_str()) {
            (PortWish::Exactly(port), "router") => port,
            _ => port_of(&key, default_stack, published, remembered, wish, |port| {
                !used.contains(&port) && free(port)
            }),
        };
        used.insert(port);
        chosen.insert(key, port);
    }
    chosen
}

fn port_of(
    key: &str,
    default_stack: bool,
    published: &PortMap,
    remembered: &PortMap,
    wish: PortWish,
    free: impl Fn(u16) -> bool,
) -> u16 {
    if let Some(port) = published.get(key) {
        return *port;
    }
    let base = if default_stack { first(key) } else { first(key) + 100 };
    let before = remembered.get(key).copied();
    // The two ports that users type must not move silently.
    let typed = default_stack && matches!(key, "router" | "agent");
    if typed && wish != PortWish::Auto {
        return before.unwrap_or(base);
    }
    let next = (base..base + 90).find(|port| free(*port));
    before.filter(|port| free(*port)).or(next).unwrap_or(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org() -> OrgName {
        "ttd".parse().unwrap()
    }

    fn map(entries: &[(&str, u16)]) -> PortMap {
        entries.iter().map(|(key, port)| ((*key).to_owned(), *port)).collect()
    }

    #[test]
    fn the_default_stack_gets_the_usual_ports() {
        let none = PortMap::new();
        let ports = allocate(true, [&org()], &none, &none, PortWish::Usual, |_| true);
        let expected = map(&[
            ("router", 8800),
            ("agent", 8810),
            ("azurite", 10000),
            ("registry-platform", 5510),
            ("registry-ttd", 5511),
            ("api-ttd", 6551),
        ]);
        assert_eq!(ports, expected);
    }

    #[test]
    fn a_taken_usual_port_stays_an_error_unless_auto() {
        let none = PortMap::new();
        let free = |port| port != 8800;
        let usual = allocate(true, [], &none, &none, PortWish::Usual, free);
        assert_eq!(usual["router"], 8800);
        let auto = allocate(true, [], &none, &none, PortWish::Auto, free);
        assert_eq!(auto["router"], 8801);
        let kept = allocate(true, [], &none, &auto, PortWish::Usual, free);
        assert_eq!(kept["router"], 8801);
    }

    #[test]
    fn what_runs_keeps_its_port() {
        let published = map(&[("registry-ttd", 5544)]);
        let none = PortMap::new();
        let ports = allocate(true, [&org()], &published, &none, PortWish::Usual, |_| false);
        assert_eq!(ports["registry-ttd"], 5544);
    }

    #[test]
    fn stacks_do_not_meet() {
        let none = PortMap::new();
        let one = allocate(false, [&org()], &none, &none, PortWish::Usual, |_| true);
        let taken: BTreeSet<u16> = one.values().copied().collect();
        let two = allocate(false, [&org()], &none, &none, PortWish::Usual, |p| !taken.contains(&p));
        assert!(two.values().all(|port| !taken.contains(port)), "{one:?} {two:?}");
        assert!(one.values().chain(two.values()).all(|port| *port < 49152));
    }
}
