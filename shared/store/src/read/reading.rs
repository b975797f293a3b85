//! Transactions that only read, for callers that wait for their answer.

use std::time::Duration;

use crate::sql::sql;
use crate::{FencedTx, Shards, StoreError};
use docket_contract::ids::Bucket;

/// Longest statement of a read. By its index a statement takes milliseconds. Two statements of this length end, with
/// the wait for a connection (5 s), before the producer gives up its answer (15 s), so that no statement outlives the
/// answer that it is for.
pub const STATEMENT_MAX: Duration = Duration::from_secs(4);

/// Begins a fenced transaction that only reads, on the shard that owns the bucket.
pub async fn begin(shards: &Shards, bucket: Bucket) -> Result<FencedTx, StoreError> {
    let mut tx = shards.begin(bucket).await?;
    let query = sql!("read/bound").bind(format!("{}ms", STATEMENT_MAX.as_millis()));
    tx.execute(query).await?;
    Ok(tx)
}
