//! How long a version stays loaded, and which is unloaded for another. Pure: times in, decisions out.

use std::time::{Duration, Instant};

/// A version stays for this many times its loading time, whoever asks for others. So loading takes at most a tenth of a worker's
/// time, however many versions callers name.
const TURN_LOADS: u32 = 10;
/// Bounds of a version's stay: a toy model is not changed several times a second, and a version that took minutes to fetch keeps
/// nobody waiting for hours.
const TURN_MIN: Duration = Duration::from_secs(2);
const TURN_MAX: Duration = Duration::from_secs(5 * 60);
/// How long a version stays that took `load` to load.
pub(super) fn turn(load: Duration) -> Duration {
    load.saturating_mul(TURN_LOADS).clamp(TURN_MIN, TURN_MAX)
}

/// A loaded version, as far as its unloading is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// Until when the version stays in any case.
    pub(super) stays_until: Instant,
    /// When a job last asked for the version.
    pub(super) asked: Instant,
    /// Whether jobs run with the version.
    pub(super) runs: bool,
}

impl Standing {
    /// Whether the version has had its turn.
    pub(super) fn may_go(&self, now: Instant) -> bool {
        self.stays_until <= now
    }
}

/// Which version to unload, of those that have had their turn. Versions that no job runs with go first, since their room is free
/// at once; among these, the one not asked for the longest.
pub(super) fn goes(standings: &[Standing], now: Instant) -> Option<usize> {
    let had_their_turn = (0..standings.len()).filter(|&place| standings[place].may_go(now));
    had_their_turn.min_by_key(|&place| (standings[place].runs, standings[place].asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_version_stays_ten_times_as_long_as_it_took_to_load() {
        assert_eq!(turn(Duration::from_millis(10)), TURN_MIN);
        assert_eq!(turn(3 * SECOND), 30 * SECOND);
        assert_eq!(turn(Duration::from_secs(600)), TURN_MAX);
    }

    #[test]
    fn of_versions_that_had_their_turn_the_one_nobody_runs_goes_first() {
        let now = Instant::now() + 100 * SECOND;
        let standing = |stays: u32, asked: u32, runs| Standing {
            stays_until: now + stays * SECOND - 10 * SECOND,
            asked: now - asked * SECOND,
            runs,
        };
        assert_eq!(
            goes(&[standing(11, 50, false)], now),
            None,
            "it stays for another second"
        );
        assert_eq!(goes(&[standing(10, 1, false), standing(0, 9, true)], now), Some(0));
        assert_eq!(goes(&[standing(0, 1, true), standing(0, 9, true)], now), Some(1));
        assert_eq!(goes(&[standing(0, 5, false), standing(0, 9, false)], now), Some(1));
    }
}
