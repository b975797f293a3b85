//! Documents as their callers read them: each with its newest job, the job whose result is read, and the entities of
//! that result.

use jiff::Timestamp as Instant;
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::rows::{instant, undecodable};
use crate::sql::{Statement, sql};
use crate::work::jobs::JobView;
use crate::{FencedTx, StoreError};
use docket_contract::entity::{Entity, Source, Span};
use docket_contract::ids::{Bucket, ClientId, DocumentId, InvalidName, JobId, JobKey};
use docket_contract::object_key::BlobKey;
use docket_contract::place::{Place, Region};
use docket_contract::state::JobState;
use docket_contract::text_map::Rectangle;

/// A document, its newest job, and which job's result stands for it.
#[derive(Debug, Clone)]
pub struct DocumentView {
    /// Id of the document.
    pub id: DocumentId,
    /// The caller's own id of the document.
    pub external_id: Option<String>,
    /// The caller's name for the document.
    pub file_name: Option<String>,
    /// Media type of the document.
    pub media_type: String,
    /// The caller's own data, as they were sent.
    pub metadata: Option<Box<RawValue>>,
    /// Size of the document in bytes.
    pub size_bytes: i64,
    /// SHA-256 of the document in hexadecimal.
    pub sha256: String,
    /// The document that this one was within.
    pub parent: Option<DocumentId>,
    /// Where the document is stored.
    pub key: BlobKey,
    /// The pages that are read, as the caller named them.
    pub pages: Option<String>,
    /// When the document was accepted.
    pub created_at: Instant,
    /// The document's newest job.
    pub job: JobView,
    /// The job whose result is read: the newest that succeeded.
    pub result_job: Option<JobId>,
}

impl DocumentView {
    /// The document's state. Once the document has a result it has succeeded, whatever a newer job does. Before that
    /// its state is that of its newest job.
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
            sha256: docket_contract::hex::hex(row.try_get("sha256")?),
            parent: row.try_get::<Option<Uuid>, _>("parent_id")?.map(DocumentId),
            key: BlobKey::from_stored(row.try_get("blob_key")?),
            pages: row.try_get("pages")?,
            created_at: instant(row, "created_at")?.unwrap_or(Instant::UNIX_EPOCH),
            job: JobView::from_row(row)?,
            result_job: row.try_get::<Option<Uuid>, _>("result_job_id")?.map(JobId),
        })
    }
}

/// The caller's own data. Documents that an earlier release accepted have them only as PostgreSQL stored them.
fn metadata(row: &PgRow) -> sqlx::Result<Option<Box<RawValue>>> {
    if let Some(sent) = row.try_get::<Option<String>, _>("metadata_sent")? {
        return RawValue::from_string(sent).map(Some).map_err(undecodable);
    }
    let kept = row.try_get::<Option<Json<Box<RawValue>>>, _>("metadata")?;
    Ok(kept.map(|Json(kept)| kept))
}

/// A client's document. `None` when the client has no document of this id.
pub async fn find(
    tx: &mut FencedTx,
    bucket: Bucket,
    id: DocumentId,
    client: &ClientId,
) -> Result<Option<DocumentView>, StoreError> {
    let query = sql!("read/document_find").bind(bucket.number()).bind(id.0);
    tx.optional(query.bind(client.as_str())).await
}

/// Where a document is stored, and what was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentSource {
    /// Where the document is stored.
    pub key: BlobKey,
    /// The declared media type.
    pub media_type: String,
    /// The caller's name for the document.
    pub file_name: Option<String>,
    /// Size in bytes.
    pub size_bytes: i64,
}

impl FromRow<'_, PgRow> for DocumentSource {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            key: BlobKey::from_stored(row.try_get("blob_key")?),
            media_type: row.try_get("media_type")?,
            file_name: row.try_get("file_name")?,
            size_bytes: row.try_get("size_bytes")?,
        })
    }
}

/// Where a client's document is stored.
pub async fn source(
    tx: &mut FencedTx,
    bucket: Bucket,
    id: DocumentId,
    client: &ClientId,
) -> Result<Option<DocumentSource>, StoreError> {
    let query = sql!("read/document_source").bind(bucket.number()).bind(id.0);
    tx.optional(query.bind(client.as_str())).await
}

/// Which of a client's documents are listed.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Only documents in this state ([`DocumentView::state`]).
    pub state: Option<JobState>,
    /// Only documents whose newest job is in this state.
    pub job_state: Option<JobState>,
    /// Only documents that were within this one. Goes with no state.
    pub parent: Option<DocumentId>,
    /// Only documents older than this one.
    pub before: Option<DocumentId>,
    /// At most this many documents.
    pub limit: i64,
}

/// A page of documents.
#[derive(Debug, Default)]
pub struct Listed {
    /// The documents.
    pub documents: Vec<DocumentView>,
    /// The last document that was looked at, when the page is short although there may be more documents after it.
    pub walked_to: Option<DocumentId>,
}

