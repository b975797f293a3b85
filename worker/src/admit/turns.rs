//! Whose turn it is among clients that wait for something scarce: a version of a model, or a place for a scan. Pure: times in,
//! decisions out.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use docket_contract::ids::ClientId;

/// A client whose jobs have asked for nothing in this time no longer waits for its turn. A job that is put off comes again within
/// ten seconds, but maybe on another worker.
const WISH_MAX: Duration = Duration::from_secs(30);

/// Clients that want what is not free.
#[derive(Debug, Default)]
pub(crate) struct Turns(HashMap<ClientId, Wish>);

#[derive(Debug)]
struct Wish {
    /// When the client first asked, or when it was last served.
    since: Instant,
    /// Whether the client was served lately.
    served: bool,
    asked: Instant,
    waits: bool,
}

impl Turns {
    /// A job of this client asks. True if it may have what it asks for, of which there is enough for `free` jobs. Clients that
    /// were not served lately go first, then those whose last turn is longest ago.
    pub(crate) fn ask(&mut self, client: &ClientId, free: usize, now: Instant) -> bool {
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
        ahead.count() < free
    }

    /// The client has what it asked for.
    pub(crate) fn served(&mut self, client: &ClientId, now: Instant) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn client(name: &str) -> ClientId {
        name.parse().expect("it is a name")
    }

    #[test]
    fn a_client_with_one_wish_has_its_turn_beside_one_with_hundreds() {
        let (mut turns, begin) = (Turns::default(), Instant::now());
        let (noisy, quiet) = (client("noisy"), client("quiet"));
        assert!(turns.ask(&noisy, 1, begin), "nobody else wants anything");
        turns.served(&noisy, begin);
        assert!(!turns.ask(&quiet, 0, begin + SECOND), "nothing is free yet");
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
}
