//! What the dispatcher and the sweeper share.

use std::sync::Arc;

use docket_objects::BlobStore;
use docket_queue::publish::Publisher;
use docket_store::Shards;
use uuid::Uuid;

/// Name of the lease in each shard.
pub const LEASE_NAME: &str = "dispatch";

/// What the dispatcher and the sweeper of every shard share: one value a process.
pub struct Dispatcher {
    /// The catalog and all shards.
    pub shards: Shards,
    /// The connection to the broker.
    pub publisher: Arc<Publisher>,
    /// The bucket, for the sweep of objects without a row.
    pub blobs: BlobStore,
    /// This process's id as the holder of leases.
    pub process: Uuid,
}
