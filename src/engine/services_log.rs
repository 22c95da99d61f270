//! What services inside the agent write, told as lines of their resources, as containers' lines are.

use std::fmt::{Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::events::{EventKind, Journal, clean};
use crate::sys::services::LOG_TARGET;

/// Puts the services' lines, from level `info` on, into the journal.
#[must_use]
pub fn services_log<S>(journal: Journal) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    ServicesLog(journal).with_filter(Targets::new().with_target(LOG_TARGET, LevelFilter::INFO))
}

struct ServicesLog(Journal);

impl<S: Subscriber> Layer<S> for ServicesLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        let module = about.target().split("::").nth(1);
        let own = module.filter(|module| matches!(*module, "storage" | "events"));
        let mut line = Line(about.level().as_str().to_ascii_lowercase());
        event.record(&mut line);
        let (source, line) = (own.unwrap_or("platform").to_owned(), clean(&line.0));
        self.0.emit(EventKind::Log { source, line });
    }
}

/// `warn unavailable what=The store`.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {}={value}", field.name());
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn lines_belong_to_their_service() {
        let journal = Journal::default();
        let subscriber = tracing_subscriber::registry().with(services_log(journal.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: "altinn_services::kit::fault", what = "The store", "unavailable");
            tracing::info!(target: "altinn_services::events::deliver", subscription = 7, "refused");
            tracing::debug!(target: "altinn_services::storage", "too much");
            tracing::warn!(target: "altinn_local::engine", "not theirs");
        });
        let lines: Vec<_> = journal
            .since(0)
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::Log { source, line } => Some(format!("{source}: {line}")),
                _ => None,
            })
            .collect();
        assert_eq!(
            lines,
            ["platform: warn unavailable what=The store", "events: info refused subscription=7"]
        );
    }
}
