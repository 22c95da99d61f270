//! Gives away what is kept, page by page.

use super::Line;
use crate::kit::fault::Fault;
use crate::kit::management::archive::Writer;
use crate::kit::management::scope::Scope;
use crate::kit::name::AppId;
use crate::storage::Storage;
use crate::storage::metadata::{Whole, guid_of};
use crate::storage::model::DataElement;

/// Instances that are read at once.
const PAGE: i64 = 50;

impl Storage {
    /// Writes everything of a scope. Each instance is whole in itself; what changes meanwhile is there as it was before
    /// or after.
    pub(super) async fn give(self, scope: Scope, mut writer: Writer) -> Result<Writer, Fault> {
        for document in self.0.metadata.all_applications(&scope).await? {
            let id = document.get("id").and_then(|id| id.as_str()).unwrap_or_default();
            let id: AppId = id.parse().map_err(Fault::internal)?;
            if writer.document(&Line::Application { id, document })? {
                writer.flush().await?;
            }
        }
        for (id, language, document) in self.0.metadata.all_texts(&scope).await? {
            if writer.document(&Line::Texts { id, language, document })? {
                writer.flush().await?;
            }
        }
        let mut after = 0;
        loop {
            let page = self.0.metadata.page(&scope, after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(writer) };
            after = *last;
            let mut files = Vec::new();
            for (_, whole) in page {
                if self.give_instance(whole, &mut files, &mut writer).await? {
                    self.give_files(&mut files, &mut writer).await?;
                }
            }
            self.give_files(&mut files, &mut writer).await?;
        }
    }

    async fn give_instance(
        &self,
        whole: Whole,
        files: &mut Vec<(String, DataElement)>,
        writer: &mut Writer,
    ) -> Result<bool, Fault> {
        let events = self.0.metadata.events(guid_of(&whole.instance)?, &[], None).await?;
        let org = whole.instance.org.clone().unwrap_or_default();
        files.extend(whole.elements.iter().map(|element| (org.clone(), element.clone())));
        writer.document(&Line::Instance {
            instance: Box::new(whole.instance),
            elements: whole.elements,
            lock: whole.lock,
            events,
        })
    }

    async fn give_files(
        &self,
        files: &mut Vec<(String, DataElement)>,
        writer: &mut Writer,
    ) -> Result<(), Fault> {
        writer.flush().await?;
        for (org, element) in files.drain(..) {
            let path = element.blob_storage_path.as_deref().unwrap_or_default();
            let blob = match path {
                "" => None,
                path => self.0.blobs.read(&org, path).await?,
            };
            let blob = blob.map(|blob| (blob.size, blob.bytes));
            writer.blob(&element.id, blob).await?;
        }
        Ok(())
    }
}