/// Jobs that are looked at for one page of documents in a state. Usually most of them are listed. Where few are, as
/// with documents that were analysed again, the caller gets a short page after some 10 ms instead of a full page after
/// any time.
const WALK_MAX: i64 = 2_000;

/// A page of a client's documents, newest first.
pub async fn list(tx: &mut FencedTx, bucket: Bucket, client: &ClientId, page: Page) -> Result<Listed, StoreError> {
    let before = page.before.map_or(Uuid::max(), |id| id.0);
    let of_client = |statement: Statement| {
        let query = statement.bind(bucket.number()).bind(client.as_str());
        query.bind(before)
    };
    let Some(walk) = Walk::of(page) else {
        return Ok(Listed::default());
    };
    let query = of_client(walk.statement()).bind(page.limit);
    let documents = tx.all(walk.bind(query)).await?;
    let mut walked_to = None;
    let is_short = (documents.len() as i64) < page.limit;
    if let Some(state) = walk.stored_state().filter(|_| is_short) {
        let query = of_client(sql!("read/documents_walked_to")).bind(state).bind(WALK_MAX);
        walked_to = tx.optional_scalar(query).await?.map(DocumentId);
    }
    Ok(Listed { documents, walked_to })
}

/// What a page follows, so that few rows are read that are not listed.
#[derive(Debug, Clone, Copy)]
enum Walk {
    /// Every document of the client.
    Documents,
    /// The documents that were within a document.
    Children(DocumentId),
    /// The client's succeeded jobs: documents that have a result and, if a state is named, whose newest job is in it.
    Results(Option<JobState>),
    /// The client's jobs in a state: documents whose newest job is in it and, if asked for, that have no result.
    Jobs { state: JobState, no_result: bool },
}

impl Walk {
    /// The walk for a page; `None` when no document can be on it.
    fn of(page: Page) -> Option<Self> {
        match (page.state, page.job_state) {
            (None, None) => Some(page.parent.map_or(Self::Documents, Self::Children)),
            (Some(JobState::Succeeded), job) => Some(Self::Results(job)),
            (None, Some(state)) => Some(Self::Jobs {
                state,
                no_result: false,
            }),
            // A document without a result stands where its newest job does.
            (Some(state), Some(job)) if state != job => None,
            (Some(state), _) => Some(Self::Jobs { state, no_result: true }),
        }
    }

    fn statement(self) -> Statement {
        match (self, self.stored_state()) {
            (Self::Documents, _) => sql!("read/documents_list"),
            (Self::Children(_), _) => sql!("read/documents_of_parent"),
            (Self::Results(_), _) => sql!("read/documents_with_result"),
            (Self::Jobs { .. }, None) => sql!("read/documents_in_flight"),
            (Self::Jobs { .. }, Some(_)) => sql!("read/documents_by_job"),
        }
    }

    /// Binds what the statement has after `$4`.
    fn bind(self, statement: Statement) -> Statement {
        match self {
            Self::Documents => statement,
            Self::Children(parent) => statement.bind(parent.0),
            Self::Results(job) => statement.bind(job.map(JobState::as_str)).bind(WALK_MAX),
            Self::Jobs { state, no_result } => {
                let statement = statement.bind(state.as_str()).bind(no_result).bind(WALK_MAX);
                match self.stored_state() {
                    Some(stored) => statement.bind(stored),
                    None => statement,
                }
            }
        }
    }

    /// The state of the walked jobs as the jobs have it, which call every live job open. `None` for a walk that is not
    /// along that index: it always comes to its end.
    fn stored_state(self) -> Option<&'static str> {
        match self {
            Self::Documents | Self::Children(_) => None,
            Self::Results(_) => Some(JobState::Succeeded.as_str()),
            Self::Jobs { state, .. } => match state {
                JobState::Queued | JobState::Running => None,
                JobState::Waiting => Some("open"),
                JobState::Succeeded | JobState::Failed | JobState::Cancelled | JobState::Expired => {
                    Some(state.as_str())
                }
            },
        }
    }
}

/// Which of a job's entities are listed.
#[derive(Debug, Clone)]
pub struct EntityPage {
    /// Only entities of this label.
    pub label: Option<String>,
    /// Only entities of at least this score.
    pub min_score: Option<f32>,
    /// Only entities after this ordinal.
    pub after: i32,
    /// Only entities in this region.
    pub region: Option<Region>,
    /// Only entities that this found.
    pub source: Option<Source>,
    /// Only mentions of this thing: the ordinal of its first mention.
    pub canonical: Option<i32>,
    /// At most this many entities.
    pub limit: i64,
}

/// Entities that are looked at for one page. With a label that is rare or unknown the caller gets a short page after
/// some 10 ms, instead of a full or an empty page after a walk over millions of entities.
pub const ENTITIES_WALK_MAX: i32 = 20_000;

