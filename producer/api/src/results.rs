//! The result of an analysis, as callers read it: a document's entities, and the text that their offsets index.
//!
//! A result stays: while a newer analysis runs, or after it failed, callers read the newest analysis that succeeded.

use crate::kinds;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use docket_contract::ids::{DocumentId, JobId, JobKey};
use docket_contract::object_key::BlobKey;
use docket_contract::state::JobState;
use docket_objects::BlobError;
use docket_store::FencedTx;
use docket_store::read::documents::{self, ENTITIES_WALK_MAX, EntityPage};
use docket_store::read::reading;
use docket_store::work::jobs::{self, JobView};
use futures::stream;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::filter::Asked;
use crate::problems::ResultProblems;
use crate::state::ApiState;
use crate::views::{self, Entities, FoundEntity, Unit};
use docket_http::caller::Caller;
use docket_http::conditional::{self, Tag};
use docket_http::extract::{Id, Params};
use docket_http::page;
use docket_http::problem::ApiError;

/// Entities on a page: more would make one answer megabytes.
const ENTITIES_MAX: u32 = 1_000;
/// Entities on a page that asks for no number.
const ENTITIES_DEFAULT: u32 = 200;
/// What is told of an analysis by a release that did not count in UTF-16.
const OFFSETS_NOT_COUNTED: &str = "An earlier release of Docket made this analysis and did not count in UTF-16. Ask for scalar or \
                                   byte, or have the document analysed again.";

/// Which entities are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EntitiesQuery {
    /// The analysis to read: a job of the document. By default the newest that succeeded; later pages stay with the first page's
    /// analysis.
    job_id: Option<Uuid>,
    /// Only entities with this label.
    label: Option<String>,
    /// Only entities whose `score` is at least this, 0 to 1.
    #[param(minimum = 0, maximum = 1)]
    min_score: Option<f32>,
    /// Only entities in this region of the document: `body` leaves out headers, footers, page numbers, notes and the like.
    region: Option<String>,
    /// Only entities that the `model` found, those that no more than a `recogniser` found, or those that were `carried`.
    source: Option<String>,
    /// Only mentions of this thing: the `id` of its first mention.
    #[param(minimum = 1)]
    canonical: Option<i32>,
    /// The unit of `start` and `end`: `scalar` (Unicode scalar values, the default), `byte` (of UTF-8) or `utf16` (code units).
    #[serde(default)]
    offsets: Unit,
    /// At most this many on the page; 200 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

impl EntitiesQuery {
    /// The job, if one is named, and the filter of its entities. The limit is one more than the page, to see whether more follow.
    fn check(self) -> Result<(Option<JobId>, EntityPage), ApiError> {
        let limit = page::limit(self.limit, ENTITIES_DEFAULT, 1..=ENTITIES_MAX)?;
        let (job, after) = page::of_analysis(self.job_id.map(JobId), self.cursor.as_deref())?;
        let asked = Asked {
            label: self.label,
            min_score: self.min_score,
            region: self.region,
            source: self.source,
            canonical: self.canonical,
        };
        Ok((job, asked.page(after, limit as i64 + 1)?))
    }
}

/// Entities
///
/// What an analysis found in a document, in the order of the text, a page at a time: the newest one that succeeded, or one
/// that is named. With a label or a score a page may hold fewer than asked for, or none, and still have a `next_cursor`: read
/// on until there is none.
#[utoipa::path(
    get,
    path = "/v1/documents/{document_id}/entities",
    operation_id = "list_entities",
    tag = "documents",
    params(
        ("document_id" = Uuid, Path, description = "The document."),
        EntitiesQuery,
        ("if-none-match" = Option<String>, Header, description = "Entity tag of what the caller has."),
    ),
    responses(
        (status = 200, description = "A page of entities.", body = Entities, headers(("etag", description = "Its entity tag."))),
        (status = 304, description = "The caller has it."),
        ResultProblems,
    )
)]
pub async fn entities(
    caller: Caller,
    Id(id): Id,
    Params(query): Params<EntitiesQuery>,
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let unit = query.offsets;
    let (job, wanted) = query.check()?;
    let limit = wanted.limit as usize - 1;
    let mut tx = reading::begin(&state.shards, caller.bucket).await?;
    let job = analysed(&mut tx, &caller, DocumentId(id), job).await?;
    let key = JobKey {
        bucket: caller.bucket,
        job: job.id,
    };
    let walked_to = wanted.after.saturating_add(ENTITIES_WALK_MAX);
    let mut found = documents::entities(&mut tx, key, wanted).await?;
    drop(tx);
    let last = page::cut(&mut found, limit).map(|(ordinal, _)| *ordinal);
    let more = job.entities.is_some_and(|entities| entities > walked_to);
    let next_cursor = last.or(more.then_some(walked_to));
    let next_cursor = next_cursor.map(|ordinal| page::after_entity(job.id, ordinal));
    let model = views::model_of(&job);
    let entities = found.into_iter().map(|entity| FoundEntity::new(entity, &model, unit));
    let entities: Option<Vec<FoundEntity>> = entities.collect();
    let entities = entities.ok_or_else(offsets_not_counted)?;
    conditional::json(
        &headers,
        &Entities {
            document_id: id,
            job_id: job.id.0,
            offsets: unit,
            entities,
            next_cursor,
        },
    )
}

