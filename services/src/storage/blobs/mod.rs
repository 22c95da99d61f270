//! The bytes of data elements: in Azure Blob storage (also Azurite), or in plain files. Never whole in memory.
//!
//! A blob is written to its end before it is seen, so a reader gets the old bytes or the new ones, never a mixture.

mod azure;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use ring::digest::{Context, Digest, SHA256};

use crate::kit::fault::Fault;
use azure::Azure;

/// The size of the pieces in which large blobs are written.
const PIECE: usize = 4 * 1024 * 1024;
/// Pieces under way at once.
const UNDER_WAY: usize = 2;
/// A store that takes longer for one piece does not answer.
const TIME: Duration = Duration::from_secs(30);

/// Where blobs are.
pub struct Blobs(Place);

enum Place {
    Files { folder: PathBuf, store: Arc<dyn ObjectStore> },
    Azure(Azure),
}

/// A blob being read.
pub struct Blob {
    /// Its length in bytes.
    pub size: u64,
    /// Its bytes.
    pub bytes: BoxStream<'static, Result<Bytes, Error>>,
}

/// A blob being written.
pub struct Upload {
    store: Arc<dyn ObjectStore>,
    path: Path,
    pieces: Option<WriteMultipart>,
    buffer: BytesMut,
    digest: Context,
    size: u64,
}

impl Blobs {
    /// `file:FOLDER`, or `azure:CONNECTION` with a connection string as Azure's tools write it. `environment` becomes
    /// part of the containers' names.
    pub fn new(place: &str, environment: &str) -> Result<Self, String> {
        match place.split_once(':') {
            Some(("file", folder)) => {
                std::fs::create_dir_all(folder).map_err(|error| format!("{folder}: {error}"))?;
                let store = LocalFileSystem::new_with_prefix(folder).map_err(|e| e.to_string())?;
                Ok(Self(Place::Files { folder: folder.into(), store: Arc::new(store) }))
            }
            Some(("azure", connection)) => {
                Azure::new(connection, environment).map(Place::Azure).map(Self)
            }
            _ => Err("blobs are at `file:FOLDER` or `azure:CONNECTION`".to_owned()),
        }
    }

    /// Whether the store answers.
    pub async fn answers(&self) -> Result<(), String> {
        match &self.0 {
            Place::Files { folder, .. } => {
                tokio::fs::metadata(folder).await.map(drop).map_err(|error| error.to_string())
            }
            Place::Azure(azure) => azure.answers().await,
        }
    }

    async fn store(&self, org: &str) -> Result<Arc<dyn ObjectStore>, Fault> {
        match &self.0 {
            Place::Files { store, .. } => Ok(store.clone()),
            Place::Azure(azure) => azure.container(org).await,
        }
    }

    /// Begins to write a blob of an organisation.
    pub async fn write(&self, org: &str, path: &str) -> Result<Upload, Fault> {
        Ok(Upload {
            store: self.store(org).await?,
            path: name(path)?,
            pieces: None,
            buffer: BytesMut::new(),
            digest: Context::new(&SHA256),
            size: 0,
        })
    }

    /// Begins to read a blob; `None` when there is none.
    pub async fn read(&self, org: &str, path: &str) -> Result<Option<Blob>, Fault> {
        let (store, path) = (self.store(org).await?, name(path)?);
        match within(store.get(&path)).await? {
            Ok(found) => Ok(Some(Blob { size: found.meta.size, bytes: found.into_stream() })),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(lost(error)),
        }
    }

    /// Removes a blob; one that is not there is no fault.
    pub async fn remove(&self, org: &str, path: &str) -> Result<(), Fault> {
        let (store, path) = (self.store(org).await?, name(path)?);
        match within(store.delete(&path)).await? {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(lost(error)),
        }
    }
}

impl Upload {
    /// Bytes so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes more bytes.
    pub async fn push(&mut self, bytes: &Bytes) -> Result<(), Fault> {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        if let Some(pieces) = &mut self.pieces {
            within(pieces.wait_for_capacity(UNDER_WAY)).await?.map_err(lost)?;
            pieces.write(bytes);
            return Ok(());
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() > PIECE {
            let upload = within(self.store.put_multipart(&self.path)).await?.map_err(lost)?;
            let mut pieces = WriteMultipart::new_with_chunk_size(upload, PIECE);
            pieces.write(&self.buffer);
            self.buffer = BytesMut::new();
            self.pieces = Some(pieces);
        }
        Ok(())
    }

    /// Makes the bytes the blob's, and tells how many they are and their SHA-256.
    pub async fn finish(self) -> Result<(u64, Digest), Fault> {
        let done = if let Some(pieces) = self.pieces {
            within(pieces.finish()).await?
        } else {
            let whole = PutPayload::from(self.buffer.freeze());
            within(self.store.put(&self.path, whole)).await?
        };
        done.map_err(lost)?;
        Ok((self.size, self.digest.finish()))
    }

    /// Gives up: what was sent goes away.
    pub async fn abandon(self) {
        if let Some(pieces) = self.pieces
            && let Err(error) = pieces.abort().await
        {
            tracing::debug!(%error, "pieces of an upload stay behind");
        }
    }
}

fn name(path: &str) -> Result<Path, Fault> {
    Path::parse(path).map_err(Fault::internal)
}

async fn within<T>(work: impl Future<Output = T>) -> Result<T, Fault> {
    tokio::time::timeout(TIME, work).await.map_err(|_| lost("no answer in time"))
}

fn lost(error: impl std::fmt::Display) -> Fault {
    Fault::unavailable("The blob store", error)
}
