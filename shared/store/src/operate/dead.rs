//! Dead jobs: those that failed or expired, for operators. A dead job stays one until an operator redrives or purges
//! it.
//!
//! Only jobs of this shard's own buckets are read here. Jobs of a bucket that has moved away, or is being copied here,
//! are for another shard to show.

use std::time::Duration;

use jiff::Timestamp as Instant;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::rows::{Timestamp, instant, seconds, undecodable};
use crate::shards::keys::{buckets_of, columns, fit_fence};
use crate::sql::{Statement, sql};
use crate::{Database, StoreError};
use docket_contract::ids::{ClientId, DocumentId, JobId, JobKey, ModelName};
use docket_contract::sharding;
use docket_contract::state::{Event, JobState};

/// Jobs that one transaction redrives or purges: few enough that no caller's read waits noticeably.
const ROWS_MAX: usize = 500;

/// Which dead jobs are meant. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only jobs of this client.
    pub client: Option<ClientId>,
    /// Only failed jobs, or only expired ones.
    pub state: Option<JobState>,
    /// Only jobs with this kind of error.
    pub reason: Option<String>,
    /// Only jobs for this model, whatever version.
    pub model: Option<ModelName>,
    /// Only jobs that ended before this time.
    pub ended_before: Option<Instant>,
    /// Only jobs that ended at this time or after it.
    pub ended_after: Option<Instant>,
}

/// A dead job, as an operator sees it. Nothing of its document is here but the document's id.
#[derive(Debug, Clone)]
pub struct DeadJob {
    /// The job.
    pub key: JobKey,
    /// The job's document.
    pub document: DocumentId,
    /// The job's client.
    pub client: ClientId,
    /// Whether the job failed or expired.
    pub state: JobState,
    /// The model that was to read the document.
    pub model: ModelName,
    /// The model's version, when the caller asked for one.
    pub model_version: Option<String>,
    /// Attempts in all.
    pub attempts: i32,
    /// Kind and detail of the error.
    pub error: Option<(String, String)>,
    /// When the job was accepted.
    pub created_at: Instant,
    /// When the last claim was made.
    pub started_at: Option<Instant>,
    /// When the job ended.
    pub ended_at: Option<Instant>,
}

impl FromRow<'_, PgRow> for DeadJob {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let (state, client, model): (String, String, String) =
            (row.try_get("state")?, row.try_get("client_id")?, row.try_get("model")?);
        let detail: Option<String> = row.try_get("error_detail")?;
        Ok(Self {
            key: Key::from_row(row)?.0,
            document: DocumentId(row.try_get("document_id")?),
            client: client.parse::<ClientId>().map_err(undecodable)?,
            state: JobState::parse(&state).ok_or_else(|| undecodable(format!("job state {state:?}")))?,
            model: model.parse::<ModelName>().map_err(undecodable)?,
            model_version: row.try_get("model_version")?,
            attempts: row.try_get("attempts")?,
            error: row
                .try_get::<Option<String>, _>("error_kind")?
                .map(|kind| (kind, detail.unwrap_or_default())),
            created_at: instant(row, "created_at")?.unwrap_or(Instant::UNIX_EPOCH),
            started_at: instant(row, "started_at")?,
            ended_at: instant(row, "ended_at")?,
        })
    }
}

struct Key(JobKey);

impl FromRow<'_, PgRow> for Key {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let number = row.try_get("bucket")?;
        Ok(Self(JobKey {
            bucket: sharding::bucket_from_number(number).ok_or_else(|| undecodable(format!("bucket {number}")))?,
            job: JobId(row.try_get("id")?),
        }))
    }
}

struct WithHistory(DeadJob, Value);

impl FromRow<'_, PgRow> for WithHistory {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self(DeadJob::from_row(row)?, row.try_get("history")?))
    }
}

