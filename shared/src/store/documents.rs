//! Reading documents, each with its newest job and the job whose result is read, and what was found in them.

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
use crate::ids::{Bucket, ClientId, DocumentId, JobId, JobKey};
use crate::state::JobState;

/// A document, its newest job, and which job's result stands for it.
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
    /// The newest of its jobs that succeeded, if one has: the one whose result is read.
    pub result_job: Option<JobId>,
}

impl DocumentView {
    /// Where the document stands: it has succeeded once it has a result, whatever a newer job does; before that it stands where
    /// its newest job does.
    pub fn state(&self) -> JobState {
        self.result_job.map_or(self.job.state, |_| JobState::Succeeded)
    }
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
            result_job: row.try_get::<Option<Uuid>, _>("result_job_id")?.map(JobId),
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

// What is read of documents `d`: they, their newest jobs `j`, and the newest of their jobs that succeeded, `r`.
macro_rules! documents {
    ($which:literal) => {
        concat!(
            "
select d.*, j.*, r.id as result_job_id from documents d
cross join lateral (
    select job_id, document_id, state, model, model_version, attempts, error_kind, error_detail, history,
           text_key, text_chars, windows, tokens, entities, job_created_at, started_at, ended_at,
           priority, due_at, deadline
    from current_jobs where bucket = d.bucket and document_id = d.id order by job_id desc limit 1) j
left join lateral (
    select id from jobs where bucket = d.bucket and client_id = d.client_id and state = 'succeeded' and document_id = d.id
    order by id desc limit 1) r on true
",
            $which
        )
    };
}

const FIND: &str = documents!("where d.bucket = $1 and d.id = $2 and d.client_id = $3");

/// A client's document; `None` when it has none of this id.
pub async fn find(
    tx: &mut FencedTx,
    bucket: Bucket,
    id: DocumentId,
    client: &ClientId,
) -> Result<Option<DocumentView>, StoreError> {
    let query = tx.query_as::<DocumentView>(FIND);
    let query = query.bind(bucket.number()).bind(id.0).bind(client.to_string());
    query
        .fetch_optional(tx.connection())
        .await
        .map_err(|error| tx.failed(error))
}

/// Which of a client's documents are listed.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Only those that stand here ([`DocumentView::state`]).
    pub state: Option<JobState>,
    /// Only those whose newest job is in this state.
    pub job_state: Option<JobState>,
    /// Only those older than this one.
    pub before: Option<DocumentId>,
    /// At most this many.
    pub limit: i64,
}

/// A page, and where the next one begins when the walk ended before the page was full.
#[derive(Debug, Default)]
pub struct Listed {
    /// The documents.
    pub documents: Vec<DocumentView>,
    /// The last document that was looked at, when there may be more after it.
    pub walked_to: Option<DocumentId>,
}

/// Jobs that are looked at for one page of documents in a state. Most are what is looked for; where they are not, as with
/// documents that were analysed again, the caller gets a short page after some 10 ms instead of a full one after any time.
const WALK_MAX: i64 = 2_000;

// Without a state the page follows the documents of the client; with one it follows the index of jobs by state, in which
// every live job is 'open', or the index of jobs in flight, of which a client has few.
const LIST_ALL: &str = documents!(
    "where d.bucket = $1 and d.client_id = $2 and d.id < $3
order by d.id desc limit $4"
);

