//! Counters and times of requests in Prometheus' text format, at `/metrics`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::logs;

/// Upper bounds of the time buckets, in seconds.
const BOUNDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

/// What was answered so far.
#[derive(Debug, Default)]
pub struct Metrics {
    routes: Mutex<BTreeMap<Key, Tally>>,
    faults: Mutex<BTreeMap<(&'static str, usize), u64>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Default)]
struct Tally {
    count: u64,
    seconds: f64,
    buckets: [u64; BOUNDS.len()],
}

impl Metrics {
    /// Counts one answer. `route` is a template, never a path, so that the number of series stays small.
    pub fn count(&self, method: &axum::http::Method, route: &str, status: u16, time: Duration) {
        let key = Key { method: name(method), route: route.to_owned(), status };
        let seconds = time.as_secs_f64();
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = routes.entry(key).or_default();
        tally.count += 1;
        tally.seconds += seconds;
        for (bucket, bound) in tally.buckets.iter_mut().zip(BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    /// Counts a fault that was asked for, by the place of its rule.
    pub fn strike(&self, service: &'static str, rule: usize) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        *faults.entry((service, rule)).or_default() += 1;
    }

    /// Answers so far at these routes.
    pub fn answers(&self, of: impl Fn(&str) -> bool) -> u64 {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.iter().filter(|(key, _)| of(&key.route)).map(|(_, tally)| tally.count).sum()
    }

    /// The page at `/metrics`, of these routes and services.
    pub fn text(&self, of: impl Fn(&str) -> bool, service: Option<&str>) -> String {
        let mut text = format!(
            "# TYPE altinn_panics_total counter\naltinn_panics_total {}\n\
             # TYPE altinn_request_seconds histogram\n",
            logs::panics()
        );
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, tally) in routes.iter().filter(|(key, _)| of(&key.route)) {
            let labels = format!(
                "method=\"{}\",route=\"{}\",status=\"{}\"",
                key.method, key.route, key.status
            );
            for (bucket, bound) in tally.buckets.iter().zip(BOUNDS) {
                let _ = writeln!(
                    text,
                    "altinn_request_seconds_bucket{{{labels},le=\"{bound}\"}} {bucket}"
                );
            }
            let count = tally.count;
            let _ = writeln!(text, "altinn_request_seconds_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _ = writeln!(text, "altinn_request_seconds_sum{{{labels}}} {}", tally.seconds);
            let _ = writeln!(text, "altinn_request_seconds_count{{{labels}}} {count}");
        }
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if !faults.is_empty() {
            text.push_str("# TYPE altinn_faults_total counter\n");
        }
        for ((name, rule), count) in
            faults.iter().filter(|((name, _), _)| service.is_none_or(|own| own == *name))
        {
            let _ =
                writeln!(text, "altinn_faults_total{{service=\"{name}\",rule=\"{rule}\"}} {count}");
        }
        text
    }
}

/// Methods that callers invent must not make series of their own.
fn name(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted() {
        let metrics = Metrics::default();
        for millis in [1, 3, 20_000] {
            metrics.count(&axum::http::Method::GET, "/a/{x}", 200, Duration::from_millis(millis));
        }
        assert_eq!(metrics.answers(|route| route == "/a/{x}"), 3);
        assert!(!metrics.text(|_| false, None).contains("/a/{x}"));
        metrics.strike("storage", 2);
        assert!(metrics.text(|_| true, Some("storage")).contains("rule=\"2\"} 1\n"));
        let text = metrics.text(|_| true, Some("events"));
        assert!(!text.contains("storage"), "{text}");
        let labels = "method=\"GET\",route=\"/a/{x}\",status=\"200\"";
        assert!(text.contains(&format!("bucket{{{labels},le=\"0.001\"}} 1\n")), "{text}");
        assert!(text.contains(&format!("bucket{{{labels},le=\"10\"}} 2\n")), "{text}");
        assert!(text.contains(&format!("count{{{labels}}} 3\n")), "{text}");
    }
}
