//! Takes an archive in. Documents go into one transaction; bytes that were written are removed again when it fails.
//! Nothing that is kept is replaced, so that an import that fails leaves everything as it was.

use std::collections::HashMap;

use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::Stream;
use serde_json::Value;
use uuid::Uuid;

use super::{Line, NAME};
use crate::kit::fault::Fault;
use crate::kit::management::archive::{self, Entry, Lines, Reader, malformed};
use crate::storage::Storage;
use crate::storage::access::app;
use crate::storage::api::path;
use crate::storage::metadata::{Import, Tally, Whole};
use crate::storage::model::{DataElement, Instance, InstanceEvent};

/// An import under way.
struct Taking<'a> {
    storage: &'a Storage,
    import: Import<'a>,
    tally: Tally,
    /// Elements of the batch whose bytes are still to come: their organisation and path.
    awaited: HashMap<Uuid, (String, String)>,
    written: Vec<(String, String)>,
}

impl Storage {
    pub(super) async fn take<S, E>(&self, bytes: S) -> Result<Value, Fault>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::error::Error + 'static,
    {
        let mut reader = archive::open(NAME, bytes).await?;
        let mut taking = Taking {
            storage: self,
            import: self.0.metadata.import().await?,
            tally: Tally::default(),
            awaited: HashMap::new(),
            written: Vec::new(),
        };
        let done = taking.all(&mut reader).await;
        let Taking { import, tally, written, .. } = taking;
        let done = match done {
            Ok(count) => import.commit().await.map(|()| count),
            Err(fault) => {
                // Others may write again before the bytes are gone.
                drop(import);
                Err(fault)
            }
        };
        match done {
            Ok(count) => {
                let kept = serde_json::to_value(tally).map_err(Fault::internal)?;
                Ok(archive::taken(count, &kept))
            }
            Err(fault) => {
                for (org, path) in written {
                    // Nobody knows them; when they stay behind after all, they only take up room.
                    let _ = self.0.blobs.remove(&org, &path).await;
                }
                Err(fault)
            }
        }
    }
}

impl Taking<'_> {
    async fn all<S, E>(&mut self, reader: &mut Reader<S>) -> Result<archive::Count, Fault>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::error::Error + 'static,
    {
        loop {
            match reader.next().await? {
                Entry::Documents(lines) => {
                    self.complete("the next batch")?;
                    self.documents(&lines).await?;
                }
                Entry::Blob(id) => self.blob(id, reader).await?,
                Entry::Missing(id) => drop(self.expected(id)?),
                Entry::End(count) => {
                    self.complete("the end")?;
                    return Ok(count);
                }
            }
        }
    }

    /// All bytes of a batch came before the next one.
    fn complete(&self, place: &str) -> Result<(), Fault> {
        match self.awaited.keys().next() {
            Some(id) => Err(malformed(place, &format!("the bytes of element {id} did not come"))),
            None => Ok(()),
        }
    }

    fn expected(&mut self, id: Uuid) -> Result<(String, String), Fault> {
        self.awaited
            .remove(&id)
            .ok_or_else(|| malformed(&format!("blobs/{id}"), "no element of the batch has this id"))
    }

    async fn blob<S, E>(&mut self, id: Uuid, reader: &mut Reader<S>) -> Result<(), Fault>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::error::Error + 'static,
    {
        let (org, path) = self.expected(id)?;
        let mut upload = self.storage.0.blobs.write(&org, &path).await?;
        loop {
            let pushed = match reader.piece().await {
                Ok(None) => break,
                Ok(Some(piece)) => upload.push(&piece).await,
                Err(fault) => Err(fault),
            };
            if let Err(fault) = pushed {
                upload.abandon().await;
                return Err(fault);
            }
        }
        self.written.push((org, path));
        upload.finish().await.map(drop)
    }

    async fn documents(&mut self, lines: &Lines) -> Result<(), Fault> {
        for line in lines.read::<Line>() {
            let (place, line) = line?;
            match line {
                Line::Application { id, document } => {
                    if document.get("id").and_then(Value::as_str) != Some(&id.to_string()) {
                        return Err(malformed(&place, "the application has another id"));
                    }
                    self.tally.applications += 1;
                    self.import.application(&id, &document).await?;
                }
                Line::Texts { id, language, document } => {
                    let plain = language.bytes().all(|byte| byte.is_ascii_lowercase());
                    if language.len() != 2 || !plain {
                        return Err(malformed(&place, "the language is not two letters"));
                    }
                    self.tally.texts += 1;
                    self.import.texts(&id, &language, &document).await?;
                }
                Line::Instance { instance, elements, lock, events } => {
                    let whole = Whole { instance: *instance, elements, lock };
                    self.instance(&place, whole, &events).await?;
                }
            }
        }
        Ok(())
    }

    async fn instance(
        &mut self,
        place: &str,
        mut whole: Whole,
        events: &[InstanceEvent],
    ) -> Result<(), Fault> {
        let wrong = |what: String| malformed(place, &what);
        check(&whole.instance).map_err(wrong)?;
        whole.instance.data = None;
        let org = whole.instance.org.clone().unwrap_or_default();
        for element in &mut whole.elements {
            let id = check_element(element, &whole.instance).map_err(wrong)?;
            // Never what the archive says: it could be the bytes of somebody else.
            let path = path(&whole.instance, id)?;
            element.blob_storage_path = Some(path.clone());
            if self.awaited.insert(id, (org.clone(), path)).is_some() {
                return Err(wrong(format!("element {id} is there twice")));
            }
        }
        if let Some(event) = events.iter().find(|event| !is_guid(event.id.as_deref())) {
            return Err(wrong(format!("an event has no guid for an id: {:?}", event.id)));
        }
        self.tally.instances += 1;
        self.tally.files += i64::try_from(whole.elements.len()).unwrap_or_default();
        self.tally.events += i64::try_from(events.len()).unwrap_or_default();
        if self.import.instance(&whole, events).await? {
            return Ok(());
        }
        let id = whole.instance.id.unwrap_or_default();
        let text = format!("{place}: instance {id}, or a part of it, is there already");
        Err(Fault::problem(StatusCode::CONFLICT, text))
    }
}

fn is_guid(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.parse::<Uuid>().is_ok())
}

fn check(instance: &Instance) -> Result<(), String> {
    let id = instance.id.as_deref().unwrap_or_default();
    let (party, guid) = id.split_once('/').unwrap_or_default();
    if party.parse().ok() != instance.party() || instance.party().is_none() || !is_guid(Some(guid))
    {
        return Err(format!("`{id}` is not the id of an instance of its owner"));
    }
    let id = app(instance).map_err(|_| "the instance has no app".to_owned())?;
    if instance.org.as_deref() != Some(id.org()) {
        return Err(format!("the organisation is not that of {id}"));
    }
    Ok(())
}

fn check_element(element: &DataElement, instance: &Instance) -> Result<Uuid, String> {
    let id = element.id.parse().map_err(|_| format!("`{}` is no id of an element", element.id))?;
    if Some(element.instance_guid.as_str()) != instance.guid() {
        return Err(format!("element {id} belongs to another instance"));
    }
    Ok(id)
}
