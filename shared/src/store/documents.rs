//! Reading documents, each with its newest job, and what was found in them.

use jiff::Timestamp as Instant;
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use super::jobs::{JobView, instant};
use super::{FencedTx, StoreError};
use crate::blob::BlobKey;
use crate::entity::{Entity, Span};
use crate::ids::{Bucket, ClientId, DocumentId, JobKey};
use crate::state::JobState;

/// A document and its newest job.
#[derive(Debug, Clone)]
pub struct DocumentView {
    /// Its id.
    pub id: DocumentId,
    /// The caller's own id.
    pub external_id: Option<String>,
    /// The caller's name for it.
    pub file_name: Option<String>,
    /// What it is.
    pub media_type: String,
    /// The caller's own data, as they were sent.
    pub metadata: Option<Box<RawValue>>,
    /// Size in bytes.
    pub size_bytes: i64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// When it was accepted.
    pub created_at: Instant,
    /// Its newest job.
    pub job: JobView,
}

impl FromRow<'_, PgRow> for DocumentView {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: DocumentId(row.try_get("id")?),
            external_id: row.try_get("external_id")?,
            file_name: row.try_get("file_name")?,
            media_type: row.try_get("media_type")?,
            metadata: metadata(row)?,
            size_bytes: row.try_get("size_bytes")?,
            sha256: crate::blob::hex(row.try_get("sha256")?),
            created_at: instant(row, "created_at")?.unwrap_or(Instant::UNIX_EPOCH),
            job: JobView::from_row(row)?,
        })
    }
}

/// What an earlier release accepted has only what PostgreSQL made of it.
fn metadata(row: &PgRow) -> sqlx::Result<Option<Box<RawValue>>> {
    if let Some(sent) = row.try_get::<Option<String>, _>("metadata_sent")? {
        let sent = RawValue::from_string(sent).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        return Ok(Some(sent));
    }
    let kept = row.try_get::<Option<Json<Box<RawValue>>>, _>("metadata")?;
    Ok(kept.map(|Json(kept)| kept))
}

/// A client's document; `None` when it has none of this id.
pub async fn find(
    tx: &mut FencedTx,
    bucket: Bucket,
    id: DocumentId,
    client: &ClientId,
) -> Result<Option<DocumentView>, StoreError> {
    let query = tx.query_as::<DocumentView>(
        "select d.*, j.* from documents d cross join lateral (
             select job_id, document_id, state, model, model_version, attempts, error_kind, error_detail, history,
                    text_key, text_chars, windows, tokens, entities, job_created_at, started_at, ended_at,
                    priority, due_at, deadline
             from current_jobs where bucket = d.bucket and document_id = d.id order by job_id desc limit 1) j
         where d.bucket = $1 and d.id = $2 and d.client_id = $3",
    );
    let query = query.bind(bucket.number()).bind(id.0).bind(client.to_string());
    query
        .fetch_optional(tx.connection())
        .await
        .map_err(|error| tx.failed(error))
}

/// Which of a client's documents are listed.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Only those whose newest job is in this state.
    pub state: Option<JobState>,
    /// Only those older than this one.
    pub before: Option<DocumentId>,
    /// At most this many.
    pub limit: i64,
}

// Without a state the page follows the documents of the client; with one it follows the index of jobs by state, in which
// every live job is 'open'.
const LIST_ALL: &str = "
select d.*, j.* from documents d cross join lateral (
    select job_id, document_id, state, model, model_version, attempts, error_kind, error_detail, history,
           text_key, text_chars, windows, tokens, entities, job_created_at, started_at, ended_at,
           priority, due_at, deadline
    from current_jobs where bucket = d.bucket and document_id = d.id order by job_id desc limit 1) j
where d.bucket = $1 and d.client_id = $2 and d.id < $3
order by d.id desc limit $4";

const LIST_IN_STATE: &str = "
select d.*, j.* from current_jobs j join documents d on d.bucket = j.bucket and d.id = j.document_id
where j.bucket = $1 and j.client_id = $2 and j.document_id < $3
  and j.stored_state = case when $5 in ('waiting', 'queued', 'running') then 'open' else $5 end and j.state = $5
  and not exists (select 1 from jobs newer where newer.bucket = j.bucket and newer.document_id = j.document_id
                  and newer.id > j.job_id)
order by j.document_id desc limit $4";

