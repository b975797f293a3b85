//! Limits the uploads served at a time, so that their memory and temporary files are bounded.

use docket_contract::ids::ClientId;
use docket_objects::PART_BYTES;
use docket_objects::spool::MEMORY_BYTES;

use docket_http::places::{Full, Place, Places};
use docket_http::problem::{ApiError, Kind};

/// Uploads of this process at a time. Each holds at most twice [`MEMORY_BYTES`], since a growing buffer has room to grow, and a
/// temporary file of [`PART_BYTES`]: together 256 MiB of memory and 4 GiB of disk.
const UPLOADS_MAX: usize = 256 * 1024 * 1024 / (2 * MEMORY_BYTES);

const _: () = assert!(UPLOADS_MAX * PART_BYTES <= 4 * 1024 * 1024 * 1024);

/// The places for uploads; clones share them.
#[derive(Clone)]
pub struct Uploads(Places);

impl Default for Uploads {
    fn default() -> Self {
        Self(Places::new(UPLOADS_MAX))
    }
}

impl Uploads {
    /// Waits for a place for a client's upload.
    pub async fn admit(&self, client: &ClientId) -> Result<Place, ApiError> {
        self.0.take(client).await.map_err(|Full { held, free }| {
            let detail = format!(
                "This process serves {UPLOADS_MAX} uploads at a time: {held} are of this client, {free} are free for clients \
                 that have fewer; try again soon."
            );
            ApiError::new(Kind::OVERLOADED, detail)
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
        assert_eq!(refused.kind(), Kind::OVERLOADED);
        let quiet = "quiet".parse().unwrap();
        assert!(uploads.admit(&quiet).await.is_ok());
        assert!(held.len() >= UPLOADS_MAX * 3 / 4, "{} places were used", held.len());
    }
}
