//! Logs: one JSON object a line on standard output. Panics are logged and counted, too.

use std::sync::atomic::{AtomicU64, Ordering};

use tracing_subscriber::EnvFilter;

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Panics since the program started.
#[must_use]
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Sets up logging for a program of its own. `filter` is a directive such as `info,altinn_services=debug`.
pub fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // A second set-up in one process keeps the first.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(filter)
        .try_init();
}

/// Logs and counts panics instead of printing them; safe to call more than once.
pub fn watch_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let said = panic.payload_as_str().unwrap_or("something that is no text");
            tracing::error!(place, said, "panic");
            // Where nobody set up a log, as in tests, the panic must not pass unseen.
            if !tracing::dispatcher::has_been_set() {
                usual(panic);
            }
        }));
    });
}
