//! A database that is away is asked by one caller at a time; all others get an error at once. Otherwise each of them
//! would wait for its own time-out, and a worker's deliveries for a dead shard would leave no room for those of living
//! shards.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// When a database that is away may be asked again; nothing while it answers.
#[derive(Debug, Default)]
pub(super) struct Circuit(Mutex<Option<Instant>>);

impl Circuit {
    /// Whether the caller may ask the database. While it is away one caller in each time of `probe` may; `probe` is how
    /// long asking takes.
    pub(super) fn admits(&self, now: Instant, probe: Duration) -> bool {
        let mut next = self.0.lock().expect("no holder panics");
        match *next {
            None => true,
            Some(due) if now >= due => {
                *next = Some(now + probe);
                true
            }
            Some(_) => false,
        }
    }

    /// The database answered.
    pub(super) fn close(&self) {
        *self.0.lock().expect("no holder panics") = None;
    }

    /// The database is away; it is asked again after `pause`.
    pub(super) fn open(&self, now: Instant, pause: Duration) {
        *self.0.lock().expect("no holder panics") = Some(now + pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Duration = Duration::from_secs(5);
    const PAUSE: Duration = Duration::from_secs(1);

    #[test]
    fn one_caller_at_a_time_asks_a_database_that_is_away() {
        let (circuit, start) = (Circuit::default(), Instant::now());
        assert!(circuit.admits(start, PROBE) && circuit.admits(start, PROBE));
        circuit.open(start, PAUSE);
        assert!(!circuit.admits(start, PROBE));
        let later = start + PAUSE;
        assert!(circuit.admits(later, PROBE), "somebody has to ask");
        assert!(!circuit.admits(later, PROBE), "but only one");
        assert!(
            circuit.admits(later + PROBE, PROBE),
            "and another, should the first not come back"
        );
        circuit.close();
        assert!(circuit.admits(later, PROBE) && circuit.admits(later, PROBE));
    }
}
