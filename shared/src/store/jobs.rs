//! Jobs: accepted with their document or for one that is there, and read as their caller sees them.

use jiff::Timestamp as Instant;
use serde_json::Value;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::QueryScalar;
use sqlx::{FromRow, Postgres, Row};
use uuid::Uuid;

use super::results::{self, Ending};
use super::{FencedTx, StoreError};
use crate::blob::{BlobKey, Stored};
use crate::ids::{Bucket, ClientId, DocumentId, JobId, JobKey, ModelName, ModelRef, ModelVersion};
use crate::job::Priority;
use crate::state::JobState;

/// Jobs of a document that may be open at a time: as many as models are sensibly compared at once. A caller that asks in a
/// loop does not fill its shard with the same work.
pub const OPEN_JOBS_MAX: i64 = 8;

/// A document that is stored in S3 and now becomes a row.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// Its id.
    pub id: DocumentId,
    /// Its first job.
    pub job: NewJob,
    /// The caller's own id.
    pub external_id: Option<String>,
    /// The caller's name for it.
    pub file_name: Option<String>,
    /// What it is.
    pub media_type: String,
    /// The caller's own data: a JSON object without the character NUL, byte for byte as it was sent.
    pub metadata: Option<String>,
    /// Where it is.
    pub key: BlobKey,
    /// What was stored.
    pub stored: Stored,
}

/// An analysis that was asked for.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its id; a document's later job may get another one.
    pub id: JobId,
    /// Which model shall read the document.
    pub model: ModelRef,
    /// When it is its turn.
    pub schedule: Schedule,
    /// W3C trace context of the request.
    pub trace_parent: Option<String>,
    /// Whether the accepting process would publish it itself.
    pub hand_over: bool,
}

/// When a job is to be done, as its caller wishes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Whether somebody waits for it.
    pub priority: Priority,
    /// Not before this time; at once without one, or when it has passed already: nothing has waited since before it came.
    pub not_before: Option<Instant>,
    /// Not after this time: from then on it is expired, wherever it is.
    pub deadline: Option<Instant>,
}

/// A hand-over of a fresh job: whether the accepting process may publish it at once, and under which lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOver {
    /// Nothing is overtaken: the row is leased to the accepting process.
    Mine(Uuid),
    /// The dispatcher decides.
    Dispatcher,
}

// One statement: what comes before the job, the job, and its dispatch row. Handed over is what nothing else waits for while
// workers take what comes, with at most two jobs in the broker: with more a burst would be there before the dispatcher has
// seen it, and whoever comes next behind it. And handed over is an interactive job of a client that has none waiting and
// fewer than three in flight: it is the dispatcher's next one however much others have waiting (`allot`), and would only
// wait for it. Three are what a client has now and then that sends one at a time. The conditions look at a bounded number of
// rows: at most 32 waiting ones, all of them leased or not yet due, at most 16 in the broker, which is what the dispatcher
// keeps there without consumers, and as many of the client's as it may have in flight; those who are accepted at the same
// moment do not see one another, so that all of it holds about.
macro_rules! accept_job {
    ($before:literal) => {
        concat!(
            "with ",
            $before,
            "job as (
    insert into jobs (bucket, id, document_id, client_id, model, model_version, trace_parent, priority, deadline)
    values ($1, $4, $2, $3, $5, $6, $7, $10, $12)
), waiting as (
    select due_at <= now() and (lease_until is null or lease_until < now()) as free
    from dispatch where model = $5 and state = 'waiting' limit 33
), published as (
    select count(*) as jobs from (select 1 from dispatch where model = $5 and state = 'queued' limit 17) of_model
), control as (
    select in_flight_max, paused from client_controls where bucket = $1 and client_id = $3
), own as (
    select count(*) as jobs, coalesce(bool_or(free), false) as waits from (
        select false as free from dispatch where client_id = $3 and state in ('queued', 'running')
        union all
        select lease_until is null or lease_until < now() from dispatch
        where client_id = $3 and state = 'waiting' and model = $5 and priority = 'interactive' and due_at <= now()
        limit (select coalesce(max(in_flight_max), 3) from control)
    ) of_client
), at_once as (
    select $8::uuid is not null
       and (published.jobs <= 2 and (select count(*) <= 32 and not coalesce(bool_or(free), false) from waiting)
            or $10 = 'interactive' and own.jobs < 3 and not own.waits)
       and own.jobs < coalesce(control.in_flight_max, own.jobs + 1)
       and published.jobs <= 16
       and coalesce($11 <= now(), true)
       and not coalesce(control.paused, false)
       and not exists (select 1 from paused_models where model = $5) as yes
    from own cross join published left join control on true
)
insert into dispatch (bucket, job_id, client_id, model, size_bytes, trace_parent, priority, due_at, deadline,
                      lease_token, lease_until)
select $1, $4, $3, $5, $9, $7, $10, greatest($11, now()), $12,
       case when yes then $8::uuid end, case when yes then now() + interval '30 s' end from at_once
returning lease_token"
        )
    };
}

