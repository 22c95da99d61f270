//! The relay of the router: standard input and output are the stream to the workstation.

use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;

use altinn_inside::relay::relay;
use tokio::net::TcpListener;
use tokio::net::unix::pipe::{Receiver, Sender};

use super::{Fault, told};

/// Listens on these loopback ports until standard input ends.
pub(super) fn run(words: &[String]) -> Result<u8, Fault> {
    let ports = words
        .iter()
        .map(|word| word.parse().map_err(|_| format!("`{word}` is not a port")))
        .collect::<Result<Vec<u16>, Fault>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let runtime = runtime.map_err(told("begin"))?;
    runtime.block_on(async {
        let mut listeners = Vec::new();
        for port in ports {
            let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
            listeners.push(bound.map_err(told(&format!("listen on {port}")))?);
        }
        let input = own(io::stdin()).and_then(Receiver::from_file).map_err(told("read"))?;
        let output = own(io::stdout()).and_then(Sender::from_file).map_err(told("write"))?;
        relay(tokio::io::join(input, output), listeners).await.map_err(told("go on"))
    })?;
    Ok(0)
}

/// A handle that may be waited on, which those of the standard library may not.
fn own(stream: impl AsFd) -> io::Result<File> {
    Ok(File::from(stream.as_fd().try_clone_to_owned()?))
}
