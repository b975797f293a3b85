//! How many uploads are served at a time. What they may hold in memory is bounded, a client that sends many leaves room
//! for the others, and who waits too long for room is told to come back instead of being kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docket_shared::ids::ClientId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{ApiError, Kind};

/// What all uploads of this process may hold in memory, in MiB; so also how many there are at most.
const HELD_MIB_MAX: u32 = 256;
/// What those of one client may hold, in MiB: half, so that another's never waits for this one's.
const HELD_MIB_CLIENT_MAX: u32 = HELD_MIB_MAX / 2;
/// What one upload holds at most, in MiB: a part for S3 and the room it grew in.
const HELD_MIB_UPLOAD_MAX: u32 = 16;
/// How long an upload waits for room: longer, and a caller would rather ask another replica.
const WAIT_MAX: Duration = Duration::from_secs(2);

const _: () = assert!(HELD_MIB_UPLOAD_MAX <= HELD_MIB_CLIENT_MAX);

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
            all: Arc::new(Semaphore::new(HELD_MIB_MAX as usize)),
            clients: Arc::default(),
        }
    }
}

impl Uploads {
    /// Waits for room for an upload of a client; `bytes` is its length, when it was announced.
    pub async fn admit(&self, client: &ClientId, bytes: Option<u64>) -> Result<Admitted, ApiError> {
        let admitted = tokio::time::timeout(WAIT_MAX, self.wait(client, mib(bytes)));
        admitted.await.map_err(|_| {
            ApiError::new(
                Kind::Overloaded,
                "This process has as many uploads as it can hold; try again soon.",
            )
        })
    }

    async fn wait(&self, client: &ClientId, mib: u32) -> Admitted {
        let (share, room) = self.share(client);
        // First among the client's own, so that what waits for the common room is never one client's only.
        let of_client = room.acquire_many_owned(mib).await.expect("it is never closed");
        let all = self
            .all
            .clone()
            .acquire_many_owned(mib)
            .await
            .expect("it is never closed");
        Admitted {
            _all: all,
            _of_client: of_client,
            _share: share,
        }
    }

    fn share(&self, client: &ClientId) -> (Share, Arc<Semaphore>) {
        let mut clients = self.clients.lock().expect("no holder panics");
        let new = || Room {
            semaphore: Arc::new(Semaphore::new(HELD_MIB_CLIENT_MAX as usize)),
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

/// What an upload may hold, in MiB: twice its length, since what grows has room to grow.
fn mib(bytes: Option<u64>) -> u32 {
    let mib = bytes.map_or(u64::MAX, |bytes| bytes.saturating_mul(2).div_ceil(1024 * 1024));
    u32::try_from(mib).unwrap_or(u32::MAX).clamp(1, HELD_MIB_UPLOAD_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_with_many_uploads_leaves_room_for_another() {
        let uploads = Uploads::default();
        let (noisy, quiet) = ("noisy".parse().unwrap(), "quiet".parse().unwrap());
        let mut held = Vec::new();
        for _ in 0..HELD_MIB_CLIENT_MAX {
            held.push(uploads.admit(&noisy, Some(20_000)).await.unwrap());
        }
        let refused = uploads.admit(&noisy, Some(20_000)).await.err().unwrap();
        assert_eq!(refused.kind(), Kind::Overloaded);
        assert!(uploads.admit(&quiet, None).await.is_ok());
        held.pop();
        assert!(uploads.admit(&noisy, Some(20_000)).await.is_ok());
        drop(held);
        assert!(uploads.clients.lock().unwrap().is_empty());
        assert_eq!(uploads.all.available_permits(), HELD_MIB_MAX as usize);
    }

    #[test]
    fn an_upload_counts_for_what_it_can_hold() {
        assert_eq!([mib(Some(0)), mib(Some(1)), mib(Some(512 * 1024 + 1))], [1, 1, 2]);
        assert_eq!([mib(Some(u64::MAX)), mib(None)], [HELD_MIB_UPLOAD_MAX; 2]);
    }
}
