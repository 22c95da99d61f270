//! Altinn's own local test in place of the platform's services: one container of the image that the user names.
//!
//! It reads metadata, policies, texts and test people from each app itself, so nothing is published to it. Older
//! versions ask the app at `LocalAppUrl`, which is the router here. Newer ones find the app in a file of routes, but ask
//! for metadata and policies by a connection from the workstation (their "host bridge"), which nothing here offers.

use serde_json::json;

use super::desired::{self, Wish, mount, port};
use super::platform::PORT;
use crate::model::{FileSpec, ImageRef, Probe, Service};

/// Where it keeps instances and their data.
const DATA: &str = "/AltinnPlatformLocal";
/// Where newer versions read which apps there are.
const TOPOLOGY: &str = "/etc/altinn-local/topology.json";

pub(super) fn service(wish: &Wish<'_>, image: &ImageRef) -> Service {
    let (host, router) = (wish.domain.platform_host(), port(wish, "router"));
    let base = format!("http://{host}:{router}");
    let itself = format!("http://localhost:{PORT}");
    let authorization = format!("{itself}/authorization/api/v1/");
    let environment = [
        // Its settings for containers: where it keeps what, and that apps are asked over HTTP.
        ("ASPNETCORE_ENVIRONMENT", "Docker"),
        ("ASPNETCORE_URLS", &format!("http://*:{PORT}/")),
        ("GeneralSettings__HostName", host),
        ("GeneralSettings__BaseUrl", &base),
        ("GeneralSettings__PlatformEndpoint", &format!("{itself}/")),
        ("StorageGeneralSettings__Hostname", host),
        ("PlatformSettings__ApiAuthorizationEndpoint", &authorization),
        ("LocalPlatformSettings__LocalAppMode", "http"),
        ("LocalPlatformSettings__LocalAppUrl", &base),
        ("BoundTopologyOptions__ConfigPath", TOPOLOGY),
        ("BoundTopologyOptions__BaseConfigPath", TOPOLOGY),
    ];
    let probe = Probe::Http {
        port: router,
        path: "/health".to_owned(),
        host: Some(format!("{host}:{router}")),
    };
    Service {
        environment: environment.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        mounts: mount(wish, "localtest", DATA),
        files: vec![FileSpec {
            path: TOPOLOGY.to_owned(),
            contents: topology(wish, host, &base),
            mode: 0o444,
            owner: (0, 0),
        }],
        after: desired::words(&["studio.router"]),
        ..desired::service(wish, "platform", "platform", image, probe)
    }
}

/// The apps, as newer versions read them.
fn topology(wish: &Wish<'_>, host: &str, base: &str) -> String {
    let routes = wish.apps.iter().map(|app| {
        json!({
            "component": "app",
            "enabled": true,
            "match": {"host": host, "pathPrefix": format!("/{}", app.id)},
            "destination": {"kind": "http", "location": "env", "url": base},
            "metadata": [{"key": "appId", "value": app.id}],
        })
    });
    let template = json!({"host": host, "pathPrefixTemplate": "/{org}/{app}"});
    let routes: Vec<_> = routes.collect();
    json!({"version": 1, "appRouteTemplate": template, "routes": routes}).to_string()
}