// Documents of the jobs that are walked, where such a job is the one that counts: `r`, the newest that succeeded, or `j`, the
// newest of all. With $5 only those whose newest job is in that state, with $6 only those without a result. Each `limit 1`
// has a row of the walk looked up by its keys, whatever the planner knows of the tables, and the walk ends with the page.
macro_rules! list_walked {
    ($walked:literal, $counts:literal) => {
        concat!(
            "
select d.*, j.*, r.id as result_job_id from (",
            $walked,
            ") w
left join lateral (
    select id from jobs where bucket = $1 and client_id = $2 and state = 'succeeded' and document_id = w.document_id
    order by id desc limit 1) r on true
cross join lateral (
    select * from current_jobs where bucket = $1 and document_id = w.document_id order by job_id desc limit 1) j
cross join lateral (select * from documents where bucket = $1 and id = w.document_id limit 1) d
where w.id = ",
            $counts,
            " and ($5::text is null or j.state = $5) and not ($6 and r.id is not null)
order by w.document_id desc limit $4"
        )
    };
}
const LIST_SUCCEEDED: &str = list_walked!(
    "select id, document_id from jobs
     where bucket = $1 and client_id = $2 and document_id < $3 and state = 'succeeded'
     order by document_id desc, id desc limit $7",
    "r.id"
);
const LIST_BY_JOB: &str = list_walked!(
    "select id, document_id from jobs
     where bucket = $1 and client_id = $2 and document_id < $3 and state = case when $5 = 'waiting' then 'open' else $5 end
     order by document_id desc, id desc limit $7",
    "j.job_id"
);
const LIST_IN_FLIGHT: &str = list_walked!(
    "select n.id, n.document_id from dispatch x join jobs n on n.bucket = x.bucket and n.id = x.job_id
     where x.bucket = $1 and x.client_id = $2 and x.state in ('queued', 'running') and x.state = $5 and n.document_id < $3
     order by n.document_id desc limit $7",
    "j.job_id"
);
const WALKED_TO: &str = "
select document_id from jobs where bucket = $1 and client_id = $2 and document_id < $3
  and state = case when $4 = 'waiting' then 'open' else $4 end
order by document_id desc, id desc offset $5 - 1 limit 1";

/// A page of a client's documents, newest first.
pub async fn list(tx: &mut FencedTx, bucket: Bucket, client: &ClientId, page: Page) -> Result<Listed, StoreError> {
    let before = page.before.map_or(Uuid::max(), |id| id.0);
    let begun = |sql| {
        let query = tx.query_as::<DocumentView>(sql).bind(bucket.number());
        query.bind(client.to_string()).bind(before).bind(page.limit)
    };
    let walking = |sql, job: Option<JobState>, without_result: bool| {
        let query = begun(sql).bind(job.map(JobState::as_str));
        query.bind(without_result).bind(WALK_MAX)
    };
    let by_job = |job: JobState, without_result: bool| match job {
        JobState::Queued | JobState::Running => (walking(LIST_IN_FLIGHT, Some(job), without_result), None),
        JobState::Waiting | JobState::Succeeded | JobState::Failed | JobState::Cancelled | JobState::Expired => {
            (walking(LIST_BY_JOB, Some(job), without_result), Some(job))
        }
    };
    let (query, walked) = match (page.state, page.job_state) {
        (None, None) => (begun(LIST_ALL), None),
        (Some(state @ JobState::Succeeded), job) => (walking(LIST_SUCCEEDED, job, false), Some(state)),
        (None, Some(job)) => by_job(job, false),
        // A document without a result stands where its newest job does.
        (Some(state), Some(job)) if state != job => return Ok(Listed::default()),
        (Some(state), _) => by_job(state, true),
    };
    let found = query.fetch_all(tx.connection()).await;
    let documents = found.map_err(|error| tx.failed(error))?;
    let mut walked_to = None;
    if let Some(state) = walked.filter(|_| (documents.len() as i64) < page.limit) {
        let query = tx.query_scalar::<Uuid>(WALKED_TO).bind(bucket.number());
        let query = query.bind(client.to_string()).bind(before);
        let query = query.bind(state.as_str()).bind(WALK_MAX);
        let found = query.fetch_optional(tx.connection()).await;
        walked_to = found.map_err(|error| tx.failed(error))?.map(DocumentId);
    }
    Ok(Listed { documents, walked_to })
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

/// Entities that are looked at for one page. With a label that is rare or unknown the caller gets a short page after some
/// 10 ms instead of a full one, or none, after a walk over millions.
pub const ENTITIES_WALK_MAX: i32 = 20_000;

/// A page of a job's entities in the order of the text, each with its ordinal. Whatever is filtered, it follows the primary
/// key over at most [`ENTITIES_WALK_MAX`] of this job's entities and no others; another index would be one on the largest
/// table.
pub async fn entities(tx: &mut FencedTx, key: JobKey, page: EntityPage) -> Result<Vec<(i32, Entity)>, StoreError> {
    let query = tx.query(
        "select ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score from entities
         where bucket = $1 and job_id = $2 and ordinal > $3 and ordinal <= $7 and ($4::text is null or label = $4)
           and ($5::real is null or score >= $5)
         order by ordinal limit $6",
    );
    let query = query
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(page.after)
        .bind(page.label)
        .bind(page.min_score)
        .bind(page.limit)
        .bind(page.after.saturating_add(ENTITIES_WALK_MAX));
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
