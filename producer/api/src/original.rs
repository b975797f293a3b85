//! A document as it was uploaded.

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use docket_contract::ids::DocumentId;
use docket_store::read::{documents, reading};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::problems::ReadProblems;
use crate::results::open;
use crate::state::ApiState;
use docket_http::caller::Caller;
use docket_http::conditional::{self, Tag};
use docket_http::extract::Id;
use docket_http::problem::ApiError;

/// What RFC 8187 lets stand as it is, without marks that some clients misread.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// Original
///
/// The document as it was uploaded, byte for byte. It is a stranger's file: browsers are told to save it and to run nothing in it.
#[utoipa::path(
    get,
    path = "/v1/documents/{document_id}/original",
    operation_id = "get_original",
    tag = "documents",
    params(
        ("document_id" = Uuid, Path, description = "The document."),
        ("if-none-match" = Option<String>, Header, description = "Entity tag of what the caller has."),
    ),
    responses(
        (status = 200, description = "The document.", body = Vec<u8>, content_type = "application/octet-stream",
            headers(("etag", description = "Its entity tag."))),
        (status = 304, description = "The caller has it."),
        ReadProblems,
    )
)]
pub async fn original(
    caller: Caller,
    Id(id): Id,
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut tx = reading::begin(&state.shards, caller.bucket).await?;
    let found = documents::find(&mut tx, caller.bucket, DocumentId(id), &caller.client).await?;
    drop(tx);
    let document = found.ok_or_else(ApiError::not_found)?;
    let tag = Tag::of(document.sha256.as_bytes());
    if tag.is_known(&headers) {
        return Ok(conditional::not_modified(tag));
    }
    let (body, bytes) = open(&state, &document.key).await?;
    let mut response = conditional::tagged(tag, "application/octet-stream", body);
    let answer = response.headers_mut();
    answer.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    answer.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    answer.insert(CONTENT_DISPOSITION, disposition(document.file_name.as_deref()));
    Ok(response)
}

/// Tells browsers to save what is answered, under its name if it has one.
pub fn disposition(name: Option<&str>) -> HeaderValue {
    let plain = HeaderValue::from_static("attachment");
    let Some(name) = name else { return plain };
    let value = format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(name, NAME));
    HeaderValue::try_from(value).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_encoded_so_that_it_stays_in_its_place() {
        assert_eq!(disposition(None), "attachment");
        assert_eq!(
            disposition(Some("M\u{fc}ller\"; x=1.pdf")),
            "attachment; filename*=UTF-8''M%C3%BCller%22%3B%20x%3D1.pdf"
        );
    }
}
