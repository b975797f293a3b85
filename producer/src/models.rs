//! Which models exist, as the bucket says: a model is there when a version of it is published as current.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_shared::blob::{BlobError, BlobStore};
use docket_shared::ids::ModelName;
use docket_shared::model;
use tokio::sync::Mutex;

/// How long an answer is believed: a model published now can be named in an upload after this time.
const BELIEVED: Duration = Duration::from_secs(5);
/// Names remembered at most: unknown names come from callers, so their number has no bound of its own.
const NAMES_MAX: usize = 1_000;

/// A cached view of the models in the bucket; clones share the cache.
#[derive(Clone)]
pub struct Models {
    blobs: BlobStore,
    known: Arc<Mutex<HashMap<ModelName, (Instant, bool)>>>,
}

impl Models {
    /// A view of this bucket.
    pub fn new(blobs: BlobStore) -> Self {
        Self {
            blobs,
            known: Arc::default(),
        }
    }

    /// Whether a model of this name is published.
    pub async fn exists(&self, name: &ModelName) -> Result<bool, BlobError> {
        if let Some((asked, exists)) = self.known.lock().await.get(name)
            && asked.elapsed() < BELIEVED
        {
            return Ok(*exists);
        }
        let exists = match model::current(&self.blobs, name).await {
            Ok(_) => true,
            Err(model::ModelError::Blob(BlobError::NotFound { .. })) => false,
            Err(model::ModelError::Blob(error)) => return Err(error),
            // It is there, but a worker will refuse it: the job says so then.
            Err(model::ModelError::Malformed { .. }) => true,
        };
        let mut known = self.known.lock().await;
        if known.len() >= NAMES_MAX {
            known.clear();
        }
        known.insert(name.clone(), (Instant::now(), exists));
        Ok(exists)
    }
}
