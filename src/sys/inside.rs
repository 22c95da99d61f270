//! Talks to the helper inside a container over one long-lived stream, a request at a time.

use std::collections::BTreeMap;

use altinn_inside::wire::{self, Change, Entry, Life, Numbered, Reply, Request, Set, VERSION};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use super::docker::{Docker, Session};
use crate::model::{Code, Report};

/// Where the helper lies in containers.
pub const PATH: &str = "/.altinn-local/inside";
/// Where it lies in a node, on its own volume.
pub const NODE_PATH: &str = "/var/lib/altinn-local/inside";

/// A file to be written or deleted in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Absolute, or relative to the root of a request.
    pub path: String,
    /// What it holds; none when it is to go.
    pub contents: Option<Bytes>,
}

/// What a program in a container left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// It ended with this code, and these lines of both outputs.
    Ended(i32, Vec<String>),
    /// It was cancelled.
    Cancelled,
}

/// How files were synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// Containers that hold the files now.
    pub containers: usize,
    /// How many of them were restarted in place.
    pub restarted: usize,
}

/// A file that a container gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// Relative to what was asked for.
    pub path: String,
    /// Its SHA-256 and content; none when it is gone.
    pub contents: Option<(String, Bytes)>,
}

/// A helper that answers.
#[derive(Debug)]
pub struct Inside {
    session: Session,
    container: String,
    next: u64,
    /// A request was cut off: what comes next on the stream is not known.
    broken: bool,
}

impl Inside {
    /// Starts the helper's job in a container that holds it, and makes sure that both sides speak alike.
    pub async fn open(
        docker: &Docker,
        container: &str,
        path: &str,
        job: &str,
    ) -> Result<Self, Report> {
        let session = docker.open_session(container, &[path, job]).await?;
        let container = container.to_owned();
        let mut inside = Self { session, container, next: 1, broken: false };
        match inside.ask(Request::Hello, &[]).await?.0 {
            Reply::Hello { version: VERSION } => Ok(inside),
            other => Err(inside.unexpected(&other)),
        }
    }

    /// Whether a request was cut off, so that it must be opened anew.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// In a node: these files differ in containers of an image, from now on.
    pub async fn sync(
        &mut self,
        image: &str,
        files: &[File],
        restart: bool,
    ) -> Result<Synced, Report> {
        let (entries, body) = packed(files);
        let image = image.to_owned();
        let request = Request::Sync { image, entries, restart };
        match self.ask(request, &body).await?.0 {
            Reply::Synced { containers, restarted, .. } => {
                Ok(Synced { containers: containers.len(), restarted })
            }
            other => Err(self.unexpected(&other)),
        }
    }

    /// In a node: takes the last sync that restarted programs back, and starts them anew with what was there before.
    pub async fn undo(&mut self, image: &str) -> Result<Synced, Report> {
        match self.ask(Request::Undo { image: image.to_owned() }, &[]).await?.0 {
            Reply::Synced { containers, restarted, .. } => {
                Ok(Synced { containers: containers.len(), restarted })
            }
            other => Err(self.unexpected(&other)),
        }
    }

    /// In a node: what is synced, by image.
    pub async fn sets(&mut self) -> Result<Vec<Set>, Report> {
        match self.ask(Request::Sets, &[]).await?.0 {
            Reply::Sets { sets } => Ok(sets),
            other => Err(self.unexpected(&other)),
        }
    }

    /// In a node: new containers of an image are to be as the image is; tells whether they were not.
    pub async fn forget(&mut self, image: &str) -> Result<bool, Report> {
        match self.ask(Request::Forget { image: image.to_owned() }, &[]).await?.0 {
            Reply::Sets { sets } => Ok(!sets.is_empty()),
            other => Err(self.unexpected(&other)),
        }
    }

    /// In a node: files that are synced for other images of the repository are forgotten, but for the last few.
    pub async fn keep(&mut self, repository: &str, images: &[String]) -> Result<(), Report> {
        let (repository, images) = (repository.to_owned(), images.to_vec());
        self.done(Request::Keep { images, repository }, &[]).await
    }

    /// In a node: the files that are synced for an image.
    pub async fn fetch(&mut self, image: &str) -> Result<Vec<Got>, Report> {
        self.files(Request::Fetch { image: image.to_owned() }).await
    }

    /// In a node: what runs in an image's containers.
    pub async fn lives(&mut self, image: &str) -> Result<Vec<Life>, Report> {
        match self.ask(Request::Lives { image: image.to_owned() }, &[]).await?.0 {
            Reply::Lives { containers } => Ok(containers),
            other => Err(self.unexpected(&other)),
        }
    }

    /// In a build container: writes and deletes files below a folder.
    pub async fn put(&mut self, root: &str, files: &[File]) -> Result<(), Report> {
        let (entries, body) = packed(files);
        self.done(Request::Put { root: root.to_owned(), entries }, &body).await
    }

    /// In a build container: files whose names end so and that are not as known.
    pub async fn collect(
        &mut self,
        root: &str,
        endings: &[String],
        known: &BTreeMap<String, String>,
    ) -> Result<Vec<Got>, Report> {
        let endings = endings.to_vec();
        let root = root.to_owned();
        self.files(Request::Collect { root, endings, known: known.clone() }).await
    }

    /// In a build container: one file.
    pub async fn read(&mut self, path: &str) -> Result<Bytes, Report> {
        let files = self.files(Request::Read { path: path.to_owned() }).await?;
        let contents = files.into_iter().find_map(|file| file.contents);
        contents.map(|(_, bytes)| bytes).ok_or_else(|| self.fault("it told of no file"))
    }

