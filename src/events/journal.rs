//! The shared channel: numbers events, keeps the last ones, and lets readers follow without loss.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::{Event, EventKind};

/// How many events are kept for late readers.
const KEPT: usize = 10_000;

#[derive(Debug)]
struct Ring {
    next: u64,
    events: VecDeque<Event>,
}

/// A handle to the journal; clones share it.
#[derive(Debug, Clone)]
pub struct Journal {
    ring: Arc<Mutex<Ring>>,
    newest: Arc<watch::Sender<u64>>,
}

impl Default for Journal {
    fn default() -> Self {
        let ring = Ring { next: 1, events: VecDeque::new() };
        Self { ring: Arc::new(Mutex::new(ring)), newest: Arc::new(watch::Sender::new(0)) }
    }
}

impl Journal {
    /// Appends an event and wakes readers; tells its number.
    pub fn emit(&self, kind: EventKind) -> u64 {
        let seq = {
            // A panic elsewhere cannot leave the ring half-written: each change below is one call.
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            let seq = ring.next;
            ring.next += 1;
            ring.events.push_back(Event { seq, time: jiff::Timestamp::now().to_string(), kind });
            if ring.events.len() > KEPT {
                ring.events.pop_front();
            }
            seq
        };
        self.newest.send_replace(seq);
        seq
    }

    /// The number of the newest event; 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    /// How many follow it now.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.newest.receiver_count()
    }

    /// Events after the given number that are still kept, oldest first.
    #[must_use]
    pub fn since(&self, seq: u64) -> Vec<Event> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = ring.next.saturating_sub(ring.events.len() as u64);
        let skip = usize::try_from((seq + 1).saturating_sub(oldest)).unwrap_or(usize::MAX);
        ring.events.iter().skip(skip).cloned().collect()
    }

    /// A reader that starts after the given number.
    #[must_use]
    pub fn follow(&self, seq: u64) -> Reader {
        Reader { journal: self.clone(), seen: seq, newest: self.newest.subscribe() }
    }
}

/// Follows a journal at its own pace.
#[derive(Debug)]
pub struct Reader {
    journal: Journal,
    seen: u64,
    newest: watch::Receiver<u64>,
}

impl Reader {
    /// The next events, at least one; waits until there are some. None when the journal is gone.
    pub async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            let events = self.journal.since(self.seen);
            if let Some(last) = events.last() {
                self.seen = last.seq;
                return Some(events);
            }
            self.newest.changed().await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(journal: &Journal, count: u64) {
        for run in 0..count {
            journal.emit(EventKind::RunStarted { run, command: "up".to_owned() });
        }
    }

    #[test]
    fn readers_resume_where_they_were() {
        let journal = Journal::default();
        started(&journal, 5);
        assert_eq!(journal.newest(), 5);
        let later: Vec<u64> = journal.since(3).iter().map(|event| event.seq).collect();
        assert_eq!(later, [4, 5]);
        assert!(journal.since(5).is_empty());
        assert_eq!(journal.since(0).len(), 5);
    }

    #[test]
    fn the_ring_forgets_the_oldest_only() {
        let journal = Journal::default();
        started(&journal, KEPT as u64 + 10);
        let all = journal.since(0);
        assert_eq!(all.len(), KEPT);
        assert_eq!(all.first().map(|event| event.seq), Some(11));
        assert_eq!(journal.since(KEPT as u64 + 9).len(), 1);
    }

    #[tokio::test]
    async fn a_slow_reader_misses_nothing() {
        let journal = Journal::default();
        let mut reader = journal.follow(0);
        started(&journal, 300);
        let first = reader.next().await.map(|events| events.len());
        assert_eq!(first, Some(300));
        started(&journal, 1);
        assert_eq!(reader.next().await.map(|events| events[0].seq), Some(301));
    }
}
