//! How much work a shard has that has not ended. The acting dispatcher counts it; whoever accepts work for the shard
//! reads the count.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use sqlx::FromRow;

use crate::rows::seconds;
use crate::sql::sql;
use crate::work::dispatch::IN_FLIGHT_MAX;
use crate::{Database, FencedTx, StoreError};
use docket_contract::ids::{Bucket, ClientId};

/// A waiting job that is not due for longer than this is deferred: its caller wished so, since no retry waits longer
/// than 5 min.
pub const DEFERRED_AFTER: Duration = Duration::from_secs(600);

/// What a shard has of one model, from accepted to not yet ended.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Backlog {
    /// The model.
    pub model: String,
    /// Jobs.
    pub jobs: i64,
    /// Bytes of their documents.
    pub bytes: i64,
    /// How long ago the oldest of the jobs became due, in seconds; 0 when none is due.
    pub oldest_seconds: f64,
    /// How long one worker would take for the jobs that can be done now, in seconds; see [`Pace`].
    pub work_seconds: f64,
}

/// How fast work is done, by which bytes are turned into seconds.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Bytes of documents that one worker reads in a second, by model.
    pub bytes_per_second: HashMap<String, f64>,
    /// The same for every other model.
    pub otherwise: f64,
    /// Seconds that one document counts, at least and at most.
    pub document_seconds: RangeInclusive<f64>,
}

/// Counts a shard's whole backlog and stores the count in the shard. Reads every dispatch row, so only the acting
/// dispatcher does this, every now and then.
pub async fn count(shard: &Database, pace: &Pace) -> Result<Vec<Backlog>, StoreError> {
    let (models, speeds): (Vec<String>, Vec<f64>) = pace.bytes_per_second.clone().into_iter().unzip();
    let query = sql!("work/backlog_count")
        .bind(models)
        .bind(speeds)
        .bind(pace.otherwise)
        .bind(*pace.document_seconds.start())
        .bind(*pace.document_seconds.end())
        .bind(IN_FLIGHT_MAX)
        .bind(seconds(DEFERRED_AFTER));
    let mut tx = shard.begin().await?;
    let counted = tx.all(query).await?;
    tx.commit().await?;
    Ok(counted)
}

/// Counts the same without seconds of work, for operators. Stores nothing.
pub async fn look(shard: &Database) -> Result<Vec<Backlog>, StoreError> {
    shard.begin().await?.all(sql!("work/backlog_look")).await
}

/// Open jobs: of one client, or of a whole shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Open {
    /// All jobs that have not ended, deferred ones among them.
    pub jobs: i64,
    /// Jobs that are not due for longer than [`DEFERRED_AFTER`].
    pub deferred: i64,
}

/// Open jobs of a client, each kind counted up to what `most` says of it.
pub async fn of_client(
    tx: &mut FencedTx,
    (bucket, client): (Bucket, &ClientId),
    most: Open,
) -> Result<Open, StoreError> {
    let query = sql!("work/backlog_of_client")
        .bind(bucket.number())
        .bind(client.as_str())
        .bind(most.jobs)
        .bind(most.deferred)
        .bind(seconds(DEFERRED_AFTER));
    tx.one(query).await
}

/// Open jobs of the whole shard at the last count; none before the first count. The count holds however old it is:
/// while counting takes long the backlog is large, and while nobody counts nobody dispatches either.
pub async fn of_shard(tx: &mut FencedTx) -> Result<Open, StoreError> {
    tx.one(sql!("work/backlog_of_shard")).await
}
