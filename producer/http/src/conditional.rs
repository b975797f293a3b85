//! Conditional GET (RFC 9110, section 13). Every representation has a strong entity tag, the hash of its bytes; a caller that
//! already has the representation gets 304 instead.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use docket_contract::hex::hex;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::problem::ApiError;

/// A cache may keep an answer for its one user, and must ask before each use.
const CACHED: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Bytes of the hash in a tag: too many for two representations of one URL to share a tag by chance.
const TAG_BYTES: usize = 16;

/// An entity tag, with its quotes.
pub struct Tag(String);

impl Tag {
    /// The tag of a representation: the hash of its bytes, or of anything that changes with them.
    pub fn of(bytes: &[u8]) -> Self {
        Self(format!("\"{}\"", hex(&Sha256::digest(bytes)[..TAG_BYTES])))
    }

    /// Whether the caller has the representation with this tag.
    pub fn is_known(&self, request: &HeaderMap) -> bool {
        let fields = request
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|field| field.to_str().ok());
        let mut tags = fields.flat_map(|field| field.split(',')).map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.0)
    }
}

/// A value as JSON, or 304 for a caller that has it already.
pub fn json<T: Serialize>(request: &HeaderMap, value: &T) -> Result<Response, ApiError> {
    let body = serde_json::to_vec(value).map_err(ApiError::internal)?;
    let tag = Tag::of(&body);
    if tag.is_known(request) {
        return Ok(not_modified(tag));
    }
    Ok(tagged(tag, "application/json", Body::from(body)))
}

/// A representation with its tag.
pub fn tagged(Tag(tag): Tag, content_type: &'static str, body: Body) -> Response {
    let headers = [
        (CACHE_CONTROL, CACHED),
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
    ];
    (headers, [(ETAG, tag)], body).into_response()
}

/// The 304 for a caller that has this representation.
pub fn not_modified(Tag(tag): Tag) -> Response {
    (StatusCode::NOT_MODIFIED, [(CACHE_CONTROL, CACHED)], [(ETAG, tag)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list_weak_or_strong() {
        let tag = Tag::of(b"text");
        let known = |field: &str| tag.is_known(&HeaderMap::from_iter([(IF_NONE_MATCH, field.parse().unwrap())]));
        let same = &tag.0;
        assert!(known(same) && known("*") && known(&format!("\"a\", {same}")) && known(&format!("W/{same}")));
        assert!(!known("\"a\"") && !known(same.trim_matches('"')) && !tag.is_known(&HeaderMap::new()));
    }
}
