//! The whole server over real sockets, with an engine that only answers.

mod devops;
mod malformed;
mod security;
mod session;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::engine::{Command, Snapshot};
use crate::events::{EventKind, Journal};
use crate::pipeline::Pipeline;

/// A server on a free port, and what a test needs of it.
struct Served {
    port: u16,
    token: String,
    journal: Journal,
    closing: CancellationToken,
}

/// Answers each command with a run that ends at once.
fn engine(journal: &Journal) -> EngineHandle {
    let (publish, snapshot) =
        watch::channel(Arc::new(Snapshot::stopped("default".parse().unwrap())));
    let folder = tempfile::tempdir().unwrap();
    let pipeline = Pipeline::open(folder.path().to_owned()).unwrap();
    let (handle, mut heard) = EngineHandle::new(journal.clone(), snapshot, pipeline);
    let journal = journal.clone();
    tokio::spawn(async move {
        let _kept = (publish, folder);
        let mut run = 0;
        while let Some(command) = heard.recv().await {
            run += 1;
            let (name, reply) = match command {
                Command::Up { reply, .. } => ("up", reply),
                Command::Down { reply, .. } => ("down", reply),
                Command::Deploy { reply, .. } => ("deploy", reply),
                Command::Running { .. } | Command::Stop => continue,
            };
            journal.emit(EventKind::RunStarted { run, command: name.to_owned() });
            let _ = reply.send(Ok(run));
        }
    });
    handle
}

fn keys() -> Keys {
    Keys { token: "pipeline-token".to_owned(), hook: "hook-secret".to_owned() }
}

async fn served() -> Served {
    served_as(Face::Tcp).await
}

/// The same with the rules of another face.
async fn served_as(face: impl FnOnce(u16) -> Face) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (journal, closing) = (Journal::default(), CancellationToken::new());
    let token = Token::random().unwrap();
    let text = token.reveal().to_owned();
    let shared = Shared::new(
        engine(&journal),
        "default".parse().unwrap(),
        "",
        token,
        keys(),
        closing.clone(),
    );
    tokio::spawn(serve(listener, app(shared, face(port)), closing.clone()));
    Served { port, token: text, journal, closing }
}

impl Served {
    /// Sends these bytes; the status and the whole answer until the connection ends or says no more.
    async fn raw(&self, bytes: &[u8]) -> (Option<u16>, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        // A server that has refused already may have closed; then there is still an answer to read.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        // Streams never end; their head is enough.
        while let Ok(Ok(read @ 1..)) =
            tokio::time::timeout(Duration::from_millis(250), stream.read(&mut buffer)).await
        {
            answer.extend_from_slice(&buffer[..read]);
            if head_is_whole(&answer) && !is_status(&answer, "200") {
                break;
            }
        }
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status, text)
    }

    /// A request with these headers, `Connection: close` and a body.
    async fn request(&self, line: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        use std::fmt::Write as _;
        let mut text = format!("{line} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        write!(text, "content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let (status, answer) = self.raw(text.as_bytes()).await;
        (status.unwrap_or_else(|| panic!("no answer to {line} {headers:?}")), answer)
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

fn head_is_whole(answer: &[u8]) -> bool {
    answer.windows(4).any(|window| window == b"\r\n\r\n")
}

fn is_status(answer: &[u8], status: &str) -> bool {
    answer.get(9..12) == Some(status.as_bytes())
}
