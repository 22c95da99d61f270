//! The form in which a service gives its data away and takes them back: `altinn-local/data/1`.
//!
//! A plain tar, written and read as a stream. Its entries, in this order:
//!
//! | Entry | What it holds |
//! |---|---|
//! | `altinn-local.json` | the head: format, service, scope, time |
//! | `documents/000001.ndjson` | documents, one JSON object a line, as many as fit a batch |
//! | `blobs/{id}` | the bytes of an element of the batch before |
//! | `missing/{id}` | instead of it, empty: the service has no bytes for that element |
//! | … | further batches |
//! | `end.json` | how many documents and blobs there were, so that a part is never taken for the whole |

use axum::body::Body;
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::scope::Scope;
use super::stream::{self, Sink};
use crate::kit::body::broken;
use crate::kit::date::Date;
use crate::kit::fault::Fault;

/// Its name, with the version.
pub const FORMAT: &str = "altinn-local/data/1";
/// The content type of its body.
pub const KIND: &str = "application/x-tar";

/// Tar's unit.
const BLOCK: usize = 512;
/// A batch of documents is sent when it is longer than this.
pub const BATCH: usize = 1024 * 1024;
/// No batch may be longer; one document is always whole.
const LONGEST: u64 = 256 * 1024 * 1024;
const HEAD: &str = "altinn-local.json";
const END: &str = "end.json";

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: String,
    service: String,
    #[serde(default)]
    scope: Option<String>,
}

/// What was given or taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Lines.
    pub documents: u64,
    /// Blobs, without the missing.
    pub blobs: u64,
}

/// An archive being written.
pub struct Writer {
    sink: Sink,
    lines: String,
    batches: u32,
    count: Count,
}

/// A body that is the archive which `work` fills; head and end are added.
pub fn body<F>(
    service: &'static str,
    scope: &Scope,
    work: impl FnOnce(Writer) -> F + Send + 'static,
) -> Body
where
    F: Future<Output = Result<Writer, Fault>> + Send + 'static,
{
    let head = json!({
        "format": FORMAT, "service": service, "scope": scope.name(), "made": Date::now(),
        "by": env!("CARGO_PKG_VERSION"),
    });
    stream::body(move |sink| async move {
        let writer = Writer { sink, lines: String::new(), batches: 0, count: Count::default() };
        writer.whole(HEAD, head.to_string()).await?;
        let mut writer = work(writer).await?;
        writer.flush().await?;
        writer.whole(END, json!(writer.count).to_string()).await?;
        writer.sink.send(vec![0; 2 * BLOCK]).await
    })
}

impl Writer {
    /// Adds a document to the batch, and tells whether the batch is full.
    pub fn document<T: Serialize>(&mut self, document: &T) -> Result<bool, Fault> {
        self.lines.push_str(&serde_json::to_string(document).map_err(Fault::internal)?);
        self.lines.push('\n');
        self.count.documents += 1;
        Ok(self.lines.len() >= BATCH)
    }

    /// Sends the batch, if there is one.
    pub async fn flush(&mut self) -> Result<(), Fault> {
        if self.lines.is_empty() {
            return Ok(());
        }
        self.batches += 1;
        let name = format!("documents/{:06}.ndjson", self.batches);
        let lines = std::mem::take(&mut self.lines);
        self.whole(&name, lines).await
    }

    /// Sends the bytes of an element, or that there are none.
    pub async fn blob<E: std::fmt::Display>(
        &mut self,
        id: &str,
        blob: Option<(u64, impl Stream<Item = Result<Bytes, E>> + Unpin)>,
    ) -> Result<(), Fault> {
        let Some((size, mut bytes)) = blob else {
            return self.whole(&format!("missing/{id}"), "").await;
        };
        self.count.blobs += 1;
        self.sink.send(header(&format!("blobs/{id}"), size)?).await?;
        let mut sent = 0;
        while let Some(piece) = bytes.next().await {
            let piece = piece.map_err(|error| Fault::unavailable("The blob store", error))?;
            sent += piece.len() as u64;
            self.sink.send(piece).await?;
        }
        if sent != size {
            return Err(Fault::internal(format!("{sent} bytes of {size} of blob {id}")));
        }
        self.sink.send(vec![0; padding(size)]).await
    }

    async fn whole(&self, name: &str, text: impl Into<String>) -> Result<(), Fault> {
        let text = text.into();
        let mut bytes = header(name, text.len() as u64)?;
        let padding = padding(text.len() as u64);
        bytes.extend_from_slice(text.as_bytes());
        bytes.resize(bytes.len() + padding, 0);
        self.sink.send(bytes).await
    }
}

fn header(name: &str, size: u64) -> Result<Vec<u8>, Fault> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).map_err(Fault::internal)?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    Ok(header.as_bytes().to_vec())
}

fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}

/// An archive being read.
pub struct Reader<S> {
    bytes: S,
    buffer: BytesMut,
    /// Bytes of the entry that were not given out yet, and its padding.
    left: u64,
    padding: usize,
    count: Count,
    name: String,
}

/// What comes next in an archive.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// A batch of documents.
    Documents(Lines),
    /// The bytes of an element; [`Reader::piece`] gives them.
    Blob(Uuid),
    /// An element without bytes.
    Missing(Uuid),
    /// All was read.
    End(Count),
}

/// A batch of documents, and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Lines {
    name: String,
    bytes: Bytes,
}

impl Lines {
    /// The documents with their places.
    pub fn read<T: serde::de::DeserializeOwned>(
        &self,
    ) -> impl Iterator<Item = Result<(String, T), Fault>> {
        let lines = self.bytes.split(|byte| *byte == b'\n').enumerate();
        lines.filter(|(_, line)| !line.is_empty()).map(|(number, line)| {
            let place = format!("{}, line {}", self.name, number + 1);
            match serde_json::from_slice(line) {
                Ok(document) => Ok((place, document)),
                Err(error) => Err(malformed(&place, &error.to_string())),
            }
        })
    }
}

