//! Models in the bucket: `models/<name>/current.json` names the current version, `models/<name>/<version>/` holds its files.

use serde::{Deserialize, Serialize};

use crate::ids::{ModelName, ModelVersion};
use crate::object_key::BlobKey;

/// Largest manifest in bytes. A manifest lists a few files, so a larger object is no manifest.
pub const MANIFEST_BYTES_MAX: u64 = 256 * 1024;

/// Content of a model's `current.json`, its pointer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// The current version.
    pub version: ModelVersion,
}

/// Key of the object that names a model's current version.
pub fn pointer_key(name: &ModelName) -> BlobKey {
    BlobKey::from_stored(format!("models/{name}/current.json"))
}

/// Key of one file of a model's version.
pub fn file_key(name: &ModelName, version: &ModelVersion, file: &str) -> BlobKey {
    BlobKey::from_stored(format!("models/{name}/{version}/{file}"))
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
