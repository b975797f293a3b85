//! Who sends a request: a client or an operator, known only by a verified bearer token.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use docket_contract::ids::{Bucket, ClientId};
use docket_contract::sharding;
use docket_identity::{Reason, Refused, Verifier};

use crate::problem::{ApiError, Kind};

/// The client that sends a request, and where its rows are.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The client that the token names.
    pub client: ClientId,
    /// The bucket of the client's rows.
    pub bucket: Bucket,
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if let Some(verified) = parts.extensions.get::<Self>() {
            return Ok(verified.clone()); // Verified in `reads.rs`, before the route.
        }
        let client = Verifier::from_ref(state).verify(token(parts)?)?;
        Ok(Self {
            bucket: sharding::bucket_of(&client),
            client,
        })
    }
}

/// The name of the operator that sends a request.
#[derive(Debug, Clone)]
pub struct Actor(pub String);

impl<S> FromRequestParts<S> for Actor
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(Verifier::from_ref(state).verify_operator(token(parts)?)?))
    }
}

/// The bearer token of a request.
fn token(parts: &Parts) -> Result<&str, ApiError> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let token = header
        .and_then(|header| header.split_once(' '))
        .and_then(|(scheme, token)| {
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(token.trim())
                .filter(|token| !token.is_empty())
        });
    token.ok_or_else(|| ApiError::new(Kind::UNAUTHENTICATED, "Send a token as \"Authorization: Bearer ...\"."))
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let kind = match refused.reason {
            Reason::InvalidToken => Kind::INVALID_TOKEN,
            Reason::NoClient => Kind::NO_CLIENT,
            Reason::NotOperator => Kind::NOT_OPERATOR,
        };
        Self::new(kind, refused.detail)
    }
}
