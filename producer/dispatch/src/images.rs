//! Pages that callers want to look at, sent to the workers that draw them. A wish is no job: it may be lost, and whoever still wants
//! the page asks again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use docket_contract::ids::{ClientId, DocumentId};
use docket_contract::page_image::DrawPage;
use docket_queue::QueueError;
use docket_queue::publish::Publisher;

/// A page is not asked for again within this time, in which workers draw it unless they are busy.
const AGAIN_AFTER: Duration = Duration::from_secs(10);
/// New pages that a client may ask one process for within that time: more than a person leafs through.
pub const WISHES_OF_CLIENT_MAX: usize = 64;
/// Wishes that this process remembers, of some 100 bytes each.
const WISHES_MAX: usize = 8_192;

/// Why a page is not asked for.
#[derive(Debug, thiserror::Error)]
pub enum NotAsked {
    /// The client waits for as many pages as it may.
    #[error("the client waits for {WISHES_OF_CLIENT_MAX} pages")]
    TooManyOfClient,
    /// All clients together wait for as many pages as they may.
    #[error("as many pages are waited for as may be")]
    TooMany,
    /// The broker did not take the wish.
    #[error(transparent)]
    Queue(QueueError),
}

/// Asks for images of pages; clones share what was asked for.
#[derive(Clone)]
pub struct Images {
    publisher: Arc<Publisher>,
    wishes: Arc<Mutex<Wishes>>,
}

/// What was asked for, and when.
#[derive(Default)]
struct Wishes {
    of_clients: HashMap<ClientId, HashMap<(DocumentId, u32), Instant>>,
    count: usize,
}

impl Images {
    /// Asks by this publisher.
    pub fn new(publisher: Arc<Publisher>) -> Self {
        Self {
            publisher,
            wishes: Arc::default(),
        }
    }

    /// Asks for a page, unless it was asked for a moment ago.
    pub async fn ask(&self, page: DrawPage) -> Result<(), NotAsked> {
        let (client, wish) = (page.client_id.clone(), (page.document_id, page.page));
        if !self.wishes().add(&client, wish, Instant::now())? {
            return Ok(());
        }
        let sent = self.publisher.image(page).await;
        sent.map_err(|error| {
            self.wishes().remove(&client, wish);
            NotAsked::Queue(error)
        })
    }

    fn wishes(&self) -> std::sync::MutexGuard<'_, Wishes> {
        self.wishes.lock().expect("no holder panics")
    }
}

impl Wishes {
    /// Remembers a wish. `false` if it was made a moment ago.
    fn add(&mut self, client: &ClientId, wish: (DocumentId, u32), now: Instant) -> Result<bool, NotAsked> {
        if self.count >= WISHES_MAX || self.of_clients.len() >= WISHES_MAX {
            self.forget(now);
        }
        let of_client = self.of_clients.entry(client.clone()).or_default();
        let before = of_client.len();
        of_client.retain(|_, asked| now < *asked + AGAIN_AFTER);
        self.count -= before - of_client.len();
        if of_client.contains_key(&wish) {
            return Ok(false);
        }
        if of_client.len() >= WISHES_OF_CLIENT_MAX {
            return Err(NotAsked::TooManyOfClient);
        }
        if self.count >= WISHES_MAX {
            return Err(NotAsked::TooMany);
        }
        of_client.insert(wish, now);
        self.count += 1;
        Ok(true)
    }

    fn remove(&mut self, client: &ClientId, wish: (DocumentId, u32)) {
        let removed = self.of_clients.get_mut(client).and_then(|wishes| wishes.remove(&wish));
        self.count -= usize::from(removed.is_some());
    }

    /// Forgets what was asked for long ago.
    fn forget(&mut self, now: Instant) {
        self.of_clients.retain(|_, wishes| {
            wishes.retain(|_, asked| now < *asked + AGAIN_AFTER);
            !wishes.is_empty()
        });
        self.count = self.of_clients.values().map(HashMap::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_once_in_a_while_and_a_client_waits_for_so_many() {
        let (mut wishes, now, document) = (Wishes::default(), Instant::now(), DocumentId::generate());
        let (acme, other): (ClientId, ClientId) = ("acme".parse().unwrap(), "other".parse().unwrap());
        let mut add = |client, page, now| wishes.add(client, (document, page), now);
        for page in 1..=WISHES_OF_CLIENT_MAX as u32 {
            assert!(add(&acme, page, now).unwrap());
        }
        assert!(!add(&acme, 1, now).unwrap());
        assert!(matches!(add(&acme, 0, now), Err(NotAsked::TooManyOfClient)));
        assert!(add(&other, 1, now).unwrap());
        let later = now + AGAIN_AFTER;
        assert!(add(&acme, 1, later).unwrap());
        wishes.remove(&acme, (document, 1));
        wishes.forget(later);
        assert_eq!((wishes.count, wishes.of_clients.len()), (0, 0));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut wishes, now, document) = (Wishes::default(), Instant::now(), DocumentId::generate());
        let client = |number: usize| format!("client-{number}").parse::<ClientId>().unwrap();
        for number in 0..WISHES_MAX {
            assert!(wishes.add(&client(number), (document, 1), now).unwrap());
        }
        let one_more = client(WISHES_MAX);
        assert!(matches!(
            wishes.add(&one_more, (document, 1), now),
            Err(NotAsked::TooMany)
        ));
        assert!(wishes.add(&one_more, (document, 1), now + AGAIN_AFTER).unwrap());
        assert!(wishes.of_clients.len() <= 2);
    }
}
