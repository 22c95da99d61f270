//! Pushing events to endpoints, again and again until they are taken or given up (`platform-api.md` §6.4).

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Events;
use super::store::Delivery;
use super::subscriptions::VALIDATION;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::outside;

/// An endpoint may think this long.
const TIME: Duration = Duration::from_secs(45);
/// Seconds before each further attempt; after the last one the event is given up.
const AGAIN: [i64; 12] = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 43_200, 43_200];

/// The client that endpoints see.
pub(super) fn client(loopback: bool) -> Result<reqwest::Client, String> {
    let client = outside::client().timeout(TIME).redirect(reqwest::redirect::Policy::none());
    let client = if loopback { client.dns_resolver(Loopback) } else { client };
    client.build().map_err(|error| error.to_string())
}

/// Names under `.localhost` are this machine (RFC 6761); many systems' own resolvers do not know it.
struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = name.as_str();
            if name == "localhost" || name.ends_with(".localhost") {
                let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                return Ok(Box::new(std::iter::once(here)) as Addrs);
            }
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl Events {
    /// Pushes what is due until `closing`. Run it beside the service.
    pub async fn deliver(self, closing: CancellationToken) {
        loop {
            let pause = match self.deliver_due().await {
                Ok(pause) => pause,
                Err(fault) => {
                    tracing::debug!(status = %fault.status(), "deliveries wait for the store");
                    Duration::from_secs(2)
                }
            };
            tokio::select! {
                () = closing.cancelled() => return,
                () = self.0.written.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Pushes all that is due; tells how long nothing will be.
    async fn deliver_due(&self) -> Result<Duration, Fault> {
        loop {
            let due = self.0.store.due().await?;
            if due.is_empty() {
                let next = self.0.store.next_due().await?;
                let wait = next.map_or(Duration::from_mins(1), |date| {
                    Duration::try_from(-date.age()).unwrap_or_default()
                });
                return Ok(wait.clamp(Duration::from_millis(5), Duration::from_mins(1)));
            }
            for done in join_all(due.iter().map(|delivery| self.push(delivery))).await {
                done?;
            }
        }
    }

    async fn push(&self, delivery: &Delivery) -> Result<(), Fault> {
        let Delivery { id, attempt, subscription, event } = delivery;
        let validation = event.word("type") == VALIDATION;
        let allowed = validation
            || self
                .may(&subscription.claims(), "read", event.word("resource"), Some(event))
                .await?;
        if !allowed {
            tracing::info!(subscription = subscription.id, "the consumer may not read the event");
            return self.0.store.delivered(*id).await;
        }
        let event = Value::Object(event.0.clone());
        let slack = subscription.end_point.starts_with("https://hooks.slack.com/");
        let body = if slack { json!({ "text": event.to_string() }) } else { event };
        let request = self.0.client.post(&subscription.end_point);
        let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        let taken = match request.send().await {
            Ok(answer) if answer.status().is_success() => true,
            Ok(answer) => {
                tracing::info!(subscription = subscription.id, status = %answer.status(), "refused");
                false
            }
            Err(error) => {
                tracing::info!(subscription = subscription.id, %error, "not delivered");
                false
            }
        };
        if taken {
            if validation {
                self.0.store.validate(subscription.id).await?;
            }
            return self.0.store.delivered(*id).await;
        }
        self.0.store.again(*id, attempt + 1, self.pause(*attempt)).await
    }

    /// When the attempt after this one is due.
    fn pause(&self, attempt: i64) -> Option<Date> {
        let seconds = AGAIN.get(usize::try_from(attempt).ok()?)?;
        let second =
            SignedDuration::try_from(self.0.second).unwrap_or(SignedDuration::from_secs(1));
        let pause = i32::try_from(*seconds).map(|seconds| second.saturating_mul(seconds));
        Some(Date::now().after(pause.unwrap_or(SignedDuration::from_secs(*seconds))))
    }
}