/// Which analysis is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AnalysisQuery {
    /// The analysis that read it: a job of the document. By default the newest that succeeded.
    pub job_id: Option<Uuid>,
}

/// Extracted text
///
/// The text that all offsets of an analysis's entities point into, exactly as the model read it.
#[utoipa::path(
    get,
    path = "/v1/documents/{document_id}/text",
    operation_id = "get_text",
    tag = "documents",
    params(
        ("document_id" = Uuid, Path, description = "The document."),
        AnalysisQuery,
        ("if-none-match" = Option<String>, Header, description = "Entity tag of what the caller has."),
    ),
    responses(
        (status = 200, description = "The text, in UTF-8.", body = String, content_type = "text/plain; charset=utf-8",
            headers(("etag", description = "Its entity tag."))),
        (status = 304, description = "The caller has it."),
        ResultProblems,
    )
)]
pub async fn text(
    caller: Caller,
    Id(id): Id,
    Params(query): Params<AnalysisQuery>,
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut tx = reading::begin(&state.shards, caller.bucket).await?;
    let job = analysed(&mut tx, &caller, DocumentId(id), query.job_id.map(JobId)).await?;
    drop(tx);
    let key = job
        .text_key
        .ok_or_else(|| ApiError::internal(format!("job {} succeeded without a text", job.id)))?;
    // The key holds the text's own hash: one key, one content.
    let tag = Tag::of(key.as_str().as_bytes());
    if tag.is_known(&headers) {
        return Ok(conditional::not_modified(tag));
    }
    let (body, bytes) = open(&state, &key).await?;
    let mut response = conditional::tagged(tag, "text/plain; charset=utf-8", body);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    Ok(response)
}

pub async fn open(state: &ApiState, key: &BlobKey) -> Result<(Body, u64), BlobError> {
    let (object, bytes) = state.blobs.open(key).await?;
    let chunks = stream::try_unfold(object, |mut object| async move {
        Ok::<_, std::io::Error>(object.try_next().await?.map(|chunk| (chunk, object)))
    });
    Ok((Body::from_stream(chunks), bytes))
}

pub fn offsets_not_counted() -> ApiError {
    ApiError::new(kinds::OFFSETS_NOT_COUNTED, OFFSETS_NOT_COUNTED)
}

/// The job whose result is read: the named one, or the document's newest that succeeded. Without a result an error says why.
pub async fn analysed(
    tx: &mut FencedTx,
    caller: &Caller,
    document: DocumentId,
    named: Option<JobId>,
) -> Result<JobView, ApiError> {
    let (bucket, client) = (caller.bucket, &caller.client);
    let job = match named {
        Some(job) => jobs::find(tx, JobKey { bucket, job }, client).await?,
        None => jobs::result_job(tx, bucket, client, document).await?,
    };
    let job = job.filter(|job| job.document_id == document);
    let job = job.ok_or_else(ApiError::not_found)?;
    let detail = match job.state {
        JobState::Succeeded => return Ok(job),
        JobState::Waiting | JobState::Queued | JobState::Running => {
            let state = job.state.as_str();
            format!("The analysis of this document is {state}; ask again when it has succeeded.")
        }
        JobState::Failed | JobState::Expired => {
            let state = job.state.as_str();
            format!("The analysis of this document is {state}; its job says why.")
        }
        JobState::Cancelled => "The analysis of this document was cancelled.".to_owned(),
    };
    Err(ApiError::new(kinds::NOT_ANALYSED, detail))
}
