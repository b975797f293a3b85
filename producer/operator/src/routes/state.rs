//! The state that operators' routes share.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use docket_http::caller::Actor;
use docket_http::problem::ApiError;
use docket_identity::Verifier;
use docket_objects::published::Models;
use docket_process::shutdown::Shutdown;
use docket_store::Shards;

use crate::actions::Operations;

/// The state that operators' routes share; clones share it too.
#[derive(Clone)]
pub struct OperatorState {
    /// The catalog and all shards.
    pub shards: Shards,
    /// The models in the bucket.
    pub models: Models,
    /// Knows which tokens are operators'.
    pub verifier: Verifier,
    /// Waits at a stop for actions that go on without their caller.
    pub shutdown: Shutdown,
}

impl FromRef<OperatorState> for Verifier {
    fn from_ref(state: &OperatorState) -> Self {
        state.verifier.clone()
    }
}

impl FromRequestParts<OperatorState> for Operations {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &OperatorState) -> Result<Self, ApiError> {
        let Actor(name) = Actor::from_request_parts(parts, state).await?;
        Ok(Self::new(state.shards.clone(), state.models.clone(), name))
    }
}
