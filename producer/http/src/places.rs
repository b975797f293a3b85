//! Places that clients share: for uploads and for reads. A client may hold at most as many places as are free. So one greedy
//! client gets half of them, n of them leave an (n + 1)th free, and the next client finds room. A place given back goes to the
//! client that holds fewest. A request that waits too long is refused.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use docket_contract::ids::ClientId;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a request waits for a place: after this, the caller should rather ask another replica.
pub const WAIT_MAX: Duration = Duration::from_secs(2);

/// A number of places; clones share them.
#[derive(Clone)]
pub struct Places(Arc<Mutex<Shared>>);

struct Shared {
    free: usize,
    /// The clients that hold a place or wait for one, and no others.
    clients: HashMap<ClientId, Own>,
}

/// One client's places and waiting requests.
#[derive(Default)]
struct Own {
    held: usize,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

/// A client's place, given back when dropped.
pub struct Place {
    places: Places,
    client: ClientId,
}

/// No place was free in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// Places that the client itself holds.
    pub held: usize,
    /// Places that are free, for clients that hold fewer.
    pub free: usize,
}

impl Places {
    /// Creates this many free places.
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new(Shared {
            free: places,
            clients: HashMap::new(),
        })))
    }

    /// Waits for a place for a client.
    pub async fn take(&self, client: &ClientId) -> Result<Place, Full> {
        let place = match self.take_or_queue(client) {
            Ok(place) => return Ok(place),
            Err(queued) => timeout(WAIT_MAX, queued).await,
        };
        if let Ok(Ok(place)) = place {
            return Ok(place);
        }
        let shared = self.lock();
        let held = shared.clients.get(client).map_or(0, |own| own.held);
        Err(Full {
            held,
            free: shared.free,
        })
    }

    fn take_or_queue(&self, client: &ClientId) -> Result<Place, oneshot::Receiver<Place>> {
        let mut shared = self.lock();
        let free = shared.free;
        let own = shared.clients.entry(client.clone()).or_default();
        own.forget_who_left();
        if own.held < free && own.waiting.is_empty() {
            own.held += 1;
            shared.free -= 1;
            return Ok(self.place(client));
        }
        let (sender, receiver) = oneshot::channel();
        own.waiting.push_back(sender);
        Err(receiver)
    }

    fn give_back(&self, client: &ClientId) {
        let mut granted = Vec::new();
        let mut shared = self.lock();
        shared.free += 1;
        if let Some(own) = shared.clients.get_mut(client) {
            own.held -= 1;
        }
        while let Some((client, waiting)) = shared.grant() {
            granted.push((waiting, self.place(&client)));
        }
        drop(shared);
        for (waiting, place) in granted {
            // A waiting request that left just now drops its place, which takes the lock again.
            let _ = waiting.send(place);
        }
    }

    fn place(&self, client: &ClientId) -> Place {
        Place {
            places: self.clone(),
            client: client.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().expect("no holder panics")
    }
}

impl Shared {
    /// Gives a place to the client that holds fewest, of those that wait and may have one more.
    fn grant(&mut self) -> Option<(ClientId, oneshot::Sender<Place>)> {
        self.clients.retain(|_, own| {
            own.forget_who_left();
            own.held > 0 || !own.waiting.is_empty()
        });
        let free = self.free;
        let may = |own: &Own| own.held < free && !own.waiting.is_empty();
        let next = self.clients.iter_mut().filter(|(_, own)| may(own));
        let (client, own) = next.min_by_key(|(_, own)| own.held)?;
        let waiting = own.waiting.pop_front()?;
        own.held += 1;
        self.free -= 1;
        Some((client.clone(), waiting))
    }
}

impl Own {
    fn forget_who_left(&mut self) {
        self.waiting.retain(|waiting| !waiting.is_closed());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.give_back(&self.client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(name: &str) -> ClientId {
        name.parse().unwrap()
    }

    /// Takes places for a client until it is refused.
    async fn all(places: &Places, client: &ClientId) -> Vec<Place> {
        let mut held = Vec::new();
        while let Ok(place) = places.take(client).await {
            held.push(place);
        }
        held
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_gets_at_most_what_it_leaves_free() {
        let places = Places::new(12);
        let (first, second, third) = (client("first"), client("second"), client("third"));
        let held = all(&places, &first).await;
        assert_eq!(held.len(), 6);
        assert_eq!(places.take(&first).await.err(), Some(Full { held: 6, free: 6 }));
        let others = all(&places, &second).await;
        assert_eq!(others.len(), 3);
        assert!(places.take(&third).await.is_ok(), "two greedy clients left no room");
        drop((held, others));
        let shared = places.lock();
        assert!(shared.clients.is_empty());
        assert_eq!(shared.free, 12);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_is_given_back_goes_to_who_holds_fewest() {
        let places = Places::new(2);
        let (greedy, quiet) = (client("greedy"), client("quiet"));
        let held = places.take(&greedy).await.unwrap();
        let (again, first) = (places.take(&greedy), places.take(&quiet));
        let (again, first) = tokio::join!(again, first);
        assert!(again.is_err() && first.is_ok());
        let waiting = [places.take_or_queue(&greedy), places.take_or_queue(&quiet)];
        let [Err(mut of_greedy), Err(mut of_quiet)] = waiting else {
            panic!("there was a place");
        };
        drop(first);
        assert!(of_greedy.try_recv().is_err());
        let second = of_quiet.try_recv().unwrap();
        drop((held, second));
        assert!(of_greedy.try_recv().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_while_waiting_takes_no_place() {
        let places = Places::new(2);
        let one = client("one");
        let held = places.take(&one).await.unwrap();
        drop(places.take_or_queue(&one).err().unwrap());
        drop(held);
        assert!(places.take(&one).await.is_ok());
        drop(places.take(&one).await);
        assert!(places.lock().clients.is_empty());
    }
}
