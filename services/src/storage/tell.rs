//! Tells Events what happens to instances, when Storage is asked to. In production the apps tell it themselves
//! (`platform-api.md` §6.1), so this is off unless Events is named.
//!
//! What is to be told is written with the change itself and sent afterwards until Events takes it: nothing that was
//! acknowledged is lost, and after a crash an event may be told twice.

use std::time::Duration;

use axum::http::Method;
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Storage;
use super::model::Instance;
use crate::kit::fault::Fault;
use crate::kit::origin::Origin;
use crate::kit::peer::Peer;

/// Where apps publish.
const PUBLISH: &str = "/events/api/v1/app";
/// How long Events is left alone after it did not answer.
const PAUSE: Duration = Duration::from_secs(2);

/// What is told to whom.
pub(super) struct Teller {
    events: Peer,
    written: Notify,
}

impl Teller {
    pub(super) fn new(events: Peer) -> Self {
        Self { events, written: Notify::new() }
    }
}

impl Storage {
    /// The event of this type for the outbox; nothing when Storage is not to tell.
    pub(crate) fn to_tell(
        &self,
        kind: &str,
        instance: &Instance,
        origin: &Origin,
    ) -> Option<Value> {
        self.0.teller.as_ref()?;
        let owner = &instance.instance_owner;
        let (app, id) = (instance.app_id.as_deref()?, instance.id.as_deref()?);
        let alternative = match (&owner.person_number, &owner.organisation_number) {
            (Some(person), _) => Some(format!("/person/{person}")),
            (None, Some(org)) => Some(format!("/org/{org}")),
            (None, None) => None,
        };
        Some(json!({
            "specversion": "1.0",
            "type": kind,
            "source": origin.url(&format!("/{app}/instances/{id}")),
            "subject": format!("/party/{}", owner.party_id.as_deref()?),
            "alternativesubject": alternative,
        }))
    }

    /// Something was written to the outbox.
    pub(crate) fn written(&self) {
        if let Some(teller) = &self.0.teller {
            teller.written.notify_one();
        }
    }

    /// Tells Events until `closing`. Run it beside the service.
    pub async fn tell(self, closing: CancellationToken) {
        let Some(teller) = &self.0.teller else { return };
        loop {
            let pause = match self.tell_all(&teller.events).await {
                Ok(()) => Duration::from_mins(1),
                Err(fault) => {
                    tracing::debug!(status = %fault.status(), "Events is told later");
                    PAUSE
                }
            };
            tokio::select! {
                () = closing.cancelled() => return,
                () = teller.written.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn tell_all(&self, events: &Peer) -> Result<(), Fault> {
        loop {
            let page = self.0.metadata.to_tell().await?;
            if page.is_empty() {
                return Ok(());
            }
            for (number, event) in page {
                let mut headers = HeaderMap::new();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                let body = Bytes::from(event.to_string());
                let reply = events.ask(Method::POST, PUBLISH, headers, body).await?;
                if reply.status.is_server_error() || reply.status.as_u16() == 429 {
                    return Err(Fault::unavailable("Events", reply.status));
                }
                if !reply.status.is_success() {
                    tracing::warn!(status = %reply.status, %event, "Events refuses an event");
                }
                self.0.metadata.was_told(number).await?;
            }
        }
    }
}
