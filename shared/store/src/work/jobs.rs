//! Jobs: accepted with their document or for a document that is there, and read as their caller sees them.

use jiff::Timestamp as Instant;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::rows::{Timestamp, instant, seconds, undecodable};
use crate::sql::sql;
use crate::work::dispatch::{PUBLISH_LEASE, READY_WITHOUT_CONSUMERS};
use crate::work::results::{self, Ending};
use crate::{FencedTx, StoreError};
use docket_contract::coverage::Coverage;
use docket_contract::ids::{Bucket, ClientId, DocumentId, JobId, JobKey, ModelName, ModelRef, ModelVersion};
use docket_contract::job::Priority;
use docket_contract::object_key::{BlobKey, Stored};
use docket_contract::page_ranges::PageRanges;
use docket_contract::state::JobState;

/// Jobs of a document that may be open at a time: as many as anybody compares models at once. So a caller that asks in
/// a loop does not fill its shard with the same work.
pub const OPEN_JOBS_MAX: i64 = 8;

/// Waiting jobs of a model that are looked at when a job is accepted. With more of them the job is left to the
/// dispatcher, so that accepting a job reads few rows.
const WAITING_SEEN_MAX: i64 = 32;
/// Jobs of a model in the broker, at most, beside which a job is handed over whoever its client is. With more, a burst
/// would be in the broker before the dispatcher has seen it.
const QUEUED_FEW: i64 = 2;
/// A client with this many jobs in flight is handed no more over beside a backlog. A client that sends one document at
/// a time has up to three in flight now and then.
const OWN_FEW: i32 = 3;

/// A document that is stored in S3 and now gets its row.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// Id of the document.
    pub id: DocumentId,
    /// The document's first job.
    pub job: NewJob,
    /// The caller's own id.
    pub external_id: Option<String>,
    /// The caller's name for it.
    pub file_name: Option<String>,
    /// Media type of the document.
    pub media_type: String,
    /// The pages that are to be read, when the caller named some.
    pub pages: Option<PageRanges>,
    /// The caller's own data: a JSON object without the character NUL, byte for byte as it was sent.
    pub metadata: Option<String>,
    /// Where the document is stored.
    pub key: BlobKey,
    /// Size and hash of what was stored.
    pub stored: Stored,
}

/// An analysis that was asked for.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Id of the job. A later job of a document may get another id.
    pub id: JobId,
    /// The model that is to read the document.
    pub model: ModelRef,
    /// When the job is to be done.
    pub schedule: Schedule,
    /// W3C trace context of the request.
    pub trace_parent: Option<String>,
    /// Whether the accepting process would publish the job itself.
    pub hand_over: bool,
}

/// When a job is to be done, as its caller wishes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Whether somebody waits for the job.
    pub priority: Priority,
    /// When the job is due. Without a time, or with one that has passed, it is due when it is accepted.
    pub not_before: Option<Instant>,
    /// Not after this time: then the job expires, whatever it is doing.
    pub deadline: Option<Instant>,
}

/// Who publishes a job that was just accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOver {
    /// The accepting process, at once: no other job is overtaken. Holds the token of its lease.
    Mine(Uuid),
    /// The dispatcher, when it is the job's turn.
    Dispatcher,
}

/// What is known of the document of an accepted job.
#[derive(Clone, Copy)]
struct JobDocument<'a> {
    id: DocumentId,
    size_bytes: i64,
    /// The document itself when its row is yet to be written.
    new: Option<&'a NewDocument>,
}

/// Writes the rows of an accepted job, and of its document where that is new.
async fn accept(
    tx: &mut FencedTx,
    (bucket, client): (Bucket, &ClientId),
    document: JobDocument<'_>,
    job: &NewJob,
) -> Result<HandOver, StoreError> {
    let query = sql!("work/accept")
        .bind(bucket.number())
        .bind(document.id.0)
        .bind(client.as_str())
        .bind(job.id.0)
        .bind(job.model.name.as_str())
        .bind(job.model.version.as_ref().map(ModelVersion::as_str))
        .bind(&job.trace_parent)
        .bind(job.hand_over.then(Uuid::new_v4))
        .bind(document.size_bytes);
    let query = query
        .bind(job.schedule.priority.as_str())
        .bind(job.schedule.not_before.map(Timestamp::from))
        .bind(job.schedule.deadline.map(Timestamp::from))
        .bind(seconds(PUBLISH_LEASE))
        .bind(WAITING_SEEN_MAX)
        .bind(i64::from(READY_WITHOUT_CONSUMERS))
        .bind(QUEUED_FEW)
        .bind(OWN_FEW);
    let new = document.new;
    let metadata = new.and_then(|new| new.metadata.as_deref());
    // For the release before this one, with its numbers rounded as that release rounds them.
    let rounded: Option<Value> = metadata.and_then(|sent| serde_json::from_str(sent).ok());
    let query = query
        .bind(new.and_then(|new| new.external_id.as_deref()))
        .bind(new.and_then(|new| new.file_name.as_deref()))
        .bind(new.map(|new| new.media_type.as_str()))
        .bind(rounded)
        .bind(new.map(|new| new.stored.sha256.as_slice()))
        .bind(new.map(|new| new.key.to_string()))
        .bind(metadata)
        .bind(new.and_then(|new| new.pages.as_ref()).map(ToString::to_string));
    let lease: Option<Uuid> = tx.scalar(query).await?;
    Ok(lease.map_or(HandOver::Dispatcher, HandOver::Mine))
}

