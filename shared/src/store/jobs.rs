//! Accepting documents: the document, its job and its dispatch row in one statement.

use jiff::Timestamp as Instant;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use super::{FencedTx, StoreError};
use crate::blob::{BlobKey, Stored};
use crate::ids::{Bucket, ClientId, DocumentId, JobId, JobKey, ModelName};
use crate::job::JobState;

/// A document that is stored in S3 and now becomes a row.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// Its id.
    pub id: DocumentId,
    /// Its first job.
    pub job: JobId,
    /// The caller's own id.
    pub external_id: Option<String>,
    /// The caller's name for it.
    pub file_name: Option<String>,
    /// What it is.
    pub media_type: String,
    /// The caller's own data.
    pub metadata: Option<Value>,
    /// Where it is.
    pub key: BlobKey,
    /// What was stored.
    pub stored: Stored,
    /// Which model shall read it.
    pub model: ModelName,
    /// The version, when the caller insists on one.
    pub model_version: Option<String>,
    /// W3C trace context of the upload.
    pub trace_parent: Option<String>,
}

/// A hand-over of a fresh job: whether the accepting process may publish it at once, and under which lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOver {
    /// Nothing else is due: the row is leased to the accepting process.
    Mine(Uuid),
    /// Others are waiting: the dispatcher decides.
    Dispatcher,
}

// The hand-over's conditions look at a bounded number of rows: at most 32 waiting ones, all of them leased or not yet
// due, and at most 16 in the broker, which is what the dispatcher keeps there without consumers.
const CREATE: &str = "
with document as (
    insert into documents (bucket, id, client_id, external_id, file_name, media_type, metadata, size_bytes, sha256, blob_key)
    values ($1, $2, $3, $5, $6, $7, $8, $9, $10, $11)
), job as (
    insert into jobs (bucket, id, document_id, client_id, model, model_version, trace_parent)
    values ($1, $4, $2, $3, $12, $13, $14)
), waiting as (
    select due_at <= now() and (lease_until is null or lease_until < now()) as free
    from dispatch where model = $12 and state = 'waiting' limit 33
), published as (
    select 1 from dispatch where model = $12 and state = 'queued' limit 17
), idle as (
    select (select count(*) <= 32 and not coalesce(bool_or(free), false) from waiting)
       and (select count(*) <= 16 from published) as yes
)
insert into dispatch (bucket, job_id, client_id, model, size_bytes, trace_parent, lease_token, lease_until)
select $1, $4, $3, $12, $9, $14, case when yes then $15::uuid end, case when yes then now() + interval '30 s' end from idle
returning lease_token";

/// Writes the rows of an accepted document.
pub async fn create(
    tx: &mut FencedTx,
    bucket: Bucket,
    client: &ClientId,
    document: &NewDocument,
) -> Result<HandOver, StoreError> {
    let query = tx.query_scalar::<Option<Uuid>>(CREATE);
    let query = query
        .bind(bucket.number())
        .bind(document.id.0)
        .bind(client.to_string())
        .bind(document.job.0);
    let query = query
        .bind(document.external_id.clone())
        .bind(document.file_name.clone())
        .bind(document.media_type.clone());
    let query = query
        .bind(document.metadata.clone())
        .bind(document.stored.bytes as i64)
        .bind(document.stored.sha256.to_vec());
    let query = query
        .bind(document.key.to_string())
        .bind(document.model.to_string())
        .bind(document.model_version.clone());
    let query = query.bind(document.trace_parent.clone()).bind(Uuid::new_v4());
    let lease = query
        .fetch_one(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    Ok(lease.map_or(HandOver::Dispatcher, HandOver::Mine))
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
    /// The version that read it, or that was asked for.
    pub model_version: Option<String>,
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
        let kind: Option<String> = row.try_get("error_kind")?;
        let detail: Option<String> = row.try_get("error_detail")?;
        let model: String = row.try_get("model")?;
        Ok(Self {
            id: JobId(row.try_get("job_id")?),
            document_id: DocumentId(row.try_get("document_id")?),
            state: JobState::parse(&state).ok_or_else(unknown)?,
            model: model.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            model_version: row.try_get("model_version")?,
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