const CREATE: &str = accept_job!(
    "document as (
    insert into documents (bucket, id, client_id, size_bytes, external_id, file_name, media_type, metadata, sha256, blob_key,
                           metadata_sent)
    values ($1, $2, $3, $9, $13, $14, $15, $16, $17, $18, $19)
), "
);
const REANALYSE: &str = accept_job!("");

type Accept = QueryScalar<'static, Postgres, Option<Uuid>, PgArguments>;

/// Binds what every accepted job has: `$1` to `$12`.
fn bind(query: Accept, (bucket, client): (Bucket, &ClientId), document: (DocumentId, i64), job: &NewJob) -> Accept {
    let (id, size_bytes) = document;
    let version = job.model.version.as_ref().map(ModelVersion::to_string);
    let query = query
        .bind(bucket.number())
        .bind(id.0)
        .bind(client.to_string())
        .bind(job.id.0);
    let query = query.bind(job.model.name.to_string()).bind(version);
    let query = query
        .bind(job.trace_parent.clone())
        .bind(job.hand_over.then(Uuid::new_v4))
        .bind(size_bytes);
    query
        .bind(job.schedule.priority.as_str())
        .bind(job.schedule.not_before.map(super::Timestamp::from))
        .bind(job.schedule.deadline.map(super::Timestamp::from))
}

async fn accept(tx: &mut FencedTx, query: Accept) -> Result<HandOver, StoreError> {
    let lease = query
        .fetch_one(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    Ok(lease.map_or(HandOver::Dispatcher, HandOver::Mine))
}

/// Writes the rows of an accepted document: itself, its job, and its job's dispatch row.
pub async fn create(
    tx: &mut FencedTx,
    bucket: Bucket,
    client: &ClientId,
    document: &NewDocument,
) -> Result<HandOver, StoreError> {
    let size = (document.id, document.stored.bytes as i64);
    let query = bind(tx.query_scalar(CREATE), (bucket, client), size, &document.job);
    let query = query
        .bind(document.external_id.clone())
        .bind(document.file_name.clone())
        .bind(document.media_type.clone());
    // For the release before this one, with its numbers rounded as it rounds them.
    let rounded = document
        .metadata
        .as_deref()
        .and_then(|sent| serde_json::from_str::<Value>(sent).ok());
    let query = query
        .bind(rounded)
        .bind(document.stored.sha256.to_vec())
        .bind(document.key.to_string())
        .bind(document.metadata.clone());
    accept(tx, query).await
}

/// What became of a wish to have a document analysed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reanalysis {
    /// The job is accepted, under this id.
    Accepted(JobId, HandOver),
    /// The client has no such document.
    NoDocument,
    /// [`OPEN_JOBS_MAX`] jobs of the document are open.
    TooManyOpen,
}

/// Writes the rows of one more job of a client's document, if not too many are open. A document's newest job is the one with
/// the highest id, so the job gets another id when the clock of whoever made it is behind.
pub async fn reanalyse(
    tx: &mut FencedTx,
    bucket: Bucket,
    client: &ClientId,
    document: DocumentId,
    job: &NewJob,
) -> Result<Reanalysis, StoreError> {
    // Those who ask for the same document at the same time count one after the other: the next statement sees what was
    // committed before this one got the row.
    let query = tx.query_scalar::<i64>(
        "select size_bytes from documents where bucket = $1 and id = $2 and client_id = $3 for no key update",
    );
    let query = query.bind(bucket.number()).bind(document.0).bind(client.to_string());
    let found = query.fetch_optional(tx.connection()).await;
    let Some(size_bytes) = found.map_err(|error| tx.failed(error))? else {
        return Ok(Reanalysis::NoDocument);
    };
    let query = tx.query_as::<(i64, Option<Uuid>)>(
        "select (select count(*) from jobs
                 where bucket = $1 and client_id = $3 and state = 'open' and document_id = $2),
                (select id from jobs where bucket = $1 and document_id = $2 order by id desc limit 1)",
    );
    let query = query.bind(bucket.number()).bind(document.0).bind(client.to_string());
    let found = query.fetch_one(tx.connection()).await;
    let (open, newest) = found.map_err(|error| tx.failed(error))?;
    if open >= OPEN_JOBS_MAX {
        return Ok(Reanalysis::TooManyOpen);
    }
    let mut job = job.clone();
    job.id = newest.map_or(job.id, |newest| job.id.or_after(JobId(newest)));
    let query = tx.query_scalar(REANALYSE);
    let query = bind(query, (bucket, client), (document, size_bytes), &job);
    Ok(Reanalysis::Accepted(job.id, accept(tx, query).await?))
}

