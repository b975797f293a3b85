//! Decides which client may have a version loaded next, and which version is unloaded for it. Pure: times in, decisions out.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use docket_contract::ids::ClientId;

/// A version stays for this many times its loading time, whoever asks for others. So loading takes at most a tenth of a worker's
/// time, however many versions callers name.
const TURN_LOADS: u32 = 10;
/// Bounds of a version's stay: a toy model is not changed several times a second, and a version that took minutes to fetch keeps
/// nobody waiting for hours.
const TURN_MIN: Duration = Duration::from_secs(2);
const TURN_MAX: Duration = Duration::from_secs(5 * 60);
/// A client whose jobs have asked for nothing in this time no longer waits for its turn. A job that is put off comes again within
/// ten seconds, but maybe on another worker.
const WISH_MAX: Duration = Duration::from_secs(30);

/// Clients that want versions which are not loaded.
#[derive(Debug, Default)]
pub(super) struct Turns(HashMap<ClientId, Wish>);

#[derive(Debug)]
struct Wish {
    /// When the client first asked, or when a version was last loaded for it.
    since: Instant,
    /// Whether a version was loaded for the client lately.
    served: bool,
    asked: Instant,
    waits: bool,
}

/// How long a version stays that took `load` to load.
pub(super) fn turn(load: Duration) -> Duration {
    load.saturating_mul(TURN_LOADS).clamp(TURN_MIN, TURN_MAX)
}

impl Turns {
    /// A job of this client wants a version loaded. True if it may, when `places` versions can be loaded. Clients that have had
    /// no version lately go first, then those whose last turn is longest ago.
    pub(super) fn ask(&mut self, client: &ClientId, places: usize, now: Instant) -> bool {
        self.0
            .retain(|_, wish| now.saturating_duration_since(wish.asked) < WISH_MAX);
        let own = self.0.entry(client.clone()).or_insert(Wish {
            since: now,
            served: false,
            asked: now,
            waits: true,
        });
        (own.asked, own.waits) = (now, true);
        let rank = own.rank();
        let ahead = self.0.values().filter(|wish| wish.waits && wish.rank() < rank);
        ahead.count() < places
    }

    /// A version is being loaded for this client.
    pub(super) fn served(&mut self, client: &ClientId, now: Instant) {
        if let Some(wish) = self.0.get_mut(client) {
            (wish.since, wish.served, wish.waits) = (now, true, false);
        }
    }
}

impl Wish {
    fn rank(&self) -> (bool, Instant) {
        (self.served, self.since)
    }
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

    fn client(name: &str) -> ClientId {
        name.parse().expect("it is a name")
    }

    #[test]
    fn a_version_stays_ten_times_as_long_as_it_took_to_load() {
        assert_eq!(turn(Duration::from_millis(10)), TURN_MIN);
        assert_eq!(turn(3 * SECOND), 30 * SECOND);
        assert_eq!(turn(Duration::from_secs(600)), TURN_MAX);
    }

    #[test]
    fn a_client_with_one_version_has_its_turn_beside_one_with_hundreds() {
        let (mut turns, begin) = (Turns::default(), Instant::now());
        let (noisy, quiet) = (client("noisy"), client("quiet"));
        assert!(turns.ask(&noisy, 1, begin), "nobody else wants anything");
        turns.served(&noisy, begin);
        assert!(!turns.ask(&quiet, 0, begin + SECOND), "nothing can go yet");
        for second in 2..12 {
            assert!(!turns.ask(&noisy, 1, begin + second * SECOND), "another one has waited");
        }
        assert!(turns.ask(&noisy, 2, begin + 12 * SECOND), "there is room for both");
        assert!(turns.ask(&quiet, 1, begin + 12 * SECOND));
        turns.served(&quiet, begin + 12 * SECOND);
        assert!(turns.ask(&noisy, 1, begin + 13 * SECOND));
        turns.served(&noisy, begin + 13 * SECOND);
        assert!(turns.ask(&quiet, 1, begin + 14 * SECOND), "its last turn is longer ago");
    }

    #[test]
    fn who_does_not_come_again_keeps_nobody_waiting() {
        let (mut turns, begin) = (Turns::default(), Instant::now());
        turns.ask(&client("gone"), 0, begin);
        let here = client("here");
        assert!(!turns.ask(&here, 1, begin + SECOND));
        assert!(turns.ask(&here, 1, begin + WISH_MAX));
        assert_eq!(turns.0.len(), 1, "nothing is kept of it");
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
