//! The image of a page. Workers draw it when it is wanted for the first time: this process never opens a stranger's file.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use docket_contract::ids::{DocumentId, JobId};
use docket_contract::object_key::BlobKey;
use docket_contract::page_image::DrawPage;
use docket_dispatch::images::{NotAsked, WISHES_OF_CLIENT_MAX};
use docket_objects::BlobError;
use docket_store::read::reading;

use crate::kinds;
use crate::pages::{index_of, no_pages};
use crate::problems::ImageProblems;
use crate::results::{AnalysisQuery, analysed, open};
use crate::state::ApiState;
use crate::views::ImageBeingDrawn;
use docket_http::caller::Caller;
use docket_http::conditional::{self, Tag};
use docket_http::extract::{IdAndNumber, Params};
use docket_http::problem::{ApiError, Kind};

/// The same page of the same document is always drawn the same, so a cache need not ask again for a year.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
/// When to ask again for an image that is being drawn, in seconds.
const DRAWN_IN_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Page image
///
/// The image of a page of a PDF or a scan, as a viewer shows it, at two pixels a point. A worker draws it when it is wanted for the
/// first time: until then the answer is 202, and asking again a second later gives the image.
#[utoipa::path(
    get,
    path = "/v1/documents/{document_id}/pages/{page}/image",
    operation_id = "get_page_image",
    tag = "documents",
    params(
        ("document_id" = Uuid, Path, description = "The document."),
        ("page" = u32, Path, description = "The page's number, from 1."),
        AnalysisQuery,
        ("if-none-match" = Option<String>, Header, description = "Entity tag of what the caller has."),
    ),
    responses(
        (status = 200, description = "The image. It never changes.", body = Vec<u8>, content_type = "image/png",
            headers(("etag", description = "Its entity tag."))),
        (status = 202, description = "A worker draws the image.", body = ImageBeingDrawn,
            headers(("retry-after", description = "When to ask again, in seconds."))),
        (status = 304, description = "The caller has it."),
        ImageProblems,
    )
)]
pub async fn image(
    caller: Caller,
    IdAndNumber(id, page): IdAndNumber,
    Params(query): Params<AnalysisQuery>,
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // The key begins with the caller's own client: nobody reads another's image.
    let key = BlobKey::page_image(caller.bucket, &caller.client, DocumentId(id), page);
    if let Some(answer) = drawn(&state, &key, &headers).await? {
        return Ok(answer);
    }
    let mut tx = reading::begin(&state.shards, caller.bucket).await?;
    let job = analysed(&mut tx, &caller, DocumentId(id), query.job_id.map(JobId)).await?;
    drop(tx);
    let map = job.map_key.ok_or_else(no_pages)?;
    let index = index_of(&state, &map).await?;
    if !index.pages.iter().any(|known| known.number == page) {
        return Err(ApiError::not_found());
    }
    let wish = DrawPage {
        bucket: caller.bucket.number(),
        client_id: caller.client.clone(),
        document_id: DocumentId(id),
        page,
    };
    state.images.ask(wish).await.map_err(refusal)?;
    let body = Json(ImageBeingDrawn { state: "being_drawn" });
    Ok((StatusCode::ACCEPTED, [(RETRY_AFTER, DRAWN_IN_SECONDS)], body).into_response())
}

/// The image, if it was drawn.
async fn drawn(state: &ApiState, key: &BlobKey, headers: &HeaderMap) -> Result<Option<Response>, ApiError> {
    let (body, bytes) = match open(state, key).await {
        Ok(opened) => opened,
        Err(BlobError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if bytes == 0 {
        let detail = "The page cannot be drawn; the document's original can be read as it was uploaded.";
        return Err(ApiError::new(kinds::PAGE_NOT_DRAWABLE, detail));
    }
    let tag = Tag::of(key.as_str().as_bytes());
    if tag.is_known(headers) {
        let mut same = conditional::not_modified(tag);
        same.headers_mut().insert(CACHE_CONTROL, IMMUTABLE);
        return Ok(Some(same));
    }
    let mut response = conditional::tagged(tag, "image/png", body);
    let answer = response.headers_mut();
    answer.insert(CACHE_CONTROL, IMMUTABLE);
    answer.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    answer.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(Some(response))
}

fn refusal(error: NotAsked) -> ApiError {
    match error {
        NotAsked::TooManyOfClient => {
            let detail =
                format!("A client may ask for {WISHES_OF_CLIENT_MAX} new images within ten seconds; ask again soon.");
            ApiError::new(Kind::TOO_MANY_REQUESTS, detail)
        }
        NotAsked::TooMany => ApiError::new(Kind::OVERLOADED, "As many images are drawn as can be; ask again soon."),
        NotAsked::Queue(error) => {
            tracing::warn!(
                error = docket_process::telemetry::chain(&error),
                "an image was not asked for"
            );
            ApiError::new(Kind::OVERLOADED, "Images cannot be drawn now; ask again soon.")
        }
    }
}