/// The refusal of an archive: where, and what is wrong there.
#[must_use]
pub fn malformed(place: &str, what: &str) -> Fault {
    Fault::problem(StatusCode::BAD_REQUEST, format!("{place}: {what}"))
}

/// Begins to read an archive of this service.
pub async fn open<S, E>(service: &str, bytes: S) -> Result<Reader<S>, Fault>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::error::Error + 'static,
{
    let mut reader = Reader {
        bytes,
        buffer: BytesMut::new(),
        left: 0,
        padding: 0,
        count: Count::default(),
        name: String::new(),
    };
    let (name, size) = reader.header().await?;
    if name != HEAD {
        return Err(malformed(&name, "an archive begins with `altinn-local.json`"));
    }
    let head = reader.bounded(size).await?;
    let head: Head =
        serde_json::from_slice(&head).map_err(|error| malformed(HEAD, &error.to_string()))?;
    if head.format != FORMAT {
        let what = format!("the format is `{}`, this service reads `{FORMAT}`", head.format);
        return Err(malformed(HEAD, &what));
    }
    if head.service != service {
        let what = format!("the data are those of `{}`, not of `{service}`", head.service);
        return Err(malformed(HEAD, &what));
    }
    Ok(reader)
}

/// Reads what is left of a body that was refused: routers in front take a connection that closes in the middle for a
/// service that is gone, and never tell the reason.
pub async fn drain<S, E>(bytes: &mut S)
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    while let Some(Ok(_)) = bytes.next().await {}
}

impl<S, E> Reader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::error::Error + 'static,
{
    /// The next entry. What was not read of the one before is passed over.
    pub async fn next(&mut self) -> Result<Entry, Fault> {
        while self.piece().await?.is_some() {}
        let (name, size) = self.header().await?;
        let id = |text: &str| {
            text.parse::<Uuid>().map_err(|_| malformed(&name, "the name of an entry is no guid"))
        };
        if let Some(text) = name.strip_prefix("blobs/") {
            let id = id(text)?;
            self.left = size;
            self.padding = padding(size);
            self.count.blobs += 1;
            return Ok(Entry::Blob(id));
        }
        if let Some(text) = name.strip_prefix("missing/") {
            let id = id(text)?;
            return if size == 0 { Ok(Entry::Missing(id)) } else { Err(self.wrong("not empty")) };
        }
        if name == END {
            return self.end(size).await;
        }
        let batch = name.starts_with("documents/") && name.ends_with(".ndjson");
        if !batch {
            return Err(malformed(&name, "no such entry belongs here"));
        }
        let bytes = self.bounded(size).await?;
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        self.count.documents += lines as u64;
        Ok(Entry::Documents(Lines { name, bytes }))
    }

    /// The next bytes of a blob.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.left == 0 {
            let padding = std::mem::take(&mut self.padding);
            self.take(padding).await?;
            return Ok(None);
        }
        if self.buffer.is_empty() {
            self.more().await?;
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.buffer.len());
        let piece = self.buffer.split_to(most).freeze();
        self.left -= piece.len() as u64;
        Ok(Some(piece))
    }

    async fn end(&mut self, size: u64) -> Result<Entry, Fault> {
        let told: Count = serde_json::from_slice(&self.bounded(size).await?)
            .map_err(|error| malformed(END, &error.to_string()))?;
        if told != self.count {
            let what = format!(
                "it tells of {} documents and {} blobs, but {} and {} were there",
                told.documents, told.blobs, self.count.documents, self.count.blobs
            );
            return Err(malformed(END, &what));
        }
        Ok(Entry::End(told))
    }

    async fn header(&mut self) -> Result<(String, u64), Fault> {
        let bytes = self.take(BLOCK).await?;
        let header = tar::Header::from_byte_slice(&bytes);
        let sum: u32 = bytes
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
            .sum();
        if header.cksum().ok() != Some(sum) {
            let place = if self.name.is_empty() { "the beginning" } else { &self.name };
            return Err(malformed(place, "what follows is no entry of a tar"));
        }
        let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
        self.name.clone_from(&name);
        if !header.entry_type().is_file() {
            return Err(malformed(&name, "only plain files belong here"));
        }
        let size = header.size().map_err(|error| malformed(&name, &error.to_string()))?;
        Ok((name, size))
    }

    fn wrong(&self, what: &str) -> Fault {
        malformed(&self.name, what)
    }

    async fn bounded(&mut self, size: u64) -> Result<Bytes, Fault> {
        let length = usize::try_from(size).ok().filter(|_| size <= LONGEST);
        let length = length.ok_or_else(|| self.wrong("it is too long"))?;
        let bytes = self.take(length).await?;
        self.take(padding(size)).await?;
        Ok(bytes)
    }

    async fn take(&mut self, length: usize) -> Result<Bytes, Fault> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    async fn more(&mut self) -> Result<(), Fault> {
        match self.bytes.next().await {
            Some(Ok(piece)) => self.buffer.extend_from_slice(&piece),
            Some(Err(error)) => return Err(broken(&error)),
            None if self.name.is_empty() => return Err(malformed("the archive", "it is empty")),
            None => return Err(self.wrong("the archive breaks off here")),
        }
        Ok(())
    }
}

/// The answer to an import.
#[must_use]
pub fn taken(count: Count, more: &Value) -> Value {
    json!({ "documents": count.documents, "blobs": count.blobs, "kept": more })
}
