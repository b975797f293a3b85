//! How many answers are prepared, and wait for their callers to take them, at a time: what they hold in memory is bounded, and
//! a client that asks for much at once, reads slowly or leaves before it is answered slows nobody but itself.

use std::panic::resume_unwind;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::Instrument;

use super::AppState;
use super::auth::Caller;
use super::error::{ApiError, Kind};
use super::held::held;
use super::places::{Full, WAIT_MAX};

/// Requests of clients, uploads aside, that are served by this process at a time, from their start until the last byte of
/// their answer was taken. The largest answer, a page of documents with all their metadata, has 1.2 MB; four times as many
/// as there are connections to a shard, so that none of these waits for a caller.
pub const READS_MAX: usize = 32;
/// The same of what needs no token, of each kind: metrics, and the page that describes the API, whose largest file has 1.4 MB.
pub const OPEN_MAX: usize = 8;

/// Serves a request of a client at a place of that client.
pub async fn bound(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(caller) = Caller::from_request_parts(&mut parts, &state).await else {
        return next.run(Request::from_parts(parts, body)).await; // Its route says what is wrong.
    };
    let place = match state.reads.take(&caller.client).await {
        Ok(place) => place,
        Err(full) => return refusal(full).into_response(),
    };
    parts.extensions.insert(caller);
    let serving = next.run(Request::from_parts(parts, body)).in_current_span();
    // In a task of its own: a caller that leaves does not end a query that runs, so the place must be held on.
    let serving = state.shutdown.spawn(async { held(serving.await, place) });
    match serving.await {
        Ok(response) => response,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

fn refusal(Full { held, free }: Full) -> ApiError {
    if held == 0 {
        let detail = format!("This process serves {READS_MAX} requests at a time and is at its limit; try again soon.");
        return ApiError::new(Kind::Overloaded, detail);
    }
    let detail = format!(
        "{held} requests of this client are being served, of {READS_MAX} that this process serves at a time; {free} places \
         are free, for clients that have fewer. Wait for their answers first."
    );
    ApiError::new(Kind::TooManyRequests, detail)
}

/// Serves a request that needs no token, when there is room.
pub async fn bound_open(State(room): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    match timeout(WAIT_MAX, room.acquire_owned()).await {
        Ok(Ok(permit)) => held(next.run(request).await, permit),
        Ok(Err(_)) | Err(_) => {
            let detail = format!("This process answers {OPEN_MAX} such requests at a time; try again soon.");
            ApiError::new(Kind::Overloaded, detail).into_response()
        }
    }
}
