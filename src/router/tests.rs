//! The rendered configuration as a whole.

use super::render;
use crate::model::*;

#[test]
fn a_stack_renders_to_this_configuration() {
    let org: OrgName = "ttd".parse().unwrap();
    let stack = Stack {
        name: "default".parse().unwrap(),
        network: "altinn-local-default".to_owned(),
        addresses: Addresses { prefix: [172, 30] },
        ports: Ports { router: 8800, agent: 8810, registry_platform: 5510 },
        services: Vec::new(),
        clusters: Vec::new(),
        apps: Vec::new(),
        routes: vec![
            Route {
                hosts: vec!["studio.localhost".to_owned(), "127.0.0.1".to_owned()],
                strip_prefix: Some("/repos/".to_owned()),
                to: Target::Container("altinn-default-gitea".to_owned(), 3000),
            },
            Route {
                hosts: vec![apps_host(&org)],
                strip_prefix: None,
                to: Target::Cluster(org, "altinn-default-ttd-control-plane".to_owned()),
            },
        ],
    };
    let text = render(&stack).unwrap();
    let servers: Vec<&str> = text.split("  server {").collect();
    insta::assert_snapshot!(servers[1..].join("  server {"));
}
