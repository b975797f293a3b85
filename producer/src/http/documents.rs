//! What callers read of documents: a list, one, its entities, its text.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use docket_shared::blob::BlobKey;
use docket_shared::ids::{DocumentId, JobKey};
use docket_shared::job::JobState;
use docket_shared::store::documents::{self, DocumentView, EntityPage, Page};
use docket_shared::store::jobs::JobView;
use futures::stream;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::AppState;
use super::auth::Caller;
use super::conditional::{self, Tag};
use super::error::{ApiError, Kind};
use super::extract::{Id, Params};
use super::openapi::{ListProblems, ReadProblems, ResultPageProblems, ResultProblems};
use super::page;
use super::views::{self, Document, Documents, Entities, FoundEntity};

/// Documents on a page: more would make one answer megabytes.
const DOCUMENTS_MAX: u32 = 200;
/// Documents on a page that asks for no number.
const DOCUMENTS_DEFAULT: u32 = 50;
/// Entities on a page: more would make one answer megabytes.
const ENTITIES_MAX: u32 = 1_000;
/// Entities on a page that asks for no number.
const ENTITIES_DEFAULT: u32 = 200;
/// Longest label that is looked for, in bytes: labels of models are a word or two.
const LABEL_BYTES_MAX: usize = 100;

/// Which documents are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those whose newest job is in this state.
    #[param(inline)]
    state: Option<views::State>,
    /// At most this many on the page; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Documents
///
/// The caller's documents, newest first, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/documents",
    operation_id = "list_documents",
    tag = "documents",
    params(ListQuery, ("if-none-match" = Option<String>, Header, description = "Entity tag of what the caller has.")),
    responses(
        (status = 200, description = "A page of documents.", body = Documents, headers(("etag", description = "Its entity tag."))),
        (status = 304, description = "The caller has it."),
        ListProblems,
    )
)]
pub async fn list(
    caller: Caller,
    Params(query): Params<ListQuery>,
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let limit = page::limit(query.limit, DOCUMENTS_DEFAULT, 1..=DOCUMENTS_MAX)?;
    let before = query.cursor.as_deref().map(page::document).transpose()?;
    let wanted = Page {
        state: query.state.map(JobState::from),
        before,
        limit: limit as i64 + 1,
    };
    let mut tx = state.shards.begin(caller.bucket).await?;
    let mut found = documents::list(&mut tx, caller.bucket, &caller.client, wanted).await?;
    drop(tx);
    let next_cursor = page::cut(&mut found, limit).map(|last| page::after_document(last.id));
    let documents = found.into_iter().map(Document::from).collect();
    conditional::json(&headers, &Documents { documents, next_cursor })
}

/// A document
///
/// With where its newest analysis stands: state, attempts, timings, error.
#[utoipa::path(
    get,
    path = "/v1/documents/{document_id}",
    operation_id = "get_document",
    tag = "documents",
    params(
        ("document_id" = Uuid, Path, description = "The document."),
        ("if-none-match" = Option<String>, Header, description = "Entity tag of what the caller has."),
    ),
    responses(
        (status = 200, description = "The document.", body = Document, headers(("etag", description = "Its entity tag."))),
        (status = 304, description = "The caller has it."),
        ReadProblems,
    )
)]
pub async fn one(
    caller: Caller,
    Id(id): Id,
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    conditional::json(&headers, &Document::from(find(&state, &caller, id).await?))
}

/// Which entities are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EntitiesQuery {
    /// Only those of this label.
    label: Option<String>,
    /// At most this many on the page; 200 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Entities
///
/// What the newest analysis found in a document, in the order of the text, a page at a time.
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
        ResultPageProblems,
    )
)]
pub async fn entities(
    caller: Caller,
    Id(id): Id,
    Params(query): Params<EntitiesQuery>,
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let limit = page::limit(query.limit, ENTITIES_DEFAULT, 1..=ENTITIES_MAX)?;
    let is_label = |label: &String| label.len() <= LABEL_BYTES_MAX && !label.contains('\0');
    if !query.label.as_ref().is_none_or(is_label) {
        return Err(ApiError::new(
            Kind::InvalidRequest,
            "No label is that long or holds NUL.",
        ));
    }
    let mut tx = state.shards.begin(caller.bucket).await?;
    let document = documents::find(&mut tx, caller.bucket, DocumentId(id), &caller.client).await?;
    let job = analysed(document.ok_or_else(ApiError::not_found)?)?;
    let after = query
        .cursor
        .as_deref()
        .map_or(Ok(0), |cursor| page::entity(cursor, job.id))?;
    let wanted = EntityPage {
        label: query.label,
        after,
        limit: limit as i64 + 1,
    };
    let key = JobKey {
        bucket: caller.bucket,
        job: job.id,
    };
    let mut found = documents::entities(&mut tx, key, wanted).await?;
    drop(tx);
    let next_cursor = page::cut(&mut found, limit).map(|(ordinal, _)| page::after_entity(job.id, *ordinal));
    let model = views::model_of(&job);
    let entities = found
        .into_iter()
        .map(|(_, entity)| FoundEntity::new(entity, &model))
        .collect();
    conditional::json(
        &headers,
        &Entities {
            document_id: id,
            job_id: job.id.0,
            entities,
            next_cursor,
        },
    )
}

/// Extracted text
///
/// The text that all offsets of entities point into, exactly as the model read it.
#[utoipa::path(
    get,
    path = "/v1/documents/{document_id}/text",
    operation_id = "get_text",
    tag = "documents",
    params(
        ("document_id" = Uuid, Path, description = "The document."),
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
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let job = analysed(find(&state, &caller, id).await?)?;
    let key = job
        .text_key
        .ok_or_else(|| ApiError::internal(format!("job {} succeeded without a text", job.id)))?;
    // The key carries the text's own hash: one key, one content.
    let tag = Tag::of(key.as_str().as_bytes());
    if tag.is_known(&headers) {
        return Ok(conditional::not_modified(tag));
    }
    let (body, bytes) = open(&state, &key).await?;
    let mut response = conditional::tagged(tag, "text/plain; charset=utf-8", body);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    Ok(response)
}

async fn open(state: &AppState, key: &BlobKey) -> Result<(Body, u64), ApiError> {
    let (object, bytes) = state.blobs.open(key).await?;
    let chunks = stream::try_unfold(object, |mut object| async move {
        Ok::<_, std::io::Error>(object.try_next().await?.map(|chunk| (chunk, object)))
    });
    Ok((Body::from_stream(chunks), bytes))
}

async fn find(state: &AppState, caller: &Caller, id: Uuid) -> Result<DocumentView, ApiError> {
    let mut tx = state.shards.begin(caller.bucket).await?;
    let document = documents::find(&mut tx, caller.bucket, DocumentId(id), &caller.client).await?;
    document.ok_or_else(ApiError::not_found)
}

/// The document's newest job, if it has a result.
fn analysed(document: DocumentView) -> Result<JobView, ApiError> {
    let state = document.job.state;
    let detail = match state {
        JobState::Succeeded => return Ok(document.job),
        JobState::Waiting | JobState::Queued | JobState::Running => {
            format!(
                "The analysis of this document is {}; ask again when it has succeeded.",
                state.as_str()
            )
        }
        JobState::Failed => "The analysis of this document is failed; its job says why.".to_owned(),
    };
    Err(ApiError::new(Kind::NotAnalysed, detail))
}
