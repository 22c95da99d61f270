//! Events: publish, read, subscribe, deliver (`platform-api.md` §6).
//!
//! What is published is kept together with what is to be pushed because of it, in one transaction; a worker pushes
//! until it is taken or given up.

mod cloud;
mod deliver;
mod manage;
mod publish;
mod read;
mod store;
mod subscriptions;

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::FromRef;
use tokio::sync::Notify;

use crate::kit::api::{Api, Endpoint, Service};
use crate::kit::fault::Fault;
use crate::kit::management::Key;
use crate::kit::pdp::{Pdp, Subject};
use crate::kit::peer::Peer;
use crate::kit::token::{AccessTokens, Claims, Verifier};
use cloud::CloudEvent;
use store::Store;
use subscriptions::{Subscription, Subscriptions, Wanted};

/// What the service needs to be told.
pub struct Settings {
    /// `postgres://…` or `sqlite:FILE`.
    pub metadata: String,
    /// Folder of the certificates that `PlatformAccessToken`s are checked with.
    pub certificates: PathBuf,
    /// Answer calls that bring no `PlatformAccessToken`.
    pub lenient: bool,
    /// Authentication, Authorization, Register.
    pub platform: Peer,
    /// What one second of waiting before a further attempt is; shorter in tests.
    pub second: std::time::Duration,
    /// Whether names under `.localhost` are this machine, whatever its resolver says of them.
    pub loopback: bool,
    /// What opens the management surface; none closes it.
    pub key: Key,
}

/// What the handlers share. Cheap to copy.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    store: Store,
    pdp: Pdp,
    verifier: Verifier,
    access: AccessTokens,
    platform: Peer,
    client: reqwest::Client,
    second: std::time::Duration,
    written: Notify,
    key: Key,
}

impl FromRef<Events> for Verifier {
    fn from_ref(events: &Events) -> Self {
        events.0.verifier.clone()
    }
}

impl FromRef<Events> for AccessTokens {
    fn from_ref(events: &Events) -> Self {
        events.0.access.clone()
    }
}

impl FromRef<Events> for Key {
    fn from_ref(events: &Events) -> Self {
        events.0.key.clone()
    }
}

impl Events {
    /// Opens what it stands on. [`Events::deliver`] is to run beside the service.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let verifier = Verifier::published(settings.platform.clone());
        Ok(Self(Arc::new(Inner {
            store: Store::new(&settings.metadata)?,
            pdp: Pdp::new(settings.platform.clone()),
            access: AccessTokens::new(&settings.certificates, verifier.clone(), settings.lenient),
            verifier,
            platform: settings.platform,
            client: deliver::client(settings.loopback)?,
            second: settings.second,
            written: Notify::new(),
            key: settings.key,
        })))
    }

    /// Ends its connections, after the last request.
    pub async fn close(&self) {
        self.0.store.close().await;
    }

    /// The endpoints.
    #[must_use]
    pub fn service(&self) -> Service {
        let store = self.clone();
        manage::endpoints(endpoints())
            .check("metadata", move || {
                let events = store.clone();
                async move { events.0.store.answers().await }
            })
            .finish(self.clone())
            .managed(&self.0.key)
    }

    /// Whether the holder of these claims may do this with events of a resource. Only apps have policies here;
    /// what else there is stands behind scopes alone.
    pub(crate) async fn may(
        &self,
        claims: &Claims,
        action: &str,
        resource: &str,
        event: Option<&CloudEvent>,
    ) -> Result<bool, Fault> {
        let Some(app) = cloud::app_of(resource) else { return Ok(true) };
        let instance = event.and_then(|event| event.text("resourceinstance")).map(str::to_owned);
        let party = event.and_then(CloudEvent::party);
        let subject = Subject { app, party, instance, place: None };
        self.0.pdp.permitted(claims, &[(action, &subject)]).await.map(|may| may == [true])
    }
}

fn endpoints() -> Api<Events> {
    const ONE: &str = "/events/api/v1/subscriptions/{id}";
    const QUERY: &[&str] = &["after", "from", "to", "party", "unit", "type", "source", "size"];
    let all = "/events/api/v1/subscriptions";
    Api::new("events")
        .add(
            Endpoint::post("/events/api/v1/app", "An app publishes")
                .takes::<serde_json::Value>()
                .answers(&[201, 400]),
            publish::of_app,
        )
        .add(
            Endpoint::post("/events/api/v1/events", "Others publish")
                .takes_kind("application/cloudevents+json")
                .answers(&[200, 400, 403]),
            publish::generic,
        )
        .add(
            Endpoint::get("/events/api/v1/app/{org}/{app}", "Events of an app")
                .query(QUERY)
                .answers(&[200, 400]),
            read::of_app,
        )
        .add(
            Endpoint::get("/events/api/v1/app/party", "Events of a party")
                .query(QUERY)
                .answers(&[200, 400]),
            read::of_party,
        )
        .add(
            Endpoint::get("/events/api/v1/events", "Events of a resource")
                .query(&["resource", "after", "subject", "type", "size"])
                .answers(&[200, 400, 403]),
            read::generic,
        )
        .add(
            Endpoint::post(all, "Subscribes")
                .takes::<Wanted>()
                .gives::<Subscription>(201)
                .answers(&[400, 403]),
            subscriptions::post,
        )
        .add(
            Endpoint::get(all, "The caller's subscriptions").gives::<Subscriptions>(200),
            subscriptions::list,
        )
        .add(
            Endpoint::get(ONE, "A subscription").gives::<Subscription>(200).answers(&[403, 404]),
            subscriptions::get,
        )
        .add(
            Endpoint::delete(ONE, "Ends a subscription").answers(&[200, 403, 404]),
            subscriptions::delete,
        )
        .add(
            Endpoint::put("/events/api/v1/subscriptions/validate/{id}", "Takes it for validated")
                .gives::<Subscription>(200)
                .answers(&[404]),
            subscriptions::validate,
        )
}
