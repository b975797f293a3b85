//! How long to wait before the next try. Pure: the number of failures and the chance are arguments.

use std::time::Duration;

/// Bounds of an exponential backoff with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Ceiling of the first delay.
    pub first: Duration,
    /// Ceiling of every delay.
    pub longest: Duration,
}

/// For a job that failed with a passing error: from 2 s, soon forgotten, to 300 s, long enough for a dependency to come back.
pub const JOB: Backoff = Backoff {
    first: Duration::from_secs(2),
    longest: Duration::from_secs(300),
};

/// For a lost connection to a server. The first tries are quick, since most losses are restarts.
pub const CONNECTION: Backoff = Backoff {
    first: Duration::from_millis(200),
    longest: Duration::from_secs(5),
};

impl Backoff {
    /// The delay after `failures` failures in a row, at least 1. `chance` is uniform in 0..=1.
    pub fn delay(&self, failures: u32, chance: f64) -> Duration {
        assert!((0.0..=1.0).contains(&chance));
        let doublings = failures.saturating_sub(1).min(31);
        let ceiling = self.first.saturating_mul(1 << doublings).min(self.longest);
        ceiling.mul_f64(chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_ceiling_and_stays_there() {
        assert_eq!(JOB.delay(1, 1.0), Duration::from_secs(2));
        assert_eq!(JOB.delay(3, 1.0), Duration::from_secs(8));
        assert_eq!(JOB.delay(u32::MAX, 1.0), JOB.longest);
        assert_eq!(JOB.delay(9, 0.0), Duration::ZERO);
    }
}
