//! Surrounds every request with its id, span, log line, metrics, and the body of its error.
//!
//! The span continues the caller's trace or begins one; our own sampling decides whether it is recorded. The answer's
//! `traceparent` holds the span's context. The span follows the semantic conventions of HTTP, except for `url.path`: a path holds
//! what callers write.
//!
//! Bodies, tokens, queries and metadata are never logged; of the path only the route's pattern is.

use std::any::Any;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use docket_process::metrics::{self, RequestInFlight};
use docket_process::telemetry::{self, context};
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::problem::{ApiError, Kind, Problem};

/// The request's id: the caller's if it is usable, otherwise a new one. Every answer has it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id taken from a caller, in bytes: room for a UUID and a prefix.
const REQUEST_ID_LENGTH_MAX: usize = 128;
/// The context of the trace (W3C).
const TRACE_PARENT: HeaderName = HeaderName::from_static(context::TRACE_PARENT);
/// Routes that machines request every few seconds: logged at debug level only, and not traced.
const PROBES: [&str; 4] = ["/livez", "/readyz", "/startupz", "/metrics"];

/// Gives a request its id, span, log line and metrics.
pub async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _in_flight = RequestInFlight::begin();
    let method = request.method().clone();
    let id = request_id(request.headers());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = span_of(&request, route, &id);
    let response = next.run(request).instrument(span.clone()).await;
    let mut response = explain(response, &id);
    let trace_parent = context::of(&span);
    for (name, value) in [(REQUEST_ID, Some(id)), (TRACE_PARENT, trace_parent)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    context::note(&span, "http.response.status_code", i64::from(status));
    if response.status().is_server_error() {
        context::failed(&span, status.to_string());
    }
    metrics::http_request((method.as_str(), route), status, elapsed);
    let milliseconds = elapsed.as_secs_f64() * 1_000.0;
    let _entered = span.enter();
    if PROBES.contains(&route) {
        tracing::debug!(
            http.response.status_code = status,
            duration_ms = milliseconds,
            "answered"
        );
    } else {
        tracing::info!(
            http.response.status_code = status,
            duration_ms = milliseconds,
            "answered"
        );
    }
    response
}

fn span_of(request: &Request, route: &str, id: &str) -> Span {
    if PROBES.contains(&route) {
        return tracing::trace_span!("probe", request.id = id, http.route = route);
    }
    let method = method_of(request.method());
    let verb = method.unwrap_or("HTTP");
    let span = tracing::info_span!(
        "request",
        otel.name = %format_args!("{verb} {route}"),
        otel.kind = "server",
        request.id = id,
        http.request.method = method.unwrap_or("_OTHER"),
        http.route = route,
        url.scheme = "http",
    );
    let caller = request.headers().get(TRACE_PARENT);
    context::adopt(&span, caller.and_then(|parent| parent.to_str().ok()));
    span
}

/// The method, if it is a known one of HTTP: callers may write any word there.
fn method_of(method: &Method) -> Option<&str> {
    const KNOWN: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    KNOWN.contains(method).then(|| method.as_str())
}

/// Replaces the body of an error by its problem.
fn explain(response: Response, id: &str) -> Response {
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    let kind = Kind::of(&response);
    let problem = serde_json::to_vec(&Problem::of(&response, id)).expect("text and a number always serialise");
    let (mut parts, _) = response.into_parts();
    if let Some(kind) = kind {
        kind.add_headers(&mut parts.headers);
    }
    parts.headers.remove(CONTENT_LENGTH);
    parts
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Response::from_parts(parts, Body::from(problem))
}

/// The answer to a request whose handler panicked.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer that calls it gives the value away"
)]
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let said = telemetry::literal_panic(&*panic).unwrap_or("with a message that may hold what the caller sent");
    ApiError::internal(format!("a handler panicked: {said}")).into_response()
}

fn request_id(headers: &HeaderMap) -> String {
    let usable = |id: &&str| {
        (1..=REQUEST_ID_LENGTH_MAX).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(usable);
    given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn an_id_of_a_caller_is_taken_only_if_it_cannot_harm_a_log() {
        assert_eq!(request_id(&headers(REQUEST_ID, "req_1.a-B")), "req_1.a-B");
        for bad in ["", "a b", "a\"b", "ä", &"a".repeat(REQUEST_ID_LENGTH_MAX + 1)] {
            assert_ne!(request_id(&headers(REQUEST_ID, bad)), *bad);
        }
    }
}
