//! How many uploads are served at a time, so that what they hold in memory and in temporary files is bounded.

use docket_shared::blob::PART_BYTES;
use docket_shared::ids::ClientId;
use docket_shared::spool::MEMORY_BYTES;

use super::error::{ApiError, Kind};
use super::places::{Full, Place, Places};

/// Uploads of this process at a time. Each holds at most [`MEMORY_BYTES`] twice, since what grows has room to grow, and a
/// temporary file of [`PART_BYTES`]: together 256 MiB of memory and 4 GiB of disk.
const UPLOADS_MAX: usize = 256 * 1024 * 1024 / (2 * MEMORY_BYTES);

const _: () = assert!(UPLOADS_MAX * PART_BYTES <= 4 * 1024 * 1024 * 1024);

/// The room for uploads; clones share it.
#[derive(Clone)]
pub struct Uploads(Places);

impl Default for Uploads {
    fn default() -> Self {
        Self(Places::new(UPLOADS_MAX))
    }
}

impl Uploads {
    /// Waits for room for an upload of a client.
    pub async fn admit(&self, client: &ClientId) -> Result<Place, ApiError> {
        self.0.take(client).await.map_err(|Full { held, free }| {
            let detail = format!(
                "This process serves {UPLOADS_MAX} uploads at a time: {held} are of this client, {free} are free for clients \
                 that have fewer; try again soon."
            );
            ApiError::new(Kind::Overloaded, detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_few_clients_with_many_uploads_leave_room_for_another() {
        let uploads = Uploads::default();
        let noisy: Vec<ClientId> = (0..4).map(|n| format!("noisy-{n}").parse().unwrap()).collect();
        let mut held = Vec::new();
        for client in noisy.iter().cycle().take(UPLOADS_MAX) {
            held.extend(uploads.admit(client).await);
        }
        let refused = uploads.admit(&noisy[0]).await.err().unwrap();
        assert_eq!(refused.kind(), Kind::Overloaded);
        let quiet = "quiet".parse().unwrap();
        assert!(uploads.admit(&quiet).await.is_ok());
        assert!(held.len() >= UPLOADS_MAX * 3 / 4, "{} places were used", held.len());
    }
}
