//! Extractors that every route shares. A malformed part is answered as a problem.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::problem::{ApiError, Kind};

/// Largest JSON body, in bytes: a thousand ids with their quotes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a JSON body may take: it fits into a few packets.
const BODY_MAX: Duration = Duration::from_secs(10);

/// The query, parsed into a struct.
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(ApiError::new(Kind::INVALID_REQUEST, rejection.body_text())),
        }
    }
}

/// The id in the path. A malformed id is answered like an unknown one.
pub struct Id(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let id = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = id.and_then(|Path(id)| Uuid::try_parse(&id).ok());
        id.map(Self).ok_or_else(ApiError::not_found)
    }
}

/// The id and the number in the path. Malformed ones are answered like unknown ones.
pub struct IdAndNumber(pub Uuid, pub u32);

impl<S: Send + Sync> FromRequestParts<S> for IdAndNumber {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let both = Path::<(String, String)>::from_request_parts(parts, state).await.ok();
        let both = both.and_then(|Path((id, number))| Some((Uuid::try_parse(&id).ok()?, number.parse().ok()?)));
        both.map(|(id, number)| Self(id, number))
            .ok_or_else(ApiError::not_found)
    }
}

/// The name in the path. A malformed name is answered like an unknown one.
pub struct Name<T>(pub T);

impl<S: Send + Sync, T: TryFrom<String>> FromRequestParts<S> for Name<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let name = Path::<String>::from_request_parts(parts, state).await.ok();
        let name = name.and_then(|Path(name)| T::try_from(name).ok());
        name.map(Self).ok_or_else(ApiError::not_found)
    }
}

/// A small JSON body, with any content type.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let invalid = |detail: String| ApiError::new(Kind::INVALID_REQUEST, detail);
        let body = tokio::time::timeout(BODY_MAX, to_bytes(request.into_body(), BODY_BYTES_MAX)).await;
        let body = body.map_err(|_| ApiError::new(Kind::BODY_TIMED_OUT, "The body did not arrive in time."))?;
        let body =
            body.map_err(|_| invalid(format!("The body broke off, or has more than {BODY_BYTES_MAX} bytes.")))?;
        let value = serde_json::from_slice(&body);
        value
            .map(Self)
            .map_err(|error| invalid(format!("The body cannot be taken: {error}.")))
    }
}
