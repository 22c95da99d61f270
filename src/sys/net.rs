//! Questions to sockets: does somebody accept, is a port free.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::time::Duration;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::net::TcpStream;

/// Whether one of these addresses (`host:port`) accepts a connection within the time. Nothing is sent.
pub async fn any_accepts(addresses: impl IntoIterator<Item = String>, within: Duration) -> bool {
    let mut attempts: FuturesUnordered<_> = addresses.into_iter().map(TcpStream::connect).collect();
    let first = async {
        while let Some(attempt) = attempts.next().await {
            if attempt.is_ok() {
                return true;
            }
        }
        false
    };
    tokio::time::timeout(within, first).await.unwrap_or(false)
}

/// Whether a port of 127.0.0.1 can be had now.
#[must_use]
pub fn is_port_free(port: u16) -> bool {
    TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port of 127.0.0.1 that is free now. Another program may be faster, so whoever uses it must be able to fail.
#[must_use]
pub fn free_port() -> Option<u16> {
    let listener = TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).ok()?;
    listener.local_addr().ok().map(|address| address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn taken_is_not_free() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(!is_port_free(address.port()));
        assert!(any_accepts([address.to_string()], Duration::from_secs(2)).await);
        assert!(!any_accepts([], Duration::from_secs(2)).await);
        assert_ne!(free_port().unwrap(), address.port());
    }
}
