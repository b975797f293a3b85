//! Limits the answers that are prepared or wait for their callers, so that their memory is bounded. A client that asks for much
//! at once, reads slowly or leaves early slows nobody but itself.

use std::panic::resume_unwind;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use docket_identity::Verifier;
use docket_process::shutdown::Shutdown;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::Instrument;

use crate::caller::Caller;
use crate::held::held;
use crate::places::{Full, Places, WAIT_MAX};
use crate::problem::{ApiError, Kind};

/// Client requests, uploads aside, that this process serves at a time, from their start until the last byte of the answer was
/// taken. The largest answer, a page of documents with all their metadata, has 1.2 MB. An export is larger, but is made piece by
/// piece and has about as much in memory. The limit is four times the connections to
/// a shard, so that no connection waits for a caller.
pub const READS_MAX: usize = 32;
/// The same limit for each kind of request without a token: metrics, and the page of the description, whose largest file has 1.4
/// MB.
pub const OPEN_MAX: usize = 8;

/// The places for client requests; clones share them.
#[derive(Clone)]
pub struct Reads {
    places: Places,
    verifier: Verifier,
    shutdown: Shutdown,
}

impl Reads {
    /// [`READS_MAX`] places for requests of clients that this verifier knows.
    pub fn new(verifier: Verifier, shutdown: Shutdown) -> Self {
        Self {
            places: Places::new(READS_MAX),
            verifier,
            shutdown,
        }
    }
}

impl FromRef<Reads> for Verifier {
    fn from_ref(reads: &Reads) -> Self {
        reads.verifier.clone()
    }
}

/// Serves a client's request at one of the client's places.
pub async fn bound(State(reads): State<Reads>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(caller) = Caller::from_request_parts(&mut parts, &reads).await else {
        return next.run(Request::from_parts(parts, body)).await; // The route says what is wrong with the token.
    };
    let place = match reads.places.take(&caller.client).await {
        Ok(place) => place,
        Err(full) => return refusal(full).into_response(),
    };
    parts.extensions.insert(caller);
    let serving = next.run(Request::from_parts(parts, body)).in_current_span();
    // A task of its own: a query goes on when its caller leaves, so its place must stay taken.
    let serving = reads.shutdown.spawn(async { held(serving.await, place) });
    match serving.await {
        Ok(response) => response,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

fn refusal(Full { held, free }: Full) -> ApiError {
    if held == 0 {
        let detail = format!("This process serves {READS_MAX} requests at a time and is at its limit; try again soon.");
        return ApiError::new(Kind::OVERLOADED, detail);
    }
    let detail = format!(
        "{held} requests of this client are being served, of {READS_MAX} that this process serves at a time; {free} places \
         are free, for clients that have fewer. Wait for their answers first."
    );
    ApiError::new(Kind::TOO_MANY_REQUESTS, detail)
}

/// Serves a request without a token, when a place is free.
pub async fn bound_open(State(room): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    match timeout(WAIT_MAX, room.acquire_owned()).await {
        Ok(Ok(permit)) => held(next.run(request).await, permit),
        Ok(Err(_)) | Err(_) => {
            let detail = format!("This process answers {OPEN_MAX} such requests at a time; try again soon.");
            ApiError::new(Kind::OVERLOADED, detail).into_response()
        }
    }
}
