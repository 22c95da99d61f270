//! When a burst of events is over: pure, so that it can be read as a table.

use std::time::Duration;

/// The longest that a burst of events is waited for, however long it goes on.
pub(super) const LONGEST: Duration = Duration::from_secs(1);
/// The longest that git's lock is waited for; one that is older was left behind.
pub(super) const LONGEST_LOCK: Duration = Duration::from_secs(10);
/// How often git's lock is looked for while it is held.
pub(super) const LOCK_STEP: Duration = Duration::from_millis(20);

/// How long it must be quiet before these changes count as one save. One file is an editor's save, a few are its
/// rename dance, many are git or a generator at work. After an event that ends the writing of a file, as its close or a
/// rename, only the next file of the same moment is waited for.
#[must_use]
pub(super) fn quiet(paths: usize, whole: bool) -> Duration {
    Duration::from_millis(match paths {
        _ if whole && paths <= 2 => 2,
        0 | 1 => 15,
        2..=8 => 25,
        9..=50 => 60,
        _ => 120,
    })
}

/// How long to wait for the next event; none when the burst is over.
#[must_use]
pub(super) fn wait(
    paths: usize,
    whole: bool,
    since_first: Duration,
    since_last: Duration,
    locked: bool,
) -> Option<Duration> {
    if locked && since_first < LONGEST_LOCK {
        return Some(LOCK_STEP);
    }
    let left = quiet(paths, whole).checked_sub(since_last)?;
    let at_most = LONGEST.checked_sub(since_first)?;
    Some(left.min(at_most)).filter(|left| !left.is_zero())
}

/// How long until everything is looked at again without a reason: 5 seconds, but so seldom that looking takes at
/// most a two-hundredth of the time.
#[must_use]
pub(super) fn next_look(last_took: Duration, least: Duration) -> Duration {
    least.max(last_took.saturating_mul(200))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_end_when_it_is_quiet_or_late() {
        for (paths, whole, first, last, locked, expected) in [
            (1, false, 0, 0, false, Some(15)),
            (1, false, 14, 14, false, Some(1)),
            (1, false, 15, 15, false, None),
            (2, true, 1, 0, false, Some(2)),
            (2, true, 2, 2, false, None),
            (3, true, 30, 15, false, Some(10)),
            (500, true, 400, 0, false, Some(120)),
            (500, false, 990, 0, false, Some(10)),
            (500, false, 1000, 0, false, None),
            (1, true, 2000, 2000, true, Some(20)),
            (1, true, 10_000, 10_000, true, None),
        ] {
            let ms = Duration::from_millis;
            assert_eq!(
                wait(paths, whole, ms(first), ms(last), locked),
                expected.map(ms),
                "{paths} {whole} {first} {last} {locked}"
            );
        }
    }
}
