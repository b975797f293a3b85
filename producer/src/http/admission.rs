//! How many uploads are served at a time. So what they hold in memory and in temporary files is bounded; a client that
//! sends many leaves room for the others, and who waits too long for room is told to come back instead of being kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docket_shared::blob::PART_BYTES;
use docket_shared::ids::ClientId;
use docket_shared::spool::MEMORY_BYTES;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{ApiError, Kind};

/// Uploads of this process at a time. Each holds at most [`MEMORY_BYTES`] twice, since what grows has room to grow, and a
/// temporary file of [`PART_BYTES`]: together 256 MiB of memory and 4 GiB of disk.
const UPLOADS_MAX: usize = 256 * 1024 * 1024 / (2 * MEMORY_BYTES);
/// Those of one client: half, so that another's never waits for this one's.
const UPLOADS_CLIENT_MAX: usize = UPLOADS_MAX / 2;
/// How long an upload waits for room: longer, and a caller would rather ask another replica.
const WAIT_MAX: Duration = Duration::from_secs(2);

const _: () = assert!(UPLOADS_MAX * PART_BYTES <= 4 * 1024 * 1024 * 1024);

/// The room for uploads; clones share it.
#[derive(Clone)]
pub struct Uploads {
    all: Arc<Semaphore>,
    clients: Arc<Mutex<HashMap<ClientId, Room>>>,
}

/// A client's part of the room; kept only while it has uploads.
struct Room {
    semaphore: Arc<Semaphore>,
    uploads: usize,
}

/// An upload's room, given back when this is dropped.
pub struct Admitted {
    _all: OwnedSemaphorePermit,
    _of_client: OwnedSemaphorePermit,
    _share: Share,
}

struct Share {
    clients: Arc<Mutex<HashMap<ClientId, Room>>>,
    client: ClientId,
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(UPLOADS_MAX)),
            clients: Arc::default(),
        }
    }
}

impl Uploads {
    /// Waits for room for an upload of a client.
    pub async fn admit(&self, client: &ClientId) -> Result<Admitted, ApiError> {
        let admitted = tokio::time::timeout(WAIT_MAX, self.wait(client));
        admitted.await.map_err(|_| {
            ApiError::new(
                Kind::Overloaded,
                "This process has as many uploads as it can hold; try again soon.",
            )
        })
    }

    async fn wait(&self, client: &ClientId) -> Admitted {
        let (share, room) = self.share(client);
        // First among the client's own, so that what waits for the common room is never one client's only.
        let of_client = room.acquire_owned().await.expect("it is never closed");
        let all = self.all.clone().acquire_owned().await.expect("it is never closed");
        Admitted {
            _all: all,
            _of_client: of_client,
            _share: share,
        }
    }

    fn share(&self, client: &ClientId) -> (Share, Arc<Semaphore>) {
        let mut clients = self.clients.lock().expect("no holder panics");
        let new = || Room {
            semaphore: Arc::new(Semaphore::new(UPLOADS_CLIENT_MAX)),
            uploads: 0,
        };
        let room = clients.entry(client.clone()).or_insert_with(new);
        room.uploads += 1;
        (
            Share {
                clients: self.clients.clone(),
                client: client.clone(),
            },
            room.semaphore.clone(),
        )
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut clients = self.clients.lock().expect("no holder panics");
        if let Some(room) = clients.get_mut(&self.client) {
            room.uploads -= 1;
            if room.uploads == 0 {
                clients.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_with_many_uploads_leaves_room_for_another() {
        let uploads = Uploads::default();
        let (noisy, quiet) = ("noisy".parse().unwrap(), "quiet".parse().unwrap());
        let mut held = Vec::new();
        for _ in 0..UPLOADS_CLIENT_MAX {
            held.push(uploads.admit(&noisy).await.unwrap());
        }
        let refused = uploads.admit(&noisy).await.err().unwrap();
        assert_eq!(refused.kind(), Kind::Overloaded);
        assert!(uploads.admit(&quiet).await.is_ok());
        held.pop();
        assert!(uploads.admit(&noisy).await.is_ok());
        drop(held);
        assert!(uploads.clients.lock().unwrap().is_empty());
        assert_eq!(uploads.all.available_permits(), UPLOADS_MAX);
    }
}
