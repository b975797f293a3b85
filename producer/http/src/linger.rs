//! Lets a caller read why its request was refused. When a server closes a connection while bytes still arrive, the caller's
//! system discards the answer. So after the answer was sent, the rest of a refused body is read and discarded for a while.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use docket_process::shutdown::Shutdown;
use http_body_util::BodyExt;

/// How long the rest of a refused body is read: a caller that reads while it sends stops well before.
const LINGER_MAX: Duration = Duration::from_secs(3);

/// Runs a request, and reads the rest of its body when the request was refused.
pub async fn linger(State(shutdown): State<Shutdown>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let waits_for_leave = request.headers().contains_key(EXPECT);
    let (parts, body) = request.into_parts();
    let shared = SharedBody(Arc::new(Mutex::new(Progress {
        body,
        begun: false,
        ended: false,
    })));
    let response = next.run(Request::from_parts(parts, Body::new(shared.clone()))).await;
    let refused = response.status().is_client_error() || response.status().is_server_error();
    // A caller that waits for leave to send (`Expect`) would take this reading as the leave.
    if refused && shared.has_more(waits_for_leave) {
        let stopping = shutdown.clone();
        shutdown.spawn(async move {
            let drained = tokio::time::timeout(LINGER_MAX, drain(shared));
            stopping.until_soft(drained).await;
        });
    }
    response
}

async fn drain(mut body: SharedBody) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// A body that a second reader can continue when the first has gone. Only one reads at a time.
#[derive(Clone)]
struct SharedBody(Arc<Mutex<Progress>>);

struct Progress {
    body: Body,
    begun: bool,
    ended: bool,
}

impl SharedBody {
    fn has_more(&self, only_if_begun: bool) -> bool {
        let progress = self.0.lock().expect("no holder panics");
        !progress.ended && !progress.body.is_end_stream() && (progress.begun || !only_if_begun)
    }
}

impl HttpBody for SharedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        let mut progress = self.0.lock().expect("no holder panics");
        progress.begun = true;
        let frame = std::task::ready!(Pin::new(&mut progress.body).poll_frame(context));
        progress.ended = !matches!(frame, Some(Ok(_)));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().expect("no holder panics").body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.lock().expect("no holder panics").body.size_hint()
    }
}
