//! How much waits and runs: counted by whoever acts for a shard, read by whoever accepts for it.

use std::time::Duration;

use sqlx::FromRow;

use super::{Database, FencedTx, StoreError, seconds};
use crate::ids::{Bucket, ClientId};

/// A count that is older than this says nothing any more: nobody acts for the shard.
const COUNT_GOOD_FOR: Duration = Duration::from_secs(120);

/// What a shard has of one model, from accepted to not yet ended.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Backlog {
    /// The model.
    pub model: String,
    /// Jobs.
    pub jobs: i64,
    /// Bytes of their documents.
    pub bytes: i64,
    /// How long ago the oldest of them became due, in seconds; 0 when none is due.
    pub oldest_seconds: f64,
}

/// Counts a shard's whole backlog and keeps the count in it. Reads every dispatch row: for the acting dispatcher alone,
/// every now and then.
pub async fn count(shard: &Database) -> Result<Vec<Backlog>, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_as::<Backlog>(
        "with counted as (
             select model, count(*) as jobs, sum(size_bytes)::bigint as bytes,
                    greatest(extract(epoch from now() - min(due_at)), 0)::double precision as oldest_seconds
             from dispatch group by model
         ), gone as (
             delete from backlogs where model not in (select model from counted)
         ), kept as (
             insert into backlogs (model, jobs, bytes) select model, jobs, bytes from counted
             on conflict (model) do update set jobs = excluded.jobs, bytes = excluded.bytes, counted_at = now()
         )
         select * from counted",
    );
    let counted = query.fetch_all(tx.connection()).await;
    let counted = counted.map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(counted)
}

/// The same count, kept nowhere: for operators.
pub async fn look(shard: &Database) -> Result<Vec<Backlog>, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_as::<Backlog>(
        "select model, count(*) as jobs, sum(size_bytes)::bigint as bytes,
                greatest(extract(epoch from now() - min(due_at)), 0)::double precision as oldest_seconds
         from dispatch group by model order by model",
    );
    let counted = query.fetch_all(tx.connection()).await;
    counted.map_err(|error| tx.failed(error))
}

/// Jobs of a client that have not ended, counted up to `most`.
pub async fn of_client(tx: &mut FencedTx, bucket: Bucket, client: &ClientId, most: i64) -> Result<i64, StoreError> {
    let query = tx.query_scalar(
        "select count(*) from (select 1 from dispatch where bucket = $1 and client_id = $2 limit $3) counted",
    );
    let query = query.bind(bucket.number()).bind(client.to_string()).bind(most);
    query.fetch_one(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// Jobs of the whole shard that had not ended at the last count; 0 while nobody counts.
pub async fn of_shard(tx: &mut FencedTx) -> Result<i64, StoreError> {
    let query = tx.query_scalar(
        "select coalesce(sum(jobs), 0)::bigint from backlogs where counted_at > now() - make_interval(secs => $1)",
    );
    let query = query.bind(seconds(COUNT_GOOD_FOR));
    query.fetch_one(tx.connection()).await.map_err(|error| tx.failed(error))
}
