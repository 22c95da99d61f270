//! Readers of the agent's streams.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::client::Client;
use crate::events::Event;
use crate::model::Report;

/// The agent sends something every 10 seconds; after this long it is gone.
const SILENCE: Duration = Duration::from_secs(25);
/// How often a broken stream is opened again, and how long after each attempt.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(300);

/// Lines of a streamed body; empty ones, which only show that the agent lives, are left out.
pub struct Lines {
    body: Incoming,
    buffer: Vec<u8>,
}

impl Lines {
    pub(super) const fn new(body: Incoming) -> Self {
        Self { body, buffer: Vec::new() }
    }

    /// The next line; none when the stream ended or broke.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                let line = line.trim_end_matches(['\r', '\n']);
                if !line.is_empty() {
                    return Some(line.to_owned());
                }
            }
            let frame = tokio::time::timeout(SILENCE, self.body.frame()).await.ok()??;
            if let Ok(bytes) = frame.ok()?.into_data() {
                self.buffer.extend_from_slice(&bytes);
            }
        }
    }
}

/// The event stream, without loss over broken connections.
pub struct Events {
    client: Client,
    seen: u64,
    open: Option<Lines>,
}

impl Events {
    pub(super) const fn new(client: Client, since: u64) -> Self {
        Self { client, seen: since, open: None }
    }

    /// The next event. An agent that ended and does not come back is a fault.
    pub async fn next(&mut self) -> Result<Event, Report> {
        let mut attempts = 0;
        loop {
            let Some(lines) = &mut self.open else {
                self.reopen(attempts).await?;
                attempts += 1;
                continue;
            };
            match lines.next().await {
                None => self.open = None,
                Some(line) => {
                    // Ids are in the events too; a kind that we do not know is an event of a newer agent.
                    let event = line
                        .strip_prefix("data: ")
                        .and_then(|data| serde_json::from_str::<Event>(data).ok());
                    if let Some(event) = event {
                        return self.take(event);
                    }
                }
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<Event, Report> {
        if event.seq <= self.seen {
            return Err(self.client.silent("the agent ended and another took its place"));
        }
        self.seen = event.seq;
        Ok(event)
    }

    async fn reopen(&mut self, attempts: u32) -> Result<(), Report> {
        if attempts > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let path = format!("/api/v1/events?since={}", self.seen);
        match self.client.open(&path).await {
            Ok(body) => self.open = Some(Lines::new(body)),
            Err(report) if attempts >= ATTEMPTS => return Err(report),
            Err(_) => {}
        }
        Ok(())
    }
}
