//! Places for documents with pages for OCR, which take a hundred times as long as others. Clients have the places in turn. A job
//! that finds none waits in its shard: it holds nothing of this worker, and comes again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use docket_contract::ids::ClientId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::admit::turns::Turns;

/// The earliest time after which a job comes again: a page takes a second or more.
const AGAIN_MIN: Duration = Duration::from_secs(2);
/// The latest time, for a client that has thousands of scans waiting.
const AGAIN_MAX: Duration = Duration::from_secs(10 * 60);
/// Time between two jobs of one client that come again. Each costs a claim. A free place waits no longer than this for a client with
/// many scans.
const AGAIN_SPACING: Duration = Duration::from_millis(250);

/// Places for scans.
pub struct Scans {
    places: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    turns: Turns,
    /// When the last of a client's jobs comes again that found no place.
    again: HashMap<ClientId, Instant>,
}

/// Other scans have their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("other scans have their turn")]
pub struct Busy {
    /// Time after which the job should come again.
    pub again: Duration,
}

impl Scans {
    /// Places for so many scans.
    pub fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS))),
            waiting: Mutex::default(),
        }
    }

    /// A place for a scan of this client, if one is free and it is the client's turn.
    pub fn place(&self, client: &ClientId) -> Result<OwnedSemaphorePermit, Busy> {
        self.place_at(client, Instant::now())
    }

    fn place_at(&self, client: &ClientId, now: Instant) -> Result<OwnedSemaphorePermit, Busy> {
        let mut waiting = self.waiting.lock().expect("no holder panics");
        let has_turn = waiting.turns.ask(client, self.places.available_permits(), now);
        let place = has_turn.then(|| self.places.clone().try_acquire_owned().ok()).flatten();
        match place {
            Some(place) => {
                waiting.turns.served(client, now);
                Ok(place)
            }
            None => Err(waiting.refuse(client, now)),
        }
    }
}

impl Waiting {
    fn refuse(&mut self, client: &ClientId, now: Instant) -> Busy {
        self.again.retain(|_, again| *again > now);
        let last = self.again.get(client).map_or(now, |&last| last + AGAIN_SPACING);
        let next = last.clamp(now + AGAIN_MIN, now + AGAIN_MAX);
        self.again.insert(client.clone(), next);
        Busy { again: next - now }
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
    fn a_client_with_one_scan_is_next_beside_one_with_thousands() {
        let (scans, begin) = (Scans::new(1), Instant::now());
        let (noisy, quiet) = (client("noisy"), client("quiet"));
        let place = scans.place_at(&noisy, begin).expect("nobody else wants it");
        for _ in 0..5_000 {
            assert!(scans.place_at(&noisy, begin).is_err());
        }
        let wait = scans.place_at(&quiet, begin).expect_err("the place is taken").again;
        assert_eq!(wait, AGAIN_MIN, "what others have waiting does not matter");
        drop(place);
        assert!(scans.place_at(&noisy, begin + SECOND).is_err(), "it is another's turn");
        assert!(scans.place_at(&quiet, begin + wait).is_ok(), "it is its turn");
    }

    #[test]
    fn the_jobs_of_one_client_come_again_one_after_the_other() {
        let (scans, now) = (Scans::new(1), Instant::now());
        let many = client("many");
        let _place = scans.place_at(&many, now);
        let again: Vec<Duration> = (0..5_000)
            .map(|_| scans.place_at(&many, now).expect_err("the place is taken").again)
            .collect();
        assert_eq!(
            again[..3],
            [AGAIN_MIN, AGAIN_MIN + AGAIN_SPACING, AGAIN_MIN + 2 * AGAIN_SPACING]
        );
        assert_eq!(again.last(), Some(&AGAIN_MAX));
    }

    #[test]
    fn a_free_place_is_anybodys() {
        let (scans, now) = (Scans::new(2), Instant::now());
        let places = [client("one"), client("one")].map(|client| scans.place_at(&client, now).expect("it is free"));
        assert!(scans.place_at(&client("other"), now).is_err());
        drop(places);
        assert!(scans.place_at(&client("other"), now + AGAIN_MIN).is_ok());
    }
}
