//! Counts how much of a text is looked at, in unit tests only: work must not grow faster than its text.
//!
//! Code that scans a text reports all that the scan may reach, so the count does not depend on where scans end.

/// Reports that `text` is about to be scanned, and hands it back.
pub(crate) fn scan(text: &str) -> &str {
    add(text.len());
    text
}

/// Reports that `text` may be scanned once from each of its bytes.
pub(crate) fn scan_from_each(text: &str) -> &str {
    add(text.len() * text.len());
    text
}

/// Reports steps that scan no text.
#[cfg(not(test))]
pub(crate) fn add(_steps: usize) {}

#[cfg(test)]
pub(crate) use counted::{add, taken};

#[cfg(test)]
mod counted {
    use std::cell::Cell;

    thread_local! {
        static TAKEN: Cell<usize> = const { Cell::new(0) };
    }

    /// Counts steps.
    pub(crate) fn add(steps: usize) {
        TAKEN.set(TAKEN.get() + steps);
    }

    /// The steps that `work` takes on this thread.
    pub(crate) fn taken(work: impl FnOnce()) -> usize {
        let before = TAKEN.get();
        work();
        TAKEN.get() - before
    }
}
