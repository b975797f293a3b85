//! The lowest rate at which callers send bodies and take answers. Time counts only while a caller is waited for, so that what
//! our own stores take is never held against a caller.

use std::time::Duration;

/// The lowest rate, in bytes a second: a tenth of what the slowest mobile networks carry, and enough that holding all places
/// for uploads costs a caller half a megabyte a second.
pub const RATE_MIN: u64 = 1024;
/// The time waited over which the rate is measured: longer than any stall of a network that recovers.
pub const RATE_WINDOW: Duration = Duration::from_secs(30);

/// What came, or went, in a window so far.
#[derive(Debug, Default)]
pub struct Pace {
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// How long may be waited until the window ends.
    pub fn left(&self) -> Duration {
        RATE_WINDOW - self.waited
    }

    /// Notes how many bytes followed how long a wait. `false`: the window is over, and had too few.
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
