//! The caller's documents: the list, and one by its id.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use docket_contract::ids::DocumentId;
use docket_contract::state::JobState;
use docket_store::read::documents::{self, DocumentView, Page};
use docket_store::read::reading;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::problems::{ListProblems, ReadProblems};
use crate::state::ApiState;
use crate::views::{Document, Documents};
use docket_http::caller::Caller;
use docket_http::conditional;
use docket_http::extract::{Id, Params};
use docket_http::page;
use docket_http::problem::{ApiError, Kind};

/// Documents on a page: more would make one answer megabytes.
const DOCUMENTS_MAX: u32 = 200;
/// Documents on a page that asks for no number.
const DOCUMENTS_DEFAULT: u32 = 50;

/// Which documents are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only documents in this state: `succeeded` are those with a result; the other states are those of the newest job of
    /// documents without a result.
    #[param(inline)]
    state: Option<JobState>,
    /// Only documents whose newest job is in this state.
    #[param(inline)]
    job_state: Option<JobState>,
    /// Only documents that were within this one, such as the files attached to a mail. Goes with neither state.
    parent_id: Option<Uuid>,
    /// At most this many on the page; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Documents
///
/// The caller's documents, newest first, a page at a time. A page of documents in a state may hold fewer than asked for, or
/// none, and still have a `next_cursor`: read on until there is none.
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
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let limit = page::limit(query.limit, DOCUMENTS_DEFAULT, 1..=DOCUMENTS_MAX)?;
    let before = query.cursor.as_deref().map(page::at).transpose()?.map(DocumentId);
    if query.parent_id.is_some() && (query.state.is_some() || query.job_state.is_some()) {
        let detail = "parent_id goes with neither state nor job_state.";
        return Err(ApiError::new(Kind::INVALID_REQUEST, detail));
    }
    let wanted = Page {
        state: query.state,
        job_state: query.job_state,
        parent: query.parent_id.map(DocumentId),
        before,
        limit: limit as i64 + 1,
    };
    let mut tx = reading::begin(&state.shards, caller.bucket).await?;
    let mut found = documents::list(&mut tx, caller.bucket, &caller.client, wanted).await?;
    drop(tx);
    let last = page::cut(&mut found.documents, limit).map(|last| last.id);
    let next_cursor = last.or(found.walked_to).map(|last| page::after(last.0));
    let documents = found.documents.into_iter().map(Document::from).collect();
    conditional::json(&headers, &Documents { documents, next_cursor })
}

/// A document
///
/// With where it stands, and its newest analysis: state, attempts, timings, error. While that one runs, and when it failed, the
/// result of an earlier one can still be read.
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
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    conditional::json(&headers, &Document::from(find(&state, &caller, id).await?))
}

async fn find(state: &ApiState, caller: &Caller, id: Uuid) -> Result<DocumentView, ApiError> {
    let mut tx = reading::begin(&state.shards, caller.bucket).await?;
    let document = documents::find(&mut tx, caller.bucket, DocumentId(id), &caller.client).await?;
    document.ok_or_else(ApiError::not_found)
}