/// Writes the rows of an accepted document: the document, its job, and the job's dispatch row.
pub async fn create(
    tx: &mut FencedTx,
    bucket: Bucket,
    client: &ClientId,
    document: &NewDocument,
) -> Result<HandOver, StoreError> {
    let of = JobDocument {
        id: document.id,
        size_bytes: document.stored.bytes as i64,
        new: Some(document),
    };
    accept(tx, (bucket, client), of, &document.job).await
}

/// What became of a wish to have a document analysed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reanalysis {
    /// The job was accepted under this id.
    Accepted(JobId, HandOver),
    /// The client has no such document.
    NoDocument,
    /// [`OPEN_JOBS_MAX`] jobs of the document are open.
    TooManyOpen,
}

/// Writes the rows of one more job of a client's document, if not too many are open. A document's newest job is the one
/// with the highest id, so the job gets another id when the clock of the process that made the id is behind.
pub async fn reanalyse(
    tx: &mut FencedTx,
    bucket: Bucket,
    client: &ClientId,
    document: DocumentId,
    job: &NewJob,
) -> Result<Reanalysis, StoreError> {
    // Requests for the same document count its open jobs one after the other: the next one waits here for the row, and
    // then sees what this one has committed.
    let query = sql!("work/document_lock").bind(bucket.number()).bind(document.0);
    let size_bytes = tx.optional_scalar(query.bind(client.as_str())).await?;
    let Some(size_bytes) = size_bytes else {
        return Ok(Reanalysis::NoDocument);
    };
    let query = sql!("work/document_jobs").bind(bucket.number()).bind(document.0);
    let (open, newest): (i64, Option<Uuid>) = tx.one(query.bind(client.as_str())).await?;
    if open >= OPEN_JOBS_MAX {
        return Ok(Reanalysis::TooManyOpen);
    }
    let mut job = job.clone();
    job.id = newest.map_or(job.id, |newest| job.id.or_after(JobId(newest)));
    let of = JobDocument {
        id: document,
        size_bytes,
        new: None,
    };
    Ok(Reanalysis::Accepted(
        job.id,
        accept(tx, (bucket, client), of, &job).await?,
    ))
}

/// A job as its caller sees it.
#[derive(Debug, Clone)]
pub struct JobView {
    /// The job.
    pub id: JobId,
    /// The job's document.
    pub document_id: DocumentId,
    /// The job's state.
    pub state: JobState,
    /// The model.
    pub model: ModelName,
    /// The version that was asked for. Of a job that succeeded: the version that read the document.
    pub model_version: Option<String>,
    /// Whether somebody waits for the job.
    pub priority: Priority,
    /// When the job is due, while it waits.
    pub due_at: Option<Instant>,
    /// When the job expires.
    pub deadline: Option<Instant>,
    /// Attempts so far.
    pub attempts: i32,
    /// Kind and detail of the failure, when the job failed.
    pub error: Option<(String, String)>,
    /// What happened to the job, the newest event last.
    pub history: Value,
    /// Windows that the text was cut into.
    pub windows: Option<i32>,
    /// Tokens of the text.
    pub tokens: Option<i64>,
    /// Characters of the extracted text.
    pub text_chars: Option<i64>,
    /// Number of entities that were found.
    pub entities: Option<i32>,
    /// Where the extracted text is stored.
    pub text_key: Option<BlobKey>,
    /// Where the map of that text is stored, for a document that has one.
    pub map_key: Option<BlobKey>,
    /// What of the document was read.
    pub coverage: Option<Coverage>,
    /// The share of the text that the model has read, while the job runs; `None` until that is known.
    pub progress: Option<f32>,
    /// When the job was accepted.
    pub created_at: Instant,
    /// When the last claim was made.
    pub started_at: Option<Instant>,
    /// When the job ended.
    pub ended_at: Option<Instant>,
}

