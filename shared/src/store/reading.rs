//! Transactions that only read, for callers who wait for their answer.

use std::time::Duration;

use super::{FencedTx, Shards, StoreError};
use crate::ids::Bucket;

/// Longest statement of a read. By their indexes they take milliseconds; with the wait for a connection (5 s) two of them end
/// before the producer gives up on its answer (15 s), so that no query outlives the answer that it is for.
pub const STATEMENT_MAX: Duration = Duration::from_secs(4);

/// Begins a transaction that only reads, on the shard that owns the bucket, fenced.
pub async fn begin(shards: &Shards, bucket: Bucket) -> Result<FencedTx, StoreError> {
    let mut tx = shards.begin(bucket).await?;
    let query =
        tx.query("select set_config('statement_timeout', $1, true), set_config('transaction_read_only', 'on', true)");
    let query = query.bind(format!("{}ms", STATEMENT_MAX.as_millis()));
    let bounded = query.execute(tx.connection()).await;
    bounded.map_err(|error| tx.failed(error))?;
    Ok(tx)
}
