//! Connections from inside a container to the workstation, through one byte stream that the workstation opened.
//!
//! No port of the workstation is opened for it. The relay listens on loopback ports of the container and opens one
//! yamux stream for each connection it accepts; a stream begins with the port's number, big-endian. Whoever holds
//! the other end decides what, if anything, a port means.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _, TokioAsyncReadCompatExt as _};
use yamux::{Config, Connection, ConnectionError, Mode};

/// Connections at once; further ones wait. yamux ends the whole connection at twice as many.
const AT_ONCE: usize = 256;
/// Bytes that are copied at once.
const BUFFER: usize = 64 * 1024;

/// One relayed connection.
pub type Stream = Compat<yamux::Stream>;

/// An accepted connection, the port it came to, and its place among those at once.
struct Accepted(TcpStream, u16, OwnedSemaphorePermit);

/// The container's side: carries what the listeners accept over `io`, until that ends.
pub async fn relay<S>(io: S, listeners: Vec<TcpListener>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let mut wire = Connection::new(io.compat(), Config::default(), Mode::Client);
    let (hand, mut accepted) = mpsc::channel(1);
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for listener in listeners {
        tasks.spawn(listen(listener, hand.clone(), room.clone()));
    }
    let mut waiting = None;
    loop {
        match poll_fn(|cx| poll(&mut wire, &mut accepted, waiting.is_some(), cx)).await {
            Happened::Accepted(connection) => waiting = Some(connection),
            Happened::Opened(stream) => {
                tasks.spawn(carry(waiting.take(), stream.compat()));
            }
            Happened::Ended(result) => return result,
        }
        while tasks.try_join_next().is_some() {}
    }
}

enum Happened {
    Accepted(Accepted),
    Opened(yamux::Stream),
    Ended(io::Result<()>),
}

/// The connection moves bytes only while it is asked for streams, so everything is asked in one place.
fn poll<S>(
    wire: &mut Connection<Compat<S>>,
    accepted: &mut mpsc::Receiver<Accepted>,
    waiting: bool,
    cx: &mut Context<'_>,
) -> Poll<Happened>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    if waiting && let Poll::Ready(opened) = wire.poll_new_outbound(cx) {
        return Poll::Ready(match opened {
            Ok(stream) => Happened::Opened(stream),
            Err(error) => Happened::Ended(ended(error)),
        });
    }
    match wire.poll_next_inbound(cx) {
        // Nobody opens streams towards a container.
        Poll::Ready(Some(Ok(stream))) => {
            drop(stream);
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Some(Err(error))) => return Poll::Ready(Happened::Ended(ended(error))),
        Poll::Ready(None) => return Poll::Ready(Happened::Ended(Ok(()))),
        Poll::Pending => {}
    }
    if !waiting && let Poll::Ready(Some(connection)) = accepted.poll_recv(cx) {
        return Poll::Ready(Happened::Accepted(connection));
    }
    Poll::Pending
}

/// That the other side went away is how every relay ends.
fn ended(error: ConnectionError) -> io::Result<()> {
    match error {
        ConnectionError::Closed => Ok(()),
        ConnectionError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        error => Err(io::Error::other(error)),
    }
}

async fn listen(listener: TcpListener, hand: mpsc::Sender<Accepted>, room: Arc<Semaphore>) {
    let Ok(port) = listener.local_addr().map(|address| address.port()) else { return };
    while let Ok(place) = room.clone().acquire_owned().await {
        // A connection that ended before it was accepted is the only thing that fails here.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        if hand.send(Accepted(stream, port, place)).await.is_err() {
            return;
        }
    }
}

async fn carry(connection: Option<Accepted>, mut stream: Stream) {
    let Some(Accepted(mut client, port, place)) = connection else { return };
    if stream.write_all(&port.to_be_bytes()).await.is_ok() {
        splice(&mut client, &mut stream).await;
    }
    drop(place);
}

/// Copies both ways until both have ended, or one has failed.
pub async fn splice(
    one: &mut (impl AsyncRead + AsyncWrite + Unpin),
    other: &mut (impl AsyncRead + AsyncWrite + Unpin),
) {
    // A broken connection is told to the other end by closing it, which dropping does.
    let _ = tokio::io::copy_bidirectional_with_sizes(one, other, BUFFER, BUFFER).await;
}

/// The workstation's side: gives each connection with its port to `answer`, until `io` ends. Dropping the future
/// ends all of them.
pub async fn answer<S, F>(io: S, answer: impl Fn(u16, Stream) -> F) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
    F: Future<Output = ()> + Send + 'static,
{
    let mut wire = Connection::new(io.compat(), Config::default(), Mode::Server);
    let (hand, mut begun) = mpsc::channel(AT_ONCE);
    let (mut heads, mut open) = (JoinSet::new(), JoinSet::new());
    loop {
        tokio::select! {
            next = poll_fn(|cx| wire.poll_next_inbound(cx)) => match next {
                Some(Ok(stream)) => drop(heads.spawn(head(stream.compat(), hand.clone()))),
                Some(Err(error)) => return ended(error),
                None => return Ok(()),
            },
            Some((port, stream)) = begun.recv() => drop(open.spawn(answer(port, stream))),
        }
        while heads.try_join_next().is_some() || open.try_join_next().is_some() {}
    }
}

async fn head(mut stream: Stream, hand: mpsc::Sender<(u16, Stream)>) {
    if let Ok(port) = stream.read_u16().await {
        let _ = hand.send((port, stream)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    /// Answers with the port, then with what it was sent.
    async fn echo(port: u16, mut stream: Stream) {
        let mut sent = Vec::new();
        stream.read_to_end(&mut sent).await.unwrap();
        stream.write_all(format!("{port}:").as_bytes()).await.unwrap();
        stream.write_all(&sent).await.unwrap();
        stream.shutdown().await.unwrap();
    }

    async fn ask(port: u16, text: &[u8]) -> Vec<u8> {
        say(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap(), text).await
    }

    async fn say(mut client: TcpStream, text: &[u8]) -> Vec<u8> {
        client.write_all(text).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn connections_arrive_with_their_port_and_end_as_they_began() {
        let (inside, outside) = tokio::io::duplex(1 << 16);
        let ((first, one), (second, two)) = (listener().await, listener().await);
        let relayed = tokio::spawn(relay(inside, vec![first, second]));
        let answered = tokio::spawn(answer(outside, echo));
        let large = vec![b'x'; 3 << 20];
        let (a, b, c) = tokio::join!(ask(one, b"hello"), ask(two, &large), ask(one, b""));
        assert_eq!(a, format!("{one}:hello").into_bytes());
        assert_eq!(b.len(), large.len() + format!("{two}:").len());
        assert_eq!(c, format!("{one}:").into_bytes());
        answered.abort();
        relayed.await.unwrap().unwrap();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, one)).await.is_err());
    }

    #[tokio::test]
    async fn more_connections_than_fit_wait_for_their_turn() {
        let (inside, outside) = tokio::io::duplex(1 << 16);
        let (first, port) = listener().await;
        let relayed = tokio::spawn(relay(inside, vec![first]));
        let answered = tokio::spawn(answer(outside, echo));
        let mut asked = JoinSet::new();
        // No more than the kernel keeps for a listener that does not accept.
        for number in 0..AT_ONCE + 100 {
            let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
            asked.spawn(async move { (number, say(client, number.to_string().as_bytes()).await) });
        }
        while let Some(done) = asked.join_next().await {
            let (number, text) = done.unwrap();
            assert_eq!(text, format!("{port}:{number}").into_bytes());
        }
        answered.abort();
        relayed.await.unwrap().unwrap();
    }
}
