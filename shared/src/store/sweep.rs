//! Repairs: what a lost message, a dead worker or a bug left behind becomes waiting work again. Each is a scan for
//! candidates, a fence, and an update that checks again.

use sqlx::FromRow;
use uuid::Uuid;

use super::claims::{POISON_CRASHES, SUSPECT_CRASHES};
use super::dispatch::{buckets_of, columns, fit_fence};
use super::results::{self, Ending, Failure};
use super::{Database, StoreError};
use crate::ids::{ClaimToken, JobId, JobKey};
use crate::sharding;
use crate::state::Event;

/// Rows repaired in one transaction.
const ROWS_MAX: i64 = 256;
/// Rows ended in one transaction for their deadlines: a client's whole batch may have one and the same.
const LATE_ROWS_MAX: i64 = 2_048;

// Published ten minutes ago and unclaimed: the broker holds about a second of work, so its message is gone.
const LOST: &str = "select bucket, job_id, claim_token from dispatch
    where state = 'queued' and published_at < now() - interval '10 min' limit $1";
// Every published row: asked for by an operator who knows that the broker lost its data.
const PUBLISHED: &str = "select bucket, job_id, claim_token from dispatch
    where state = 'queued' and published_at < $2 limit $1";
// Running without a heartbeat for two minutes: a redelivery would have taken it over after 15 s, so there was none. A shard
// that was away itself is the reason for the silence, and hears of its claims first.
const DEAD: &str = "select bucket, job_id, claim_token from dispatch
    where state = 'running' and heartbeat_at < now() - interval '2 min'
      and not exists (select 1 from gaps where ended > now() - interval '2 min') limit $1";

#[derive(FromRow)]
struct Row {
    bucket: i16,
    job_id: Uuid,
    claim_token: Option<Uuid>,
}

impl Row {
    fn key(&self) -> Option<JobKey> {
        Some(JobKey {
            bucket: sharding::bucket_from_number(self.bucket)?,
            job: JobId(self.job_id),
        })
    }
}

// Live past its deadline.
const LATE: &str = "select bucket, job_id, claim_token from dispatch where deadline <= now() limit $1";

/// Ends jobs whose deadline passed, whatever they are doing. Returns how many; call again until it is 0.
pub async fn late(shard: &Database) -> Result<u64, StoreError> {
    let mut tx = shard.begin().await?;
    let rows = tx
        .query_as::<Row>(LATE)
        .bind(LATE_ROWS_MAX)
        .fetch_all(tx.connection())
        .await;
    let rows = rows.map_err(|error| tx.failed(error))?;
    drop(tx);
    let mut keys: Vec<JobKey> = rows.iter().filter_map(Row::key).collect();
    keys.sort_unstable_by_key(|key| (key.bucket, key.job.0));
    let keys = fit_fence(&keys);
    let (mut tx, owned) = shard.begin_owned(&buckets_of(keys)).await?;
    let here: Vec<JobKey> = keys.iter().filter(|key| owned.contains(&key.bucket)).copied().collect();
    let ended = results::expire(&mut tx, &here).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Sets jobs waiting whose messages were lost. Returns how many; call again until it is 0.
pub async fn lost_messages(shard: &Database) -> Result<u64, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_as::<Row>(LOST).bind(ROWS_MAX);
    let rows = query
        .fetch_all(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    drop(tx);
    requeue(shard, &rows, "message lost").await
}

/// The shard's own time, which its rows are stamped with.
pub async fn now(shard: &Database) -> Result<jiff::Timestamp, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_scalar::<jiff_sqlx::Timestamp>("select now()");
    let now = query
        .fetch_one(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    Ok(now.to_jiff())
}

/// Sets every job waiting that was published before `before` and not yet claimed. Returns how many; call again until 0.
pub async fn published_before(shard: &Database, before: jiff::Timestamp) -> Result<u64, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx
        .query_as::<Row>(PUBLISHED)
        .bind(ROWS_MAX)
        .bind(jiff_sqlx::Timestamp::from(before));
    let rows = query
        .fetch_all(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    drop(tx);
    requeue(shard, &rows, "requeued by an operator").await
}

async fn requeue(shard: &Database, rows: &[Row], reason: &str) -> Result<u64, StoreError> {
    let keys: Vec<JobKey> = rows.iter().filter_map(Row::key).collect();
    let keys = fit_fence(&keys);
    let (mut tx, owned) = shard.begin_owned(&buckets_of(keys)).await?;
    let (buckets, jobs) = columns(keys, &owned);
    let query = tx.query(
        "update dispatch d set state = 'waiting', published_at = null,
             history = docket_history(d.history, $3 || jsonb_build_object('at', clock_timestamp()))
         from (select bucket, job_id from dispatch
               where (bucket, job_id) in (select * from unnest($1::smallint[], $2::uuid[])) and state = 'queued'
               order by bucket, job_id for update) lost
         where d.bucket = lost.bucket and d.job_id = lost.job_id",
    );
    let query = query
        .bind(buckets)
        .bind(jobs)
        .bind(Event::Requeued.entry(None, Some(reason)));
    let repaired = query
        .execute(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?
        .rows_affected();
    tx.commit().await?;
    Ok(repaired)
}

/// Sets jobs waiting whose workers died, counting the crash; those that have now crashed too often alone are failed as
/// poison. Returns how many rows were dealt with; call again until it is 0.
pub async fn dead_claims(shard: &Database) -> Result<u64, StoreError> {
    let mut tx = shard.begin().await?;
    let rows = tx.query_as::<Row>(DEAD).bind(ROWS_MAX).fetch_all(tx.connection()).await;
    let rows = rows.map_err(|error| tx.failed(error))?;
    drop(tx);
    let mut repaired = 0;
    for row in &rows {
        if let (Some(key), Some(token)) = (row.key(), row.claim_token) {
            repaired += u64::from(bury(shard, key, ClaimToken(token)).await?);
        }
    }
    Ok(repaired)
}

/// Counts the crash of one dead claim, and sets its job waiting or fails it.
async fn bury(shard: &Database, key: JobKey, token: ClaimToken) -> Result<bool, StoreError> {
    let (mut tx, owned) = shard.begin_owned(&[key.bucket]).await?;
    if owned.is_empty() {
        return Ok(false);
    }
    let query = tx.query_scalar::<i32>(
        "update dispatch set crashes = least(crashes + (not alone)::int, $4), lone_crashes = lone_crashes + alone::int,
             history = docket_history(history, $5 || jsonb_build_object('at', clock_timestamp(), 'worker', worker, 'model', model)),
             state = case when lone_crashes + alone::int >= $6 then state else 'waiting' end,
             claim_token = case when lone_crashes + alone::int >= $6 then claim_token end,
             heartbeat_at = null, published_at = null
         where bucket = $1 and job_id = $2 and claim_token = $3 and state = 'running'
           and heartbeat_at < now() - interval '2 min'
         returning lone_crashes",
    );
    let query = query
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(token.0)
        .bind(SUSPECT_CRASHES);
    let query = query.bind(Event::Crashed.entry(None, None)).bind(POISON_CRASHES);
    let crashes = query
        .fetch_optional(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    let Some(crashes) = crashes else { return Ok(false) };
    if crashes >= POISON_CRASHES {
        results::end(&mut tx, key, Some(token), &Ending::Failed(Failure::poison())).await?;
    }
    tx.commit().await?;
    Ok(true)
}