/// A job as its caller sees it.
#[derive(Debug, Clone)]
pub struct JobView {
    /// The job.
    pub id: JobId,
    /// Its document.
    pub document_id: DocumentId,
    /// Where it stands.
    pub state: JobState,
    /// The model.
    pub model: ModelName,
    /// The version that was asked for or, once it succeeded, the one that read it.
    pub model_version: Option<String>,
    /// Whether somebody waits for it.
    pub priority: Priority,
    /// When it is due, while it waits.
    pub due_at: Option<Instant>,
    /// When it expires.
    pub deadline: Option<Instant>,
    /// Claims so far.
    pub attempts: i32,
    /// Kind and detail of the failure, when it failed.
    pub error: Option<(String, String)>,
    /// What happened.
    pub history: Value,
    /// Windows the text was cut into.
    pub windows: Option<i32>,
    /// Tokens of the text.
    pub tokens: Option<i64>,
    /// Characters of the extracted text.
    pub text_chars: Option<i64>,
    /// Entities found.
    pub entities: Option<i32>,
    /// Key of the extracted text.
    pub text_key: Option<BlobKey>,
    /// When it was accepted.
    pub created_at: Instant,
    /// When the last claim was made.
    pub started_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
}

impl FromRow<'_, PgRow> for JobView {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let state: String = row.try_get("state")?;
        let unknown = || sqlx::Error::Decode(format!("job state {state:?}").into());
        let priority: String = row.try_get("priority")?;
        let no_priority = || sqlx::Error::Decode(format!("priority {priority:?}").into());
        let kind: Option<String> = row.try_get("error_kind")?;
        let detail: Option<String> = row.try_get("error_detail")?;
        let model: String = row.try_get("model")?;
        Ok(Self {
            id: JobId(row.try_get("job_id")?),
            document_id: DocumentId(row.try_get("document_id")?),
            state: JobState::parse(&state).ok_or_else(unknown)?,
            model: model.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            model_version: row.try_get("model_version")?,
            priority: Priority::parse(&priority).ok_or_else(no_priority)?,
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
            created_at: instant(row, "job_created_at")?.unwrap_or(Instant::UNIX_EPOCH),
            started_at: instant(row, "started_at")?,
            ended_at: instant(row, "ended_at")?,
        })
    }
}

pub(super) fn instant(row: &PgRow, column: &str) -> sqlx::Result<Option<Instant>> {
    Ok(row
        .try_get::<Option<super::Timestamp>, _>(column)?
        .map(super::Timestamp::to_jiff))
}

/// A client's job; `None` when it has none of this id.
pub async fn find(tx: &mut FencedTx, key: JobKey, client: &ClientId) -> Result<Option<JobView>, StoreError> {
    let query =
        tx.query_as::<JobView>("select * from current_jobs where bucket = $1 and job_id = $2 and client_id = $3");
    let query = query.bind(key.bucket.number()).bind(key.job.0).bind(client.to_string());
    query
        .fetch_optional(tx.connection())
        .await
        .map_err(|error| tx.failed(error))
}

/// What became of a wish to have a job cancelled.
#[derive(Debug)]
pub enum Cancellation {
    /// It is cancelled, now or since an earlier time.
    Cancelled(Box<JobView>),
    /// It had ended otherwise.
    Ended(JobState),
    /// The client has no such job.
    NoJob,
}

/// Cancels a client's job, whatever it is doing. A worker that is at it learns so within two seconds, and can write
/// nothing any more from now on.
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
    /// Only those older than this one.
    pub before: Option<JobId>,
    /// At most this many.
    pub limit: i64,
}

/// A page of the jobs of a client's document, newest first.
pub async fn list(
    tx: &mut FencedTx,
    bucket: Bucket,
    client: &ClientId,
    page: JobPage,
) -> Result<Vec<JobView>, StoreError> {
    let query = tx.query_as::<JobView>(
        "select * from current_jobs where bucket = $1 and document_id = $2 and client_id = $3 and job_id < $4
         order by job_id desc limit $5",
    );
    let before = page.before.map_or(Uuid::max(), |job| job.0);
    let query = query
        .bind(bucket.number())
        .bind(page.document.0)
        .bind(client.to_string());
    let query = query.bind(before).bind(page.limit);
    query.fetch_all(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// The job whose result stands for a client's document: the newest that succeeded or, while none has, the newest of all.
/// `None` when the client has no such document.
pub async fn standing(
    tx: &mut FencedTx,
    bucket: Bucket,
    client: &ClientId,
    document: DocumentId,
) -> Result<Option<JobView>, StoreError> {
    let query = tx.query_as::<JobView>(
        "select * from current_jobs where bucket = $1 and client_id = $3 and job_id = coalesce(
             (select id from jobs where bucket = $1 and client_id = $3 and state = 'succeeded' and document_id = $2
              order by id desc limit 1),
             (select id from jobs where bucket = $1 and document_id = $2 order by id desc limit 1))",
    );
    let query = query.bind(bucket.number()).bind(document.0).bind(client.to_string());
    query
        .fetch_optional(tx.connection())
        .await
        .map_err(|error| tx.failed(error))
}
