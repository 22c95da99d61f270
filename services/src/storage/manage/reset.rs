//! Removes instances, page by page: what is cut off in the middle is finished by the next one.

use futures_util::{StreamExt, stream};

use crate::kit::fault::Fault;
use crate::kit::management::scope::Scope;
use crate::storage::Storage;
use crate::storage::metadata::{Tally, guid_of};

/// Instances that are removed at once.
const PAGE: i64 = 100;
/// Bytes that are removed side by side.
const AT_ONCE: usize = 8;

impl Storage {
    /// Removes the instances of a scope with their files and history, and tells what went.
    pub(super) async fn forget(&self, scope: &Scope) -> Result<Tally, Fault> {
        let mut gone = self.0.metadata.tally(scope).await?;
        (gone.applications, gone.texts) = (0, 0);
        if *scope == Scope::All {
            self.0.metadata.forget_untold().await?;
        }
        loop {
            let page = self.0.metadata.page(scope, 0, PAGE).await?;
            if page.is_empty() {
                return Ok(gone);
            }
            let mut ids = Vec::new();
            let mut files = Vec::new();
            for (number, whole) in page {
                ids.push((number, guid_of(&whole.instance)?));
                let org = whole.instance.org.unwrap_or_default();
                let paths = whole.elements.into_iter().filter_map(|file| file.blob_storage_path);
                files.extend(paths.map(|path| (org.clone(), path)));
            }
            self.0.metadata.forget(&ids).await?;
            stream::iter(files)
                .for_each_concurrent(AT_ONCE, |(org, path)| async move {
                    // The documents are gone already; bytes that stay behind only take up room.
                    let _ = self.0.blobs.remove(&org, &path).await;
                })
                .await;
        }
    }
}
