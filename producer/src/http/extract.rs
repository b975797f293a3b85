//! Reading the parts of a request that every route reads the same way. What is malformed is answered as a problem.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::error::{ApiError, Kind};

/// Largest JSON body, in bytes: a thousand ids with their quotes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long such a body may take: it is a few packets.
const BODY_MAX: Duration = Duration::from_secs(10);

/// The query, as a struct.
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(ApiError::new(Kind::InvalidRequest, rejection.body_text())),
        }
    }
}

/// The id in the path. One that is malformed names nothing, like one that never was.
pub struct Id(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let id = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = id.and_then(|Path(id)| Uuid::try_parse(&id).ok());
        id.map(Self).ok_or_else(ApiError::not_found)
    }
}

/// The name in the path. One that is malformed names nothing.
pub struct Name<T>(pub T);

impl<S: Send + Sync, T: TryFrom<String>> FromRequestParts<S> for Name<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let name = Path::<String>::from_request_parts(parts, state).await.ok();
        let name = name.and_then(|Path(name)| T::try_from(name).ok());
        name.map(Self).ok_or_else(ApiError::not_found)
    }
}

/// A small JSON body, whatever its content type says.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let invalid = |detail: String| ApiError::new(Kind::InvalidRequest, detail);
        let body = tokio::time::timeout(BODY_MAX, to_bytes(request.into_body(), BODY_BYTES_MAX)).await;
        let body = body.map_err(|_| ApiError::new(Kind::BodyTimedOut, "The body did not arrive in time."))?;
        let body =
            body.map_err(|_| invalid(format!("The body broke off, or has more than {BODY_BYTES_MAX} bytes.")))?;
        let value = serde_json::from_slice(&body);
        value
            .map(Self)
            .map_err(|error| invalid(format!("The body cannot be taken: {error}.")))
    }
}
