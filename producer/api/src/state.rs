//! The state that callers' routes share.

use axum::extract::FromRef;
use docket_contract::model_defaults::ModelDefaults;
use docket_dispatch::handover::HandOver;
use docket_dispatch::images::Images;
use docket_http::reads::Reads;
use docket_identity::Verifier;
use docket_objects::BlobStore;
use docket_objects::published::Models;
use docket_process::shutdown::Shutdown;
use docket_store::Shards;

use crate::admission::Uploads;
use crate::backlog::Backlogs;
use crate::settings::ApiConfig;

/// The state that callers' routes share; clones share it too.
#[derive(Clone)]
pub struct ApiState {
    pub(crate) shards: Shards,
    pub(crate) blobs: BlobStore,
    pub(crate) models: Models,
    pub(crate) handover: HandOver,
    pub(crate) images: Images,
    pub(crate) uploads: Uploads,
    pub(crate) backlogs: Backlogs,
    pub(crate) document_bytes_max: u64,
    pub(crate) model_defaults: ModelDefaults,
    pub(crate) reads: Reads,
    pub(crate) shutdown: Shutdown,
    verifier: Verifier,
}

/// Where documents, rows and messages go.
pub struct Stores {
    /// The catalog and all shards.
    pub shards: Shards,
    /// The bucket of documents and models.
    pub blobs: BlobStore,
    /// The models that the bucket holds.
    pub models: Models,
    /// Publishes fresh jobs.
    pub handover: HandOver,
    /// Asks workers for images of pages.
    pub images: Images,
}

impl ApiState {
    /// The state of a process with these stores.
    pub fn new(config: &ApiConfig, stores: Stores, verifier: Verifier, shutdown: Shutdown) -> Self {
        Self {
            shards: stores.shards,
            blobs: stores.blobs,
            models: stores.models,
            handover: stores.handover,
            images: stores.images,
            uploads: Uploads::default(),
            backlogs: Backlogs::new(config.backlog),
            document_bytes_max: config.document_bytes_max,
            model_defaults: config.model_defaults.clone(),
            reads: Reads::new(verifier.clone(), shutdown.clone()),
            shutdown,
            verifier,
        }
    }
}

impl FromRef<ApiState> for Verifier {
    fn from_ref(state: &ApiState) -> Self {
        state.verifier.clone()
    }
}
