//! A shard's open work, for the metrics: what the broker and the workers have, and how old the oldest job is.

use sqlx::FromRow;

use crate::sql::sql;
use crate::{Database, StoreError};

/// A shard's open work of one model.
#[derive(Debug, Clone, Default, PartialEq, FromRow)]
pub struct OpenWork {
    /// The model.
    pub model: String,
    /// Jobs whose messages the broker has.
    pub queued: i64,
    /// Jobs that workers have.
    pub running: i64,
    /// How long ago the oldest waiting interactive job became due, in seconds; 0 when none is due. Paused jobs do not
    /// count.
    pub oldest_interactive_seconds: f64,
    /// The same for bulk jobs.
    pub oldest_bulk_seconds: f64,
    /// How long ago the oldest job in the broker was published, in seconds; 0 when the broker has none.
    pub oldest_queued_seconds: f64,
}

/// The open work of each model that has open jobs.
pub async fn of_shard(shard: &Database) -> Result<Vec<OpenWork>, StoreError> {
    shard.begin().await?.all(sql!("operate/open_work")).await
}