/// A page of a job's entities in the order of the text, each with its ordinal. Whatever is filtered, it follows the
/// primary key over at most [`ENTITIES_WALK_MAX`] entities of the job. An index for the filters would be one on the
/// largest table.
pub async fn entities(tx: &mut FencedTx, key: JobKey, page: EntityPage) -> Result<Vec<(i32, Entity)>, StoreError> {
    let query = sql!("read/entities_list")
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(page.after)
        .bind(page.label)
        .bind(page.min_score)
        .bind(page.limit)
        .bind(page.after.saturating_add(ENTITIES_WALK_MAX))
        .bind(page.region.map(Region::as_str))
        .bind(page.source.map(Source::as_str))
        .bind(page.canonical);
    let rows: Vec<Found> = tx.all(query).await?;
    Ok(rows
        .into_iter()
        .map(|Found(ordinal, entity)| (ordinal, entity))
        .collect())
}

/// An entity with its ordinal.
struct Found(i32, Entity);

impl FromRow<'_, PgRow> for Found {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let number = |column| row.try_get::<i32, _>(column).map(i32::cast_unsigned);
        let span = Span {
            start: number("start_char")?,
            end: number("end_char")?,
            start_byte: number("start_byte")?,
            end_byte: number("end_byte")?,
            start_utf16: number_of(row, "start_utf16")?,
        };
        let page = number_of(row, "page")?;
        let (label, text, score) = (row.try_get("label")?, row.try_get("text")?, row.try_get("score")?);
        let boxes = row.try_get::<Option<Json<Vec<Rectangle>>>, _>("boxes")?;
        let value = row.try_get::<Option<Json<Box<RawValue>>>, _>("value")?;
        let entity = Entity {
            label,
            text,
            span,
            page,
            region: region(row)?,
            place: row.try_get::<Option<Json<Place>>, _>("place")?.map(|Json(place)| place),
            boxes: boxes.map(|Json(boxes)| boxes).unwrap_or_default(),
            score,
            source: found_by(row)?,
            recogniser: row.try_get::<Option<String>, _>("recogniser")?.map(Into::into),
            value: value.map(|Json(value)| value.get().into()),
            canonical: number_of(row, "canonical")?,
            carried_from: number_of(row, "carried_from")?,
            thing: None,
        };
        Ok(Self(row.try_get("ordinal")?, entity))
    }
}

fn number_of(row: &PgRow, column: &str) -> sqlx::Result<Option<u32>> {
    Ok(row.try_get::<Option<i32>, _>(column)?.map(i32::cast_unsigned))
}

/// What found an entity. A source that only a later release knows is shown as a recogniser.
fn found_by(row: &PgRow) -> sqlx::Result<Source> {
    let word: &str = row.try_get("source")?;
    let known = Source::ALL.iter().find(|known| known.as_str() == word);
    Ok(known.copied().unwrap_or(Source::Recogniser))
}

/// The region of an entity. A region that only a later release knows is shown as the body.
fn region(row: &PgRow) -> sqlx::Result<Region> {
    let word: &str = row.try_get("region")?;
    let known = Region::ALL.iter().find(|known| known.as_str() == word);
    Ok(known.copied().unwrap_or(Region::Body))
}

/// Where those of the documents of a bucket are stored that have a row. The sweeper asks, which removes objects that
/// belong to no document.
pub async fn known_keys(tx: &mut FencedTx, bucket: Bucket, ids: &[Uuid]) -> Result<Vec<BlobKey>, StoreError> {
    let query = sql!("read/blob_keys").bind(bucket.number()).bind(ids);
    let keys = tx.scalars(query).await?;
    Ok(keys.into_iter().map(BlobKey::from_stored).collect())
}

/// What is known of a document whose object is looked for.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Id of the document.
    pub id: DocumentId,
    /// The caller's own id of the document.
    pub external_id: Option<String>,
    /// Where the object should be stored.
    pub key: BlobKey,
    /// When the document was accepted.
    pub created_at: Instant,
    /// The state of the document's newest job.
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

/// The client of a bucket that has documents and follows another client by name; the first client when none is named.
pub async fn next_client(
    tx: &mut FencedTx,
    bucket: Bucket,
    after: Option<&ClientId>,
) -> Result<Option<ClientId>, StoreError> {
    let after = after.map(ClientId::as_str).unwrap_or_default();
    let query = sql!("read/client_next").bind(bucket.number()).bind(after);
    let found: Option<String> = tx.optional_scalar(query).await?;
    let parsed = found.map(|client| client.parse()).transpose();
    parsed.map_err(|error: InvalidName| tx.failed(undecodable(error)))
}

/// A client's documents after one of them, in the order of their ids, which is the order of their objects' keys.
pub async fn kept(
    tx: &mut FencedTx,
    (bucket, client): (Bucket, &ClientId),
    after: Option<DocumentId>,
    limit: i64,
) -> Result<Vec<Kept>, StoreError> {
    let query = sql!("read/documents_kept")
        .bind(bucket.number())
        .bind(client.as_str())
        .bind(after.map_or(Uuid::nil(), |after| after.0))
        .bind(limit);
    tx.all(query).await
}
