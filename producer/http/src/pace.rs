//! The lowest rate at which callers send bodies and take answers. Time counts only while the process waits for a caller, so that
//! slow stores are never held against a caller.

use std::time::Duration;

/// The lowest rate, in bytes a second. The slowest mobile networks carry ten times as much, and whoever would hold all places for
/// uploads has to send half a megabyte a second.
pub const RATE_MIN: u64 = 1024;
/// How much waiting the rate is measured over: longer than any stall of a network that recovers.
pub const RATE_WINDOW: Duration = Duration::from_secs(30);

/// The bytes and the waiting of the current window.
#[derive(Debug, Default)]
pub struct Pace {
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// How much waiting is left in the window.
    pub fn left(&self) -> Duration {
        RATE_WINDOW - self.waited
    }

    /// Adds a wait and the bytes that followed. `false`: the window is over and had too few bytes.
    pub fn note(&mut self, waited: Duration, bytes: usize) -> bool {
        self.waited += waited;
        self.bytes += bytes as u64;
        if self.waited < RATE_WINDOW {
            return true;
        }
        let Self { bytes, .. } = std::mem::take(self);
        bytes >= RATE_MIN * RATE_WINDOW.as_secs()
    }
}
