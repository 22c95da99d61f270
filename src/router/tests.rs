//! The rendered configuration as a whole.

use super::render;
use crate::model::*;

fn stack(pages: Option<Pages>) -> Stack {
    let org: OrgName = "ttd".parse().unwrap();
    Stack {
        name: "default".parse().unwrap(),
        network: "altinn-local-default".to_owned(),
        domain: Domain::default(),
        platform: PlatformChoice::default(),
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
                hosts: vec![Domain::default().apps_host(&org)],
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
        hosts: vec![stack.domain.apps_host(&app.org)],
        prefix: Some("/.altinn-local/widgets/ttd/demo/map/".to_owned()),
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

/// Two organisations and the platform on one host, as `network.domain: local.altinn.cloud` has it.
fn one_host(pages: Option<Pages>) -> Stack {
    let domain = Domain::LocalAltinnCloud;
    let mut stack = Stack { domain, ..stack(pages) };
    let route = |prefix: Option<&str>, to| Route {
        hosts: vec![domain.platform_host().to_owned()],
        prefix: prefix.map(str::to_owned),
        cut: false,
        to,
    };
    let container = |name: &str| Target::Container(format!("altinn-default-{name}"), 5101);
    let cluster = |org: &str| {
        Target::Cluster(org.parse().unwrap(), format!("altinn-default-{org}-control-plane"))
    };
    stack.routes = vec![
        route(None, container("platform")),
        route(Some("/storage/"), container("storage")),
        route(Some("/skd/"), cluster("skd")),
        route(Some("/ttd/"), cluster("ttd")),
        route(Some("/.altinn-local/widgets/ttd/demo/map/"), Target::Relay(7803)),
    ];
    stack
}

#[test]
fn organisations_and_the_platform_share_a_host() {
    let text = render(&one_host(None)).unwrap();
    let servers: Vec<&str> = text.split("  server {").collect();
    insta::assert_snapshot!(servers[1]);
}

#[test]
fn pages_of_a_shared_host_get_scripts_and_the_frontend() {
    let app: AppId = "ttd/demo".parse().unwrap();
    let scripts = vec![(app, "/.altinn-local/widgets.js?app=ttd/demo".to_owned())];
    let pages = Pages { overlay: true, reload: true, scripts, frontend: Some(7802) };
    let text = render(&one_host(Some(pages))).unwrap();
    let places = text.find("map $host$request_uri").unwrap();
    let places = &text[places..places + text[places..].find("  }").unwrap()];
    let server = text.split("  server {").nth(1).unwrap();
    let locations = &server[server.find("    # Apps of version 9").unwrap()..];
    insta::assert_snapshot!(format!("{places}\n{locations}"));
}

#[test]
fn services_may_be_elsewhere_or_nowhere() {
    let mut stack = stack(None);
    let route = |prefix: &str, to| Route {
        hosts: vec!["platform.altinn.localhost".to_owned()],
        prefix: Some(prefix.to_owned()),
        cut: false,
        to,
    };
    stack.routes = vec![
        route("/storage/", Target::Remote("https://platform.tt02.altinn.no".parse().unwrap())),
        route("/profile/", Target::Remote("http://people:8080".parse().unwrap())),
        route("/correspondence/", Target::Nobody(PlatformService::Correspondence)),
    ];
    let text = render(&stack).unwrap();
    insta::assert_snapshot!(text.split("  server {").nth(1).unwrap());
}

#[test]
fn a_path_that_means_more_than_itself_is_refused() {
    for path in ["/a\"><script>", "/a;", "/a b", "/$host", "a", "/a\n", "/{"] {
        let scripts = vec![("ttd/demo".parse().unwrap(), path.to_owned())];
        let pages = Pages { overlay: true, reload: true, scripts, frontend: None };
        assert_eq!(render(&stack(Some(pages))).unwrap_err().code, Code::Bug, "{path:?}");
    }
}
