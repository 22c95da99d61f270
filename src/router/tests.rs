//! The rendered configuration as a whole.

use super::render;
use crate::model::*;

fn stack(pages: Option<Pages>) -> Stack {
    let org: OrgName = "ttd".parse().unwrap();
    Stack {
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
                prefix: Some("/repos/".to_owned()),
                cut: true,
                to: Target::Container("altinn-default-gitea".to_owned(), 3000),
            },
            Route {
                hosts: vec!["platform.altinn.localhost".to_owned()],
                prefix: None,
                cut: false,
                to: Target::Container("altinn-default-platform".to_owned(), 5101),
            },
            Route {
                hosts: vec!["platform.altinn.localhost".to_owned()],
                prefix: Some("/storage/".to_owned()),
                cut: false,
                to: Target::Container("altinn-default-storage".to_owned(), 5101),
            },
            Route {
                hosts: vec![apps_host(&org)],
                prefix: None,
                cut: false,
                to: Target::Cluster(org, "altinn-default-ttd-control-plane".to_owned()),
            },
        ],
        pages,
    }
}

#[test]
fn a_stack_renders_to_this_configuration() {
    let text = render(&stack(None)).unwrap();
    let servers: Vec<&str> = text.split("  server {").collect();
    assert!(!text.contains("page"), "pages stay as they are");
    insta::assert_snapshot!(servers[1..].join("  server {"));
}

#[test]
fn pages_of_apps_get_scripts() {
    let app: AppId = "ttd/demo".parse().unwrap();
    let scripts = vec![(app.clone(), "/.altinn-local/widgets.js?app=ttd/demo".to_owned())];
    let pages = Pages { overlay: true, reload: true, scripts, frontend: None };
    let mut stack = stack(Some(pages));
    stack.routes.push(Route {
        hosts: vec![apps_host(&app.org)],
        prefix: Some("/.altinn-local/widgets/demo/map/".to_owned()),
        cut: false,
        to: Target::Relay(5173),
    });
    assert_eq!(stack.relays().into_iter().collect::<Vec<_>>(), [5173, 7800, 7801]);
    let text = render(&stack).unwrap();
    let start = text.find("  # Pages of apps").unwrap();
    let end = text.find("listen 8800 default_server").unwrap();
    insta::assert_snapshot!(&text[start..end]);
}

#[test]
fn pages_may_get_the_frontend_from_its_source_and_nothing_else() {
    let pages = Pages { overlay: false, reload: false, scripts: Vec::new(), frontend: Some(7802) };
    let stack = stack(Some(pages));
    assert_eq!(stack.relays().into_iter().collect::<Vec<_>>(), [7802]);
    let text = render(&stack).unwrap();
    assert!(!text.contains("page.js") && !text.contains("widgets.js"));
    let start = text.find("  # Which frontend").unwrap();
    let end = text.find("listen 8800 default_server").unwrap();
    insta::assert_snapshot!(&text[start..end]);
}

#[test]
fn a_path_that_means_more_than_itself_is_refused() {
    for path in ["/a\"><script>", "/a;", "/a b", "/$host", "a", "/a\n", "/{"] {
        let scripts = vec![("ttd/demo".parse().unwrap(), path.to_owned())];
        let pages = Pages { overlay: true, reload: true, scripts, frontend: None };
        assert_eq!(render(&stack(Some(pages))).unwrap_err().code, Code::Bug, "{path:?}");
    }
}
