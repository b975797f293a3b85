//! How much of a text a model has read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many of a text's windows a model has read. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct ReadSoFar(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    read: AtomicUsize,
    windows: AtomicUsize,
}

impl ReadSoFar {
    /// The text's windows wait for the model from now on.
    pub(super) fn begin(&self, windows: usize) {
        self.0.read.store(0, Ordering::Relaxed);
        self.0.windows.store(windows, Ordering::Relaxed);
    }

    /// One more window is read.
    pub(super) fn add(&self) {
        self.0.read.fetch_add(1, Ordering::Relaxed);
    }

    /// The share of the windows that are read, 0 to 1; `None` before the windows wait for the model.
    pub fn share(&self) -> Option<f32> {
        let (read, windows) = (
            self.0.read.load(Ordering::Relaxed),
            self.0.windows.load(Ordering::Relaxed),
        );
        (windows > 0).then(|| read as f32 / windows as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_grows_from_zero_to_one_once_there_are_windows() {
        let read = ReadSoFar::default();
        assert_eq!(read.share(), None);
        read.begin(4);
        let counting = read.clone();
        let shares = std::iter::repeat_with(|| {
            let share = read.share();
            counting.add();
            share
        });
        assert_eq!(
            shares.take(5).collect::<Vec<_>>(),
            [0.0, 0.25, 0.5, 0.75, 1.0].map(Some)
        );
    }
}