impl FromRow<'_, PgRow> for JobView {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let state: String = row.try_get("state")?;
        let priority: String = row.try_get("priority")?;
        let kind: Option<String> = row.try_get("error_kind")?;
        let detail: Option<String> = row.try_get("error_detail")?;
        let model: String = row.try_get("model")?;
        Ok(Self {
            id: JobId(row.try_get("job_id")?),
            document_id: DocumentId(row.try_get("document_id")?),
            state: JobState::parse(&state).ok_or_else(|| undecodable(format!("job state {state:?}")))?,
            model: model.parse::<ModelName>().map_err(undecodable)?,
            model_version: row.try_get("model_version")?,
            priority: Priority::parse(&priority).ok_or_else(|| undecodable(format!("priority {priority:?}")))?,
            due_at: instant(row, "due_at")?,
            deadline: instant(row, "deadline")?,
            attempts: row.try_get("attempts")?,
            error: kind.map(|kind| (kind, detail.unwrap_or_default())),
            history: row.try_get("history")?,
            windows: row.try_get("windows")?,
            tokens: row.try_get("tokens")?,
            text_chars: row.try_get("text_chars")?,
            entities: row.try_get("entities")?,
            text_key: row.try_get::<Option<String>, _>("text_key")?.map(BlobKey::from_stored),
            map_key: row.try_get::<Option<String>, _>("map_key")?.map(BlobKey::from_stored),
            coverage: row
                .try_get::<Option<Json<Coverage>>, _>("coverage")?
                .map(|Json(coverage)| coverage),
            progress: row.try_get("progress")?,
            created_at: instant(row, "job_created_at")?.unwrap_or(Instant::UNIX_EPOCH),
            started_at: instant(row, "started_at")?,
            ended_at: instant(row, "ended_at")?,
        })
    }
}

/// A client's job. `None` when the client has no job of this id.
pub async fn find(tx: &mut FencedTx, key: JobKey, client: &ClientId) -> Result<Option<JobView>, StoreError> {
    let query = sql!("work/job_find").bind(key.bucket.number()).bind(key.job.0);
    tx.optional(query.bind(client.as_str())).await
}

/// What became of a wish to have a job cancelled.
#[derive(Debug)]
pub enum Cancellation {
    /// The job is cancelled, now or since an earlier time.
    Cancelled(Box<JobView>),
    /// The job had ended otherwise.
    Ended(JobState),
    /// The client has no such job.
    NoJob,
}

/// Cancels a client's job, whatever it is doing. From now on its worker can write nothing for it any more; the worker
/// learns that within 2 s.
pub async fn cancel(tx: &mut FencedTx, key: JobKey, client: &ClientId) -> Result<Cancellation, StoreError> {
    if find(tx, key, client).await?.is_none() {
        return Ok(Cancellation::NoJob);
    }
    results::end(tx, key, None, &Ending::Cancelled("its caller")).await?;
    Ok(match find(tx, key, client).await? {
        Some(job) if job.state == JobState::Cancelled => Cancellation::Cancelled(Box::new(job)),
        Some(job) => Cancellation::Ended(job.state),
        None => Cancellation::NoJob,
    })
}

/// Which of a document's jobs are listed.
#[derive(Debug, Clone, Copy)]
pub struct JobPage {
    /// The document.
    pub document: DocumentId,
    /// Only jobs older than this one.
    pub before: Option<JobId>,
    /// At most this many jobs.
    pub limit: i64,
}

/// A page of the jobs of a client's document, newest first.
pub async fn list(
    tx: &mut FencedTx,
    bucket: Bucket,
    client: &ClientId,
    page: JobPage,
) -> Result<Vec<JobView>, StoreError> {
    let query = sql!("work/jobs_list")
        .bind(bucket.number())
        .bind(page.document.0)
        .bind(client.as_str())
        .bind(page.before.map_or(Uuid::max(), |job| job.0))
        .bind(page.limit);
    tx.all(query).await
}

/// The job whose result stands for a client's document: the newest that succeeded or, while none has, the newest of
/// all. `None` when the client has no such document.
pub async fn result_job(
    tx: &mut FencedTx,
    bucket: Bucket,
    client: &ClientId,
    document: DocumentId,
) -> Result<Option<JobView>, StoreError> {
    let query = sql!("work/job_of_result").bind(bucket.number()).bind(document.0);
    tx.optional(query.bind(client.as_str())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PostgreSQL has to know these two when it plans the statement, so that they stand in it as numbers.
    #[test]
    fn the_limits_in_the_statement_are_one_more_than_what_is_bound() {
        let sql = include_str!("../../sql/work/accept.sql");
        for (rows, bound) in [
            ("state = 'waiting'", WAITING_SEEN_MAX),
            ("state = 'queued'", READY_WITHOUT_CONSUMERS.into()),
        ] {
            let line = format!("from dispatch where model = $5 and {rows} limit {}", bound + 1);
            assert!(sql.contains(&line), "{line}");
        }
    }
}
