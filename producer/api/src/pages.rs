//! A page of a document, as people look at it: its text, its size, its blocks and where they stand.
//!
//! Only the parts of the stored map and text that belong to the page are read.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use docket_contract::ids::{DocumentId, JobId};
use docket_contract::object_key::BlobKey;
use docket_contract::text_map::{Block, Index, InvalidMap, Page};
use docket_store::read::reading;

use crate::kinds;
use crate::problems::PageProblems;
use crate::results::{AnalysisQuery, analysed};
use crate::state::ApiState;
use crate::views::{ShownBlock, ShownPage};
use docket_http::caller::Caller;
use docket_http::conditional;
use docket_http::extract::{IdAndNumber, Params};
use docket_http::problem::ApiError;

/// Bytes that are read of a map to learn where its pages are: enough for the first 1,700 pages, in one request.
const FIRST_READ_BYTES: u64 = 64 * 1024;
/// Largest text of a page that is shown, in bytes. A page of a book has 3 kB; the whole text has a route of its own.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Page
///
/// A page of a document that has pages: its text in reading order, its size in points, and its blocks with their places.
#[utoipa::path(
    get,
    path = "/v1/documents/{document_id}/pages/{page}",
    operation_id = "get_page",
    tag = "documents",
    params(
        ("document_id" = Uuid, Path, description = "The document."),
        ("page" = u32, Path, description = "The page's number, from 1."),
        AnalysisQuery,
        ("if-none-match" = Option<String>, Header, description = "Entity tag of what the caller has."),
    ),
    responses(
        (status = 200, description = "The page.", body = ShownPage, headers(("etag", description = "Its entity tag."))),
        (status = 304, description = "The caller has it."),
        PageProblems,
    )
)]
pub async fn one(
    caller: Caller,
    IdAndNumber(id, number): IdAndNumber,
    Params(query): Params<AnalysisQuery>,
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut tx = reading::begin(&state.shards, caller.bucket).await?;
    let job = analysed(&mut tx, &caller, DocumentId(id), query.job_id.map(JobId)).await?;
    drop(tx);
    let (Some(text_key), Some(map_key)) = (job.text_key, job.map_key) else {
        return Err(no_pages());
    };
    let (page, blocks) = stored_page(&state, &map_key, number).await?;
    if page.bytes.len() > PAGE_BYTES_MAX {
        let detail = format!(
            "The page has {} bytes of text, and at most {PAGE_BYTES_MAX} are shown; read the document's text instead.",
            page.bytes.len()
        );
        return Err(ApiError::new(kinds::PAGE_TOO_LARGE, detail));
    }
    let text = text_of(&state, &text_key, &page).await?;
    let blocks = shown(&page, &blocks, &text);
    conditional::json(
        &headers,
        &ShownPage {
            document_id: id,
            job_id: job.id.0,
            page: page.number,
            width: page.width,
            height: page.height,
            reading: page.reading.as_str(),
            ocr_confidence: page.confidence,
            start: page.chars.start,
            end: page.chars.end,
            start_byte: page.bytes.start,
            end_byte: page.bytes.end,
            text,
            blocks: blocks.ok_or_else(|| ApiError::internal(InvalidMap))?,
        },
    )
}

pub fn no_pages() -> ApiError {
    ApiError::new(kinds::NO_PAGES, "This document is of a kind that has no pages.")
}

/// A page by its number, out of the stored map.
async fn stored_page(state: &ApiState, map: &BlobKey, number: u32) -> Result<(Page, Vec<Block>), ApiError> {
    let index = index_of(state, map).await?;
    let place = index.pages.iter().position(|page| page.number == number);
    opened(state, (&index, map), place.ok_or_else(ApiError::not_found)?).await
}

/// The page at a place of a stored map, from 0, with its boxes and blocks.
pub async fn opened(
    state: &ApiState,
    (index, map): (&Index, &BlobKey),
    place: usize,
) -> Result<(Page, Vec<Block>), ApiError> {
    let chunk = index.chunk(place).ok_or_else(ApiError::not_found)?;
    let chunk = state.blobs.range(map, chunk).await?;
    index.open(place, &chunk).map_err(ApiError::internal)
}

/// The text of a page, out of the document's.
pub async fn text_of(state: &ApiState, text: &BlobKey, page: &Page) -> Result<String, ApiError> {
    let bytes = u64::from(page.bytes.start)..u64::from(page.bytes.end);
    let text = state.blobs.range(text, bytes).await?;
    String::from_utf8(text.into()).map_err(ApiError::internal)
}

/// The pages of a stored map; an error for a document without.
pub async fn index_of(state: &ApiState, map: &BlobKey) -> Result<Index, ApiError> {
    let mut head = state.blobs.range(map, 0..FIRST_READ_BYTES).await?;
    let size = Index::bytes(&head).map_err(ApiError::internal)?;
    if size > head.len() {
        head = state.blobs.range(map, 0..size as u64).await?;
    }
    let index = Index::read(&head).map_err(ApiError::internal)?;
    if index.pages.is_empty() {
        return Err(no_pages());
    }
    Ok(index)
}

/// The blocks of a page as they are shown; `None` when they do not fit the page's text.
fn shown(page: &Page, blocks: &[Block], text: &str) -> Option<Vec<ShownBlock>> {
    let (mut byte, mut char) = (page.bytes.start, page.chars.start);
    let mut count_to = |end: u32| {
        let passed = text.get((byte - page.bytes.start) as usize..end.checked_sub(page.bytes.start)? as usize)?;
        char += u32::try_from(passed.chars().count()).ok()?;
        byte = end;
        Some(char)
    };
    let mut all = Vec::with_capacity(blocks.len());
    for block in blocks {
        let (start, end) = (count_to(block.bytes.start)?, count_to(block.bytes.end)?);
        all.push(ShownBlock {
            region: block.region.as_str(),
            start,
            end,
            start_byte: block.bytes.start,
            end_byte: block.bytes.end,
            boxes: page.rectangles(start..end),
        });
    }
    Some(all)
}
