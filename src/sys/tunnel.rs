//! Connections that the router makes to this machine, through a stream that we open: nothing here listens, so no
//! container can come in by a port.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use altinn_inside::relay;
use tokio::io::{AsyncRead, AsyncWrite, join};
use tokio::net::TcpStream;

use super::docker::Docker;
use super::helper::Helper;
use crate::model::{Code, Report};

pub use altinn_inside::relay::Stream;

/// Holds a tunnel: connections that a container makes to these of its own loopback ports are given to `answer`.
/// Comes back when the tunnel ends, as when the container is restarted; dropping it ends the tunnel.
pub async fn hold<F>(
    docker: &Docker,
    container: &str,
    helper: &Helper,
    ports: impl IntoIterator<Item = u16>,
    answer: impl Fn(u16, Stream) -> F,
) -> Result<(), Report>
where
    F: Future<Output = ()> + Send + 'static,
{
    // By its content, so that the one there is never written over while it runs.
    let path = format!("/.altinn-local/relay-{}", helper.short());
    if !docker.holds(container, &path).await? {
        docker.put_program(container, &path, &helper.bytes).await?;
    }
    let ports: Vec<String> = ports.into_iter().map(|port| port.to_string()).collect();
    let mut words = vec![path.as_str(), "relay"];
    words.extend(ports.iter().map(String::as_str));
    let session = docker.open_session(container, &words).await?;
    let ended = relay::answer(join(session.output, session.input), answer).await;
    ended.map_err(|error| {
        Report::new(Code::HelperFailed, "the tunnel to the router broke").why(error.to_string())
    })
}

/// Carries a connection on to a port of this machine; ends it when nobody answers there.
pub async fn forward(mut stream: impl AsyncRead + AsyncWrite + Unpin, port: u16) {
    // Servers for development listen on either of the two.
    let addresses: [SocketAddr; 2] =
        [(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()];
    if let Ok(mut server) = TcpStream::connect(&addresses[..]).await {
        // One that cannot be set only answers later.
        let _ = server.set_nodelay(true);
        relay::splice(&mut stream, &mut server).await;
    }
}
