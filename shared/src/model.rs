//! Models in the bucket: `models/<name>/current.json` names the version that holds, `models/<name>/<version>/` its files.

use serde::{Deserialize, Serialize};

use crate::blob::{BlobError, BlobKey, BlobStore};
use crate::ids::{ModelName, ModelVersion};

/// A pointer is a few dozen bytes; more is not one, in bytes.
const POINTER_BYTES_MAX: u64 = 64 * 1024;
/// A manifest is a list of a few files; more is not one, in bytes.
pub const MANIFEST_BYTES_MAX: u64 = 256 * 1024;

/// Why a model cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The store, or there is none.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// Its pointer is unreadable.
    #[error("{key} is not a model's pointer")]
    Malformed {
        /// Which object.
        key: BlobKey,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// The version of a model that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// Its version.
    pub version: ModelVersion,
}

/// Key of a model's pointer.
pub fn pointer_key(name: &ModelName) -> BlobKey {
    BlobKey::from_stored(format!("models/{name}/current.json"))
}

/// Key of a file of a version.
pub fn file_key(name: &ModelName, version: &ModelVersion, file: &str) -> BlobKey {
    BlobKey::from_stored(format!("models/{name}/{version}/{file}"))
}

/// The version of a model that holds now.
pub async fn current(blobs: &BlobStore, name: &ModelName) -> Result<Current, ModelError> {
    let key = pointer_key(name);
    let bytes = blobs.get(&key, POINTER_BYTES_MAX).await?;
    serde_json::from_slice(&bytes).map_err(|source| ModelError::Malformed { key, source })
}

/// Makes a version the one that holds. Its files must be there before.
pub async fn set_current(blobs: &BlobStore, name: &ModelName, current: &Current) -> Result<(), BlobError> {
    let bytes = serde_json::to_vec(current).expect("a version always serialises");
    blobs.put_bytes(&pointer_key(name), bytes.into()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointers_version_is_no_path() {
        let pointer = |version: &str| serde_json::from_str::<Current>(&format!(r#"{{"version":"{version}"}}"#));
        assert_eq!(pointer("2.1").unwrap().version.as_str(), "2.1");
        for bad in ["", "..", "../../etc", "/etc", "a/b", "2\\u0000"] {
            let error = pointer(bad).unwrap_err().to_string();
            assert!(error.contains("a model version must be 1 to 64 characters"), "{error}");
        }
    }
}
