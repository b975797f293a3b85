//! Failed and expired jobs: the dead letters, for operators. Nothing leaves them by itself.
//!
//! What is read here takes the rows of this shard's own buckets only: those of a bucket that has moved away, or is only being
//! copied here, are another shard's to show.

use std::time::Duration;

use jiff::Timestamp as Instant;
use serde_json::Value;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::QueryAs;
use sqlx::{FromRow, Postgres, Row};
use uuid::Uuid;

use super::dispatch::{buckets_of, columns, fit_fence};
use super::jobs::instant;
use super::{Database, StoreError, Timestamp, seconds};
use crate::ids::{ClientId, DocumentId, JobId, JobKey, ModelName};
use crate::sharding;
use crate::state::{Event, JobState};

/// Jobs that are redriven or purged in one transaction: few enough that their callers' reads never wait noticeably.
const ROWS_MAX: usize = 500;

/// Which dead jobs are meant; what it does not name does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this client.
    pub client: Option<ClientId>,
    /// Failed, or expired.
    pub state: Option<JobState>,
    /// With this kind of error.
    pub reason: Option<String>,
    /// For this model, whatever version.
    pub model: Option<ModelName>,
    /// That ended before this time.
    pub ended_before: Option<Instant>,
    /// That ended at this time or after it.
    pub ended_after: Option<Instant>,
}

/// A dead job, as an operator sees it: nothing of its document but where that is.
#[derive(Debug, Clone)]
pub struct DeadJob {
    /// Where it is.
    pub key: JobKey,
    /// Its document.
    pub document: DocumentId,
    /// Whose it is.
    pub client: ClientId,
    /// Failed or expired.
    pub state: JobState,
    /// The model that was to read the document.
    pub model: ModelName,
    /// The version, when one was insisted on.
    pub model_version: Option<String>,
    /// Claims in all.
    pub attempts: i32,
    /// Kind and detail of the error, when it failed.
    pub error: Option<(String, String)>,
    /// When it was accepted.
    pub created_at: Instant,
    /// When its last claim was made.
    pub started_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
}