    /// In a build container: runs a program to its end, or until it is cancelled.
    pub async fn run(
        &mut self,
        argv: &[String],
        directory: &str,
        environment: &[(String, String)],
        cancel: &CancellationToken,
        mut on_line: impl FnMut(&str),
    ) -> Result<Ran, Report> {
        let request = Request::Run {
            argv: argv.to_vec(),
            directory: directory.to_owned(),
            environment: environment.to_vec(),
        };
        self.broken = true;
        let id = self.send(request, &[]).await?;
        let (mut lines, mut cancelled) = (Vec::new(), false);
        loop {
            let Session { input, output } = &mut self.session;
            let mut receiving = Box::pin(receive(output, id));
            let reply = tokio::select! {
                reply = &mut receiving => reply,
                // An answer is never cut in the middle: it is waited for after the cancel too.
                () = cancel.cancelled(), if !cancelled => {
                    cancelled = true;
                    self.next += 1;
                    match write(input, id + 1, Request::Cancel, &[]).await {
                        Ok(()) => (&mut receiving).await,
                        Err(error) => Err(lost(&error)),
                    }
                }
            };
            drop(receiving);
            let ran = match reply?.0 {
                Reply::Line { text, .. } => {
                    on_line(&text);
                    lines.push(text);
                    continue;
                }
                Reply::Exited { .. } if cancelled => Ok(Ran::Cancelled),
                Reply::Exited { code } => Ok(Ran::Ended(code, lines)),
                other => Err(self.unexpected(&other)),
            };
            self.broken = false;
            return ran;
        }
    }

    async fn done(&mut self, request: Request, body: &[u8]) -> Result<(), Report> {
        match self.ask(request, body).await?.0 {
            Reply::Done => Ok(()),
            other => Err(self.unexpected(&other)),
        }
    }

    async fn files(&mut self, request: Request) -> Result<Vec<Got>, Report> {
        let (reply, mut body) = self.ask(request, &[]).await?;
        let Reply::Files { files } = reply else { return Err(self.unexpected(&reply)) };
        let mut got = Vec::new();
        for file in files {
            let len = usize::try_from(file.len).unwrap_or(usize::MAX);
            if len > body.len() {
                return Err(self.fault("an answer's body is too short"));
            }
            let bytes = body.split_to(len);
            let contents = file.digest.map(|digest| (digest, bytes));
            got.push(Got { path: file.path, contents });
        }
        Ok(got)
    }

    async fn ask(&mut self, request: Request, body: &[u8]) -> Result<(Reply, Bytes), Report> {
        self.broken = true;
        let id = self.send(request, body).await?;
        let answer = receive(&mut self.session.output, id).await?;
        self.broken = false;
        Ok(answer)
    }

    async fn send(&mut self, request: Request, body: &[u8]) -> Result<u64, Report> {
        let id = self.next;
        self.next += 1;
        write(&mut self.session.input, id, request, body).await.map_err(|error| lost(&error))?;
        Ok(id)
    }

    fn fault(&self, why: &str) -> Report {
        Report::new(Code::HelperFailed, format!("the helper in `{}` failed", self.container))
            .why(why)
    }

    fn unexpected(&self, reply: &Reply) -> Report {
        match reply {
            Reply::Failed { message } => self.fault(message),
            Reply::Hello { version } => {
                self.fault(&format!("it speaks version {version}, this program {VERSION}"))
            }
            _ => self.fault("it answered something else than was asked"),
        }
    }
}

fn packed(files: &[File]) -> (Vec<Entry>, Vec<u8>) {
    let mut body = Vec::new();
    let entry = |file: &File| {
        let change = match &file.contents {
            Some(bytes) => {
                body.extend_from_slice(bytes);
                Change::Write { len: bytes.len() as u64, executable: false }
            }
            None => Change::Delete,
        };
        Entry { path: file.path.clone(), change }
    };
    (files.iter().map(entry).collect(), body)
}

async fn receive(
    output: &mut (impl tokio::io::AsyncRead + Unpin),
    id: u64,
) -> Result<(Reply, Bytes), Report> {
    loop {
        let (reply, body) = frame(output).await.map_err(|error| lost(&error))?;
        if reply.id == id {
            return Ok((reply.body, body));
        }
    }
}

async fn frame(
    output: &mut (impl tokio::io::AsyncRead + Unpin),
) -> std::io::Result<(Numbered<Reply>, Bytes)> {
    let mut prefix = [0; 8];
    output.read_exact(&mut prefix).await?;
    let (head, len) = wire::lengths(prefix)?;
    let mut header = vec![0; head];
    output.read_exact(&mut header).await?;
    let mut body = vec![0; len];
    output.read_exact(&mut body).await?;
    Ok((serde_json::from_slice(&header)?, body.into()))
}

async fn write(
    input: &mut (impl tokio::io::AsyncWrite + Unpin),
    id: u64,
    request: Request,
    body: &[u8],
) -> std::io::Result<()> {
    let mut frame = wire::encode(&Numbered { id, body: request }, body.len())?;
    frame.extend_from_slice(body);
    input.write_all(&frame).await?;
    input.flush().await
}

fn lost(error: &std::io::Error) -> Report {
    Report::new(Code::HelperFailed, "the helper inside a container ended").why(error.to_string())
}
