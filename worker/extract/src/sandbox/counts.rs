//! What a pool counts, for the metrics of the process around it.

use std::sync::atomic::{AtomicU64, Ordering};

use docket_contract::outcome::ParserEnd;

/// Counts since the pool started.
#[derive(Debug, Default)]
pub struct Counts {
    started: AtomicU64,
    ended: [AtomicU64; ParserEnd::ALL.len()],
}

impl Counts {
    /// Child processes that were started.
    pub fn started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }

    /// Visits that ended so.
    pub fn ended(&self, how: ParserEnd) -> u64 {
        self.counter(how).load(Ordering::Relaxed)
    }

    pub(super) fn count_start(&self) {
        self.started.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_end(&self, how: ParserEnd) {
        self.counter(how).fetch_add(1, Ordering::Relaxed);
    }

    fn counter(&self, how: ParserEnd) -> &AtomicU64 {
        &self.ended[how as usize]
    }
}

/// Counts one visit when it is dropped: as abandoned, unless another end is known.
pub(super) struct Visit<'a> {
    pub counts: &'a Counts,
    pub ended: ParserEnd,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.counts.count_end(self.ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_a_counter_of_its_own() {
        let counts = Counts::default();
        for &how in ParserEnd::ALL {
            counts.count_end(how);
            assert_eq!(counts.ended(how), 1, "{}", how.as_str());
        }
    }
}