impl FromRow<'_, PgRow> for DeadJob {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
            sqlx::Error::Decode(Box::new(error))
        }
        let (state, client, model): (String, String, String) =
            (row.try_get("state")?, row.try_get("client_id")?, row.try_get("model")?);
        let unknown = || sqlx::Error::Decode(format!("job state {state:?}").into());
        let detail: Option<String> = row.try_get("error_detail")?;
        Ok(Self {
            key: Key::from_row(row)?.0,
            document: DocumentId(row.try_get("document_id")?),
            client: client.parse().map_err(decode)?,
            state: JobState::parse(&state).ok_or_else(unknown)?,
            model: model.parse().map_err(decode)?,
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
        let no_bucket = || sqlx::Error::Decode(format!("bucket {number}").into());
        Ok(Self(JobKey {
            bucket: sharding::bucket_from_number(number).ok_or_else(no_bucket)?,
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

// The condition of the index jobs_dead, and whose rows they are. Ownership is a filter and not a join, so that the index is
// walked in its order.
macro_rules! dead {
    ($($columns:tt)*) => {
        concat!(
            "select ",
            $($columns)*,
            " from jobs j where j.state in ('failed', 'expired') and j.purged_at is null
              and (select o.owner from bucket_owners o where o.bucket = j.bucket) = (select name from shard_identity) "
        )
    };
}
// Binds $1 to $6.
macro_rules! matching {
    () => {
        "and ($1::text is null or j.client_id = $1) and ($2::text is null or j.state = $2)
         and ($3::text is null or j.error_kind = $3) and ($4::text is null or j.model = $4)
         and ($5::timestamptz is null or j.ended_at < $5) and ($6::timestamptz is null or j.ended_at >= $6) "
    };
}
// Histories are long and are not listed.
macro_rules! columns {
    () => {
        "j.bucket, j.id, j.document_id, j.client_id, j.state, j.model, j.model_version, j.attempts, j.error_kind, \
         j.error_detail, j.created_at, j.started_at, j.ended_at"
    };
}

type Matching<T> = QueryAs<'static, Postgres, T, PgArguments>;

fn bind<T>(query: Matching<T>, filter: &Filter) -> Matching<T> {
    let query = query
        .bind(filter.client.as_ref().map(ToString::to_string))
        .bind(filter.state.map(JobState::as_str))
        .bind(filter.reason.clone())
        .bind(filter.model.as_ref().map(ToString::to_string));
    query
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
    let mut tx = shard.begin().await?;
    let query = tx.query_as::<DeadJob>(concat!(
        dead!(columns!()),
        matching!(),
        "and j.id < $7 order by j.id desc limit $8"
    ));
    let query = bind(query, filter)
        .bind(before.map_or(Uuid::max(), |job| job.0))
        .bind(limit);
    query.fetch_all(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// Where the oldest dead jobs of this shard are that match, oldest first; only those newer than `after`.
pub async fn oldest(
    shard: &Database,
    filter: &Filter,
    after: Option<JobId>,
    limit: i64,
) -> Result<Vec<JobKey>, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_as::<Key>(concat!(
        dead!("j.bucket, j.id"),
        matching!(),
        "and j.id > $7 order by j.id limit $8"
    ));
    let query = bind(query, filter)
        .bind(after.map_or(Uuid::nil(), |job| job.0))
        .bind(limit);
    let keys = query
        .fetch_all(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    Ok(keys.into_iter().map(|Key(key)| key).collect())
}

/// Where those of these jobs are that are dead and on this shard.
pub async fn locate(shard: &Database, jobs: &[JobId]) -> Result<Vec<JobKey>, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_as::<Key>(concat!(dead!("j.bucket, j.id"), "and j.id = any($1) order by j.id"));
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.0).collect();
    let keys = query.bind(ids).fetch_all(tx.connection()).await;
    let keys = keys.map_err(|error| tx.failed(error))?;
    Ok(keys.into_iter().map(|Key(key)| key).collect())
}

/// A dead job and what happened to it, newest last, if it is on this shard.
pub async fn find(shard: &Database, job: JobId) -> Result<Option<(DeadJob, Value)>, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_as::<WithHistory>(concat!(dead!("j.*"), "and j.id = $1"));
    let found = query.bind(job.0).fetch_optional(tx.connection()).await;
    let found = found.map_err(|error| tx.failed(error))?;
    Ok(found.map(|WithHistory(job, history)| (job, history)))
}

// The attempts go on counting, errors and crashes begin anew, and so does the age. A deadline that has passed is gone.
const REDRIVE: &str = "
with chosen as (
    select j.bucket, j.id, j.attempts, j.history, j.deadline, k.after
    from jobs j join unnest($1::smallint[], $2::uuid[], $3::float8[]) as k(bucket, id, after)
        on k.bucket = j.bucket and k.id = j.id
    where j.state in ('failed', 'expired') order by j.bucket, j.id for update of j
), opened as (
    update jobs j set state = 'open', error_kind = null, error_detail = null, started_at = null, ended_at = null,
        purged_at = null, deadline = case when j.deadline > now() then j.deadline end
    from chosen c where j.bucket = c.bucket and j.id = c.id
    returning j.bucket, j.id, j.document_id, j.client_id, j.model, j.priority, j.deadline, j.trace_parent
)
insert into dispatch (bucket, job_id, client_id, model, priority, size_bytes, due_at, deadline, attempt, history, trace_parent)
select o.bucket, o.id, o.client_id, o.model, o.priority, d.size_bytes,
       now() + make_interval(secs => c.after), o.deadline, c.attempts,
       docket_history(c.history, $4 || jsonb_build_object('at', clock_timestamp())), o.trace_parent
from opened o join chosen c on c.bucket = o.bucket and c.id = o.id
join documents d on d.bucket = o.bucket and d.id = o.document_id
returning job_id";

/// A job, and when it is to be due, from now: all at once would be a second launch day.
pub type Turn = (JobKey, Duration);

/// As many of the keys, in order, as one transaction takes: sorted ones make the fewest.
pub fn together(keys: &[JobKey]) -> &[JobKey] {
    fit_fence(&keys[..keys.len().min(ROWS_MAX)])
}

/// Sets dead jobs of this shard waiting again, each until its turn; those that are dead no longer are left out. As many at
/// a time as [`together`] gives. Returns the jobs that wait.
pub async fn redrive(shard: &Database, turns: &[Turn], by: &str) -> Result<Vec<JobId>, StoreError> {
    let keys: Vec<JobKey> = turns.iter().map(|(key, _)| *key).collect();
    let (mut tx, owned) = shard.begin_owned(&buckets_of(&keys)).await?;
    let (buckets, jobs) = columns(&keys, &owned);
    let here = turns.iter().filter(|(key, _)| owned.contains(&key.bucket));
    let after: Vec<f64> = here.map(|(_, after)| seconds(*after)).collect();
    let query = tx.query_scalar::<Uuid>(REDRIVE).bind(buckets).bind(jobs).bind(after);
    let query = query.bind(Event::Redriven.entry(None, Some(by)));
    let redriven = query.fetch_all(tx.connection()).await;
    let redriven = redriven.map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(redriven.into_iter().map(JobId).collect())
}

/// Takes dead jobs of this shard out of the operators' lists; for their callers nothing changes. As many at a time as
/// [`together`] gives. Returns those that were in the lists.
pub async fn purge(shard: &Database, keys: &[JobKey]) -> Result<Vec<JobId>, StoreError> {
    let (mut tx, owned) = shard.begin_owned(&buckets_of(keys)).await?;
    let (buckets, jobs) = columns(keys, &owned);
    let query = tx.query_scalar::<Uuid>(
        "update jobs j set purged_at = now()
         from (select bucket, id from jobs where (bucket, id) in (select * from unnest($1::smallint[], $2::uuid[]))
                 and state in ('failed', 'expired') and purged_at is null order by bucket, id for update) dead
         where j.bucket = dead.bucket and j.id = dead.id returning j.id",
    );
    let purged = query.bind(buckets).bind(jobs).fetch_all(tx.connection()).await;
    let purged = purged.map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(purged.into_iter().map(JobId).collect())
}