/// Binds the filter, as both statements on it have it: `$1` to `$6`.
fn bind(statement: Statement, filter: &Filter) -> Statement {
    statement
        .bind(filter.client.as_ref().map(ClientId::as_str))
        .bind(filter.state.map(JobState::as_str))
        .bind(&filter.reason)
        .bind(filter.model.as_ref().map(ModelName::as_str))
        .bind(filter.ended_before.map(Timestamp::from))
        .bind(filter.ended_after.map(Timestamp::from))
}

/// The newest dead jobs of this shard that match, newest first; only those older than `before`.
pub async fn list(
    shard: &Database,
    filter: &Filter,
    before: Option<JobId>,
    limit: i64,
) -> Result<Vec<DeadJob>, StoreError> {
    let query = bind(sql!("operate/dead_list"), filter).bind(before.map_or(Uuid::max(), |job| job.0));
    shard.begin().await?.all(query.bind(limit)).await
}

/// Where the oldest dead jobs of this shard are that match, oldest first; only those newer than `after`.
pub async fn oldest(
    shard: &Database,
    filter: &Filter,
    after: Option<JobId>,
    limit: i64,
) -> Result<Vec<JobKey>, StoreError> {
    let query = bind(sql!("operate/dead_oldest"), filter).bind(after.map_or(Uuid::nil(), |job| job.0));
    let keys = shard.begin().await?.all(query.bind(limit)).await?;
    Ok(keys.into_iter().map(|Key(key)| key).collect())
}

/// Where those of these jobs are that are dead and on this shard.
pub async fn locate(shard: &Database, jobs: &[JobId]) -> Result<Vec<JobKey>, StoreError> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.0).collect();
    let keys = shard.begin().await?.all(sql!("operate/dead_locate").bind(ids)).await?;
    Ok(keys.into_iter().map(|Key(key)| key).collect())
}

/// A dead job with its history, the newest event last, if the job is on this shard.
pub async fn find(shard: &Database, job: JobId) -> Result<Option<(DeadJob, Value)>, StoreError> {
    let query = sql!("operate/dead_find").bind(job.0);
    let found = shard.begin().await?.optional(query).await?;
    Ok(found.map(|WithHistory(job, history)| (job, history)))
}

/// A job, and how long from now it is to be due. Redriven jobs get their turns one after the other, or they would flood
/// the workers.
pub type Turn = (JobKey, Duration);

/// The first keys, as many as one transaction takes. Sorted keys make the fewest transactions.
pub fn together(keys: &[JobKey]) -> &[JobKey] {
    fit_fence(&keys[..keys.len().min(ROWS_MAX)])
}

/// Sets dead jobs of this shard waiting again, each until its turn. Jobs that are dead no longer are left out. Takes as
/// many jobs at a time as [`together`] gives. Returns the jobs that wait.
pub async fn redrive(shard: &Database, turns: &[Turn], by: &str) -> Result<Vec<JobId>, StoreError> {
    let keys: Vec<JobKey> = turns.iter().map(|(key, _)| *key).collect();
    let (mut tx, owned) = shard.begin_owned(&buckets_of(&keys)).await?;
    let (buckets, jobs) = columns(&keys, &owned);
    let here = turns.iter().filter(|(key, _)| owned.contains(&key.bucket));
    let after: Vec<f64> = here.map(|(_, after)| seconds(*after)).collect();
    let query = sql!("operate/dead_redrive").bind(buckets).bind(jobs).bind(after);
    let redriven = tx.scalars(query.bind(Event::Redriven.entry(None, Some(by)))).await?;
    tx.commit().await?;
    Ok(redriven.into_iter().map(JobId).collect())
}

/// Takes dead jobs of this shard out of the operators' lists. Nothing changes for their callers. Takes as many jobs at
/// a time as [`together`] gives. Returns those that were in the lists.
pub async fn purge(shard: &Database, keys: &[JobKey]) -> Result<Vec<JobId>, StoreError> {
    let (mut tx, owned) = shard.begin_owned(&buckets_of(keys)).await?;
    let (buckets, jobs) = columns(keys, &owned);
    let purged = tx.scalars(sql!("operate/dead_purge").bind(buckets).bind(jobs)).await?;
    tx.commit().await?;
    Ok(purged.into_iter().map(JobId).collect())
}
