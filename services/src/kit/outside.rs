//! Clients for what answers outside this process.

use std::sync::OnceLock;

use reqwest::{Client, ClientBuilder};

/// Whether this machine has certificates to trust. An image that holds our program alone has none, and a client that
/// wants them cannot even be made there; it still speaks plain HTTP, which is all that services speak to each other.
#[must_use]
pub fn has_certificates() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| Client::builder().build().is_ok())
}

/// A client that uses no proxy and, where it can, trusts what this machine trusts.
pub fn client() -> ClientBuilder {
    let client = Client::builder().no_proxy();
    if has_certificates() { client } else { client.tls_certs_only([]) }
}
