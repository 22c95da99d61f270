//! Whether images can be fetched now: one short question, asked only when something is to be pulled.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::env::Environment;
use crate::config::schema::OfflineMode;
use crate::model::ImageRef;
use crate::sys::net;

/// How long the registries may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why nothing can be fetched; none when a registry of one of the images (or the proxy towards it) accepts a
/// connection within two seconds. Nothing is sent over it.
pub async fn why_offline<'a>(
    mode: OfflineMode,
    environment: &Environment,
    images: impl IntoIterator<Item = &'a ImageRef>,
) -> Option<String> {
    match mode {
        OfflineMode::Never => return None,
        OfflineMode::Always => return Some("offline mode forbids fetching them".to_owned()),
        OfflineMode::Auto => {}
    }
    let addresses: BTreeSet<String> =
        images.into_iter().map(|image| address(image, environment)).collect();
    if net::any_accepts(addresses.iter().cloned(), PATIENCE).await {
        return None;
    }
    let asked: Vec<String> = addresses.into_iter().collect();
    Some(format!("no answer from {} within 2 s", asked.join(" or ")))
}

/// `host:port` to connect to for an image: its registry, or the proxy towards it.
fn address(image: &ImageRef, environment: &Environment) -> String {
    let registry = registry(image);
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    match environment.https_proxy() {
        Some(proxy) if !environment.without_proxy(host) => proxy_address(proxy),
        _ => with_port(registry, 443),
    }
}

/// The registry of a name: its first segment when that looks like a host, else Docker Hub.
fn registry(image: &ImageRef) -> &str {
    match image.repository.split_once('/') {
        Some((host, _))
            if host != "docker.io" && (host.contains(['.', ':']) || host == "localhost") =>
        {
            host
        }
        _ => "registry-1.docker.io",
    }
}

fn proxy_address(proxy: &str) -> String {
    let (scheme, rest) = proxy.split_once("://").unwrap_or(("http", proxy));
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    with_port(host, if scheme == "https" { 443 } else { 80 })
}

fn with_port(host: &str, port: u16) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port { host.to_owned() } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::Variable;

    #[test]
    fn the_address_is_that_of_registry_or_proxy() {
        let proxy = [
            (Variable::HttpsProxy, "http://user:word@proxy.example:3128/"),
            (Variable::NoProxy, "mcr.microsoft.com"),
        ];
        for (image, pairs, expected) in [
            ("postgres:15", &[][..], "registry-1.docker.io:443"),
            ("docker.io/gitea/gitea:1", &[], "registry-1.docker.io:443"),
            ("gitea/gitea:1", &[], "registry-1.docker.io:443"),
            ("mcr.microsoft.com/dotnet/sdk:3.1", &[], "mcr.microsoft.com:443"),
            ("localhost:5000/a:1", &[], "localhost:5000"),
            ("postgres:15", &proxy, "proxy.example:3128"),
            ("mcr.microsoft.com/dotnet/sdk:3.1", &proxy, "mcr.microsoft.com:443"),
        ] {
            let environment = Environment::from_pairs(pairs.iter().copied());
            assert_eq!(address(&ImageRef::parse(image), &environment), expected, "{image}");
        }
        assert_eq!(proxy_address("https://p.example"), "p.example:443");
        assert_eq!(proxy_address("p.example"), "p.example:80");
    }

    #[tokio::test]
    async fn a_listening_registry_means_online() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let image = ImageRef::new(format!("{}/a", listener.local_addr().unwrap()), "1");
        let environment = Environment::default();
        let asked = || why_offline(OfflineMode::Auto, &environment, [&image]);
        assert_eq!(asked().await, None);
        drop(listener);
        assert!(asked().await.is_some_and(|why| why.contains("127.0.0.1")));
        assert!(why_offline(OfflineMode::Always, &environment, []).await.is_some());
        assert_eq!(why_offline(OfflineMode::Never, &environment, []).await, None);
    }
}