/// A page of a client's documents, newest first.
pub async fn list(
    tx: &mut FencedTx,
    bucket: Bucket,
    client: &ClientId,
    page: Page,
) -> Result<Vec<DocumentView>, StoreError> {
    let query = tx.query_as::<DocumentView>(if page.state.is_some() { LIST_IN_STATE } else { LIST_ALL });
    let before = page.before.map_or(Uuid::max(), |id| id.0);
    let query = query
        .bind(bucket.number())
        .bind(client.to_string())
        .bind(before)
        .bind(page.limit);
    let query = if let Some(state) = page.state {
        query.bind(state.as_str())
    } else {
        query
    };
    query.fetch_all(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// Which of a job's entities are listed.
#[derive(Debug, Clone)]
pub struct EntityPage {
    /// Only those of this label.
    pub label: Option<String>,
    /// Only those of at least this score.
    pub min_score: Option<f32>,
    /// Only those after this ordinal.
    pub after: i32,
    /// At most this many.
    pub limit: i64,
}

/// A page of a job's entities in the order of the text, each with its ordinal. Whatever is filtered, it follows the primary
/// key over this job's entities and no others; another index would be one on the largest table.
pub async fn entities(tx: &mut FencedTx, key: JobKey, page: EntityPage) -> Result<Vec<(i32, Entity)>, StoreError> {
    let query = tx.query(
        "select ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score from entities
         where bucket = $1 and job_id = $2 and ordinal > $3 and ($4::text is null or label = $4)
           and ($5::real is null or score >= $5)
         order by ordinal limit $6",
    );
    let query = query
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(page.after)
        .bind(page.label)
        .bind(page.min_score)
        .bind(page.limit);
    let rows = query
        .fetch_all(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    rows.iter()
        .map(entity)
        .collect::<sqlx::Result<_>>()
        .map_err(|error| tx.failed(error))
}

fn entity(row: &PgRow) -> sqlx::Result<(i32, Entity)> {
    let number = |column| row.try_get::<i32, _>(column).map(i32::cast_unsigned);
    let span = Span {
        start: number("start_char")?,
        end: number("end_char")?,
        start_byte: number("start_byte")?,
        end_byte: number("end_byte")?,
    };
    let page = row.try_get::<Option<i32>, _>("page")?.map(i32::cast_unsigned);
    let (label, text, score) = (row.try_get("label")?, row.try_get("text")?, row.try_get("score")?);
    Ok((
        row.try_get("ordinal")?,
        Entity {
            label,
            text,
            span,
            page,
            score,
        },
    ))
}

/// Whether a stored object belongs to a document: asked by the sweeper, which removes those that do not.
pub async fn known_keys(tx: &mut FencedTx, bucket: Bucket, ids: &[Uuid]) -> Result<Vec<BlobKey>, StoreError> {
    let query = tx.query_scalar::<String>("select blob_key from documents where bucket = $1 and id = any($2)");
    let keys = query
        .bind(bucket.number())
        .bind(ids.to_vec())
        .fetch_all(tx.connection())
        .await;
    Ok(keys
        .map_err(|error| tx.failed(error))?
        .into_iter()
        .map(BlobKey::from_stored)
        .collect())
}

/// What is known of a document whose object is looked for.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its id.
    pub id: DocumentId,
    /// The caller's own id.
    pub external_id: Option<String>,
    /// Where its object should be.
    pub key: BlobKey,
    /// When it was accepted.
    pub created_at: Instant,
    /// The state of its newest job.
    pub state: String,
}

impl FromRow<'_, PgRow> for Kept {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: DocumentId(row.try_get("id")?),
            external_id: row.try_get("external_id")?,
            key: BlobKey::from_stored(row.try_get("blob_key")?),
            created_at: instant(row, "created_at")?.unwrap_or(Instant::UNIX_EPOCH),
            state: row.try_get("state")?,
        })
    }
}

/// The client of a bucket whose name follows another's; the first one without another.
pub async fn next_client(
    tx: &mut FencedTx,
    bucket: Bucket,
    after: Option<&ClientId>,
) -> Result<Option<ClientId>, StoreError> {
    let query = tx.query_scalar::<String>(
        "select client_id from documents where bucket = $1 and client_id > $2 order by client_id limit 1",
    );
    let after = after.map(ToString::to_string).unwrap_or_default();
    let found = query.bind(bucket.number()).bind(after).fetch_optional(tx.connection());
    let found = found.await.map_err(|error| tx.failed(error))?;
    found
        .map(|client| {
            client
                .parse()
                .map_err(|error| tx.failed(sqlx::Error::Decode(Box::new(error))))
        })
        .transpose()
}

/// A client's documents after one, in order of their ids, which is the order of their objects' keys.
pub async fn kept(
    tx: &mut FencedTx,
    (bucket, client): (Bucket, &ClientId),
    after: Option<DocumentId>,
    limit: i64,
) -> Result<Vec<Kept>, StoreError> {
    let query = tx.query_as::<Kept>(
        "select d.id, d.external_id, d.blob_key, d.created_at,
                (select state from current_jobs j where j.bucket = d.bucket and j.document_id = d.id
                 order by job_id desc limit 1) as state
         from documents d where d.bucket = $1 and d.client_id = $2 and d.id > $3 order by d.id limit $4",
    );
    let after = after.map_or(Uuid::nil(), |after| after.0);
    let query = query.bind(bucket.number()).bind(client.to_string());
    let kept = query.bind(after).bind(limit).fetch_all(tx.connection()).await;
    kept.map_err(|error| tx.failed(error))
}
