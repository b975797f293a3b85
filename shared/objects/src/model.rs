//! A model's pointer in the bucket, which names the current version.

use docket_contract::ids::ModelName;
use docket_contract::model::{Current, pointer_key};
use docket_contract::object_key::BlobKey;

use crate::{BlobError, BlobStore};

/// Largest pointer in bytes. A pointer has a few dozen bytes, so a larger object is none.
const POINTER_BYTES_MAX: u64 = 64 * 1024;

/// Why the current version is not known.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The store failed, or there is no pointer.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The pointer is unreadable.
    #[error("{key} is not a model's pointer")]
    Malformed {
        /// Key of the pointer.
        key: BlobKey,
        /// What the JSON parser said.
        source: serde_json::Error,
    },
}

/// The current version of a model.
pub async fn current(blobs: &BlobStore, name: &ModelName) -> Result<Current, ModelError> {
    let key = pointer_key(name);
    let bytes = blobs.get(&key, POINTER_BYTES_MAX).await?;
    serde_json::from_slice(&bytes).map_err(|source| ModelError::Malformed { key, source })
}

/// Makes a version the current version. Upload its files first.
pub async fn set_current(blobs: &BlobStore, name: &ModelName, current: &Current) -> Result<(), BlobError> {
    let bytes = serde_json::to_vec(current).expect("a version always serialises");
    blobs.put_bytes(&pointer_key(name), bytes.into()).await
}
