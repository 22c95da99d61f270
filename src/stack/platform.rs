//! The platform's services and the blob store: their containers and routes. All of it is pure.

use super::desired::{Wish, container, mount, port, service, words};
use super::localtest;
use super::program::{DATA, USER};
use crate::model::{FileSpec, ImageRef, PlatformService, Port, Probe, Route, Service, Target};

/// Where every service listens, inside its own container; Altinn's local test as well.
pub(super) const PORT: u16 = 5101;
/// The account in the blob store.
pub const BLOB_ACCOUNT: &str = "altinnlocal";
/// Where Azurite serves blobs.
const BLOBS: u16 = 10000;

const DURABLE: &str = include_str!("../../templates/azurite/durable.js");

pub(super) const FILES: &str = "/etc/altinn-local";

pub(super) fn services(wish: &Wish<'_>) -> Vec<Service> {
    if let Some(image) = &wish.platform.image {
        return vec![localtest::service(wish, image)];
    }
    let ours = |one| wish.platform.is_ours(one);
    let mut services = vec![platform(wish)];
    if ours(PlatformService::Storage) {
        services.extend(wish.images.azurite.iter().map(|image| azurite(wish, image)));
        services.push(storage(wish));
    }
    if ours(PlatformService::Events) {
        services.push(events(wish));
    }
    services
}

/// Everything under the platform's host. The container `platform` answers what has no route of its own.
pub(super) fn routes(wish: &Wish<'_>) -> Vec<Route> {
    let route = |prefix: Option<String>, to: Target| Route {
        hosts: words(&[wish.domain.platform_host()]),
        prefix,
        cut: false,
        to,
    };
    let local = |name: &str| Target::Container(container(wish, name), PORT);
    let others = PlatformService::ALL.into_iter().filter_map(|one| {
        let own = matches!(one, PlatformService::Storage | PlatformService::Events);
        let to = match wish.platform.remote.get(&one) {
            Some(origin) => Target::Remote(origin.clone()),
            // The local test answers for all of them, or says itself that it does not.
            None if wish.platform.image.is_some() => return None,
            None if own => local(one.as_str()),
            None if one.is_ours() => return None,
            None => Target::Nobody(one),
        };
        Some(route(Some(format!("/{one}/")), to))
    });
    std::iter::once(route(None, local("platform"))).chain(others).collect()
}

/// How clients reach the blob store at this base address, such as `http://127.0.0.1:10000`.
#[must_use]
pub fn blob_connection(key: &str, base: &str) -> String {
    format!(
        "DefaultEndpointsProtocol=http;AccountName={BLOB_ACCOUNT};AccountKey={key};BlobEndpoint={base}/{BLOB_ACCOUNT};"
    )
}

fn azurite(wish: &Wish<'_>, image: &ImageRef) -> Service {
    let host = port(wish, "azurite");
    let (accounts, durable) = (format!("{FILES}/accounts"), format!("{FILES}/durable.js"));
    // The account's key must not be seen in the container's settings, where a command and an environment stand.
    let script = format!(
        "export NODE_OPTIONS='--require {durable}'; \
         AZURITE_ACCOUNTS=\"$(cat {accounts})\" exec azurite-blob --blobHost 0.0.0.0 --blobPort {BLOBS} \
         --location /data --skipApiVersionCheck --disableTelemetry --silent"
    );
    Service {
        entrypoint: Some(words(&["/bin/sh", "-c"])),
        command: Some(vec![script]),
        ports: vec![Port { host, container: BLOBS }],
        mounts: mount(wish, "azurite", "/data"),
        files: vec![
            FileSpec {
                path: accounts,
                contents: format!("{BLOB_ACCOUNT}:{}", wish.credentials.blob_key),
                mode: 0o444,
                owner: (0, 0),
            },
            FileSpec { path: durable, contents: DURABLE.to_owned(), mode: 0o444, owner: (0, 0) },
        ],
        ..service(wish, "platform.azurite", "azurite", image, Probe::Answers { port: host })
    }
}

fn platform(wish: &Wish<'_>) -> Service {
    let storage = url(wish, "storage");
    let own = ["--data", DATA, "--storage", &storage, "--domain", wish.domain.as_str()];
    Service { mounts: mount(wish, "platform", DATA), ..one(wish, "platform", &own) }
}

fn storage(wish: &Wish<'_>) -> Service {
    let azurite = format!("http://{}:{BLOBS}", container(wish, "azurite"));
    let blobs = format!("azure:{}", blob_connection(&wish.credentials.blob_key, &azurite));
    let file = format!("@{FILES}/blobs");
    let mut service = one(wish, "storage", &["--blobs", &file]);
    service.files.push(private("blobs", blobs));
    service.after.push("platform.azurite".to_owned());
    with_metadata(wish, service, "storage")
}

fn events(wish: &Wish<'_>) -> Service {
    with_metadata(wish, one(wish, "events", &[]), "events")
}

/// A service that keeps documents in a database of its name.
fn with_metadata(wish: &Wish<'_>, mut service: Service, database: &str) -> Service {
    let password = wish.credentials.database_password(database).unwrap_or_default();
    let server = container(wish, "postgres");
    let address = format!("postgres://{database}:{password}@{server}:5432/{database}");
    let (metadata, platform) = (format!("@{FILES}/metadata"), url(wish, "platform"));
    let command = service.command.get_or_insert_default();
    command.extend(words(&["--metadata", &metadata, "--platform", &platform]));
    service.files.push(private("metadata", address));
    service.after.push("studio.postgres".to_owned());
    service
}

/// What all of them have in common.
fn one(wish: &Wish<'_>, name: &str, own: &[&str]) -> Service {
    let port = port(wish, "router");
    let probe = Probe::Http {
        port,
        path: format!("/{name}/health/ready"),
        host: Some(format!("{}:{port}", wish.domain.platform_host())),
    };
    let certificates = format!("{FILES}/certificates");
    let (listen, key) = (format!("0.0.0.0:{PORT}"), format!("@{FILES}/key"));
    let mut command = words(&[name, "--listen", &listen, "--key", &key]);
    command.extend(words(&["--certificates", &certificates]));
    command.extend(words(own));
    let mut files = vec![private("key", wish.credentials.services_key.clone())];
    files.extend(wish.certificates.iter().map(|(org, certificate)| FileSpec {
        path: format!("{certificates}/{org}.cer"),
        contents: certificate.clone(),
        mode: 0o444,
        owner: (0, 0),
    }));
    let id = if name == "platform" { name.to_owned() } else { format!("platform.{name}") };
    Service {
        command: Some(command),
        files,
        after: words(&["studio.router"]),
        ..service(wish, &id, name, &wish.images.services, probe)
    }
}

/// A file that the program alone can read.
pub(super) fn private(name: &str, contents: String) -> FileSpec {
    FileSpec { path: format!("{FILES}/{name}"), contents, mode: 0o400, owner: (USER, USER) }
}

/// Where services find each other: straight in their containers, or by the router when some of them are elsewhere.
fn url(wish: &Wish<'_>, name: &str) -> String {
    if wish.platform.remote.is_empty() {
        return format!("http://{}:{PORT}", container(wish, name));
    }
    format!("http://{}:{}", wish.domain.platform_host(), port(wish, "router"))
}
