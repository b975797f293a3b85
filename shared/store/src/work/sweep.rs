//! Repairs: sets jobs waiting again that a lost message, a dead worker or a mistake of ours left behind, and ends late
//! ones. Each repair looks for candidates, fences their buckets, and then changes those that still are candidates.

use std::time::Duration;

use sqlx::FromRow;
use uuid::Uuid;

use crate::rows::{Timestamp, seconds};
use crate::shards::keys::{buckets_of, columns, fit_fence};
use crate::sql::{Statement, sql};
use crate::work::granted_claim::POISON_CRASHES;
use crate::work::results::{self, Ending, Failure};
use crate::{Database, StoreError};
use docket_contract::ids::{ClaimToken, JobId, JobKey};
use docket_contract::sharding;
use docket_contract::state::Event;

/// Jobs that one transaction repairs: few enough that nobody waits noticeably for their rows.
const ROWS_MAX: i64 = 256;
/// Jobs that one transaction ends for their deadlines. More than [`ROWS_MAX`], since a client's whole batch may have
/// the same deadline.
const LATE_ROWS_MAX: i64 = 2_048;
/// A message that was published this long ago and is not claimed is lost: the broker holds about a second of work.
const LOST_AFTER: Duration = Duration::from_secs(600);
/// A claim that has been silent for this long is dead, and its message will not come again: a redelivery would have
/// taken the job over after [`TAKEOVER_AFTER`](crate::work::granted_claim::TAKEOVER_AFTER), 15 s.
const DEAD_AFTER: Duration = Duration::from_secs(120);

/// A candidate.
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

/// Looks for candidates. The transaction ends before they are repaired.
async fn look(shard: &Database, statement: Statement) -> Result<Vec<Row>, StoreError> {
    shard.begin().await?.all(statement).await
}

/// Ends jobs whose deadline passed, whatever they are doing. Returns how many; call again until it is 0.
pub async fn late(shard: &Database) -> Result<u64, StoreError> {
    let rows = look(shard, sql!("work/sweep_late").bind(LATE_ROWS_MAX)).await?;
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
    let query = sql!("work/sweep_lost").bind(ROWS_MAX).bind(seconds(LOST_AFTER));
    let rows = look(shard, query).await?;
    requeue(shard, &rows, "message lost").await
}

/// The shard's own time, which its rows are stamped with.
pub async fn now(shard: &Database) -> Result<jiff::Timestamp, StoreError> {
    let now: Timestamp = shard.begin().await?.scalar(sql!("work/sweep_now")).await?;
    Ok(now.to_jiff())
}

/// Sets every job waiting that was published before `before` and is not claimed yet. Returns how many; call again until
/// it is 0.
pub async fn published_before(shard: &Database, before: jiff::Timestamp) -> Result<u64, StoreError> {
    let query = sql!("work/sweep_published").bind(ROWS_MAX);
    let rows = look(shard, query.bind(Timestamp::from(before))).await?;
    requeue(shard, &rows, "requeued by an operator").await
}

async fn requeue(shard: &Database, rows: &[Row], reason: &str) -> Result<u64, StoreError> {
    let keys: Vec<JobKey> = rows.iter().filter_map(Row::key).collect();
    let keys = fit_fence(&keys);
    let (mut tx, owned) = shard.begin_owned(&buckets_of(keys)).await?;
    let (buckets, jobs) = columns(keys, &owned);
    let query = sql!("work/sweep_requeue").bind(buckets).bind(jobs);
    let repaired = tx
        .execute(query.bind(Event::Requeued.entry(None, Some(reason))))
        .await?;
    tx.commit().await?;
    Ok(repaired)
}

/// Sets jobs waiting whose workers died, and counts the crash. Jobs that are now poison are failed. Returns how many
/// jobs were dealt with; call again until it is 0.
pub async fn dead_claims(shard: &Database) -> Result<u64, StoreError> {
    let query = sql!("work/sweep_dead").bind(ROWS_MAX).bind(seconds(DEAD_AFTER));
    let rows = look(shard, query).await?;
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
    let query = sql!("work/sweep_bury")
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(token.0)
        .bind(seconds(DEAD_AFTER))
        .bind(Event::Crashed.entry(None, None))
        .bind(POISON_CRASHES);
    let Some(is_poison) = tx.optional_scalar(query).await? else {
        return Ok(false);
    };
    if is_poison {
        results::end(&mut tx, key, Some(token), &Ending::Failed(Failure::poison())).await?;
    }
    tx.commit().await?;
    Ok(true)
}
