//! What happens around every request: its id, its span, its line in the log, its metrics, and the body of its error.
//!
//! Bodies, tokens, queries and metadata are never logged; of the path only the route's pattern is.

use std::any::Any;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use docket_shared::metrics::{self, RequestInFlight};
use tracing::Instrument;
use uuid::Uuid;

use super::error::{ApiError, Kind, Problem};

/// The request's id: taken from the caller when it is usable, else made here; always answered.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id taken from a caller, in bytes: room for a UUID and a prefix.
const REQUEST_ID_LENGTH_MAX: usize = 128;
/// W3C trace context.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
/// Routes that machines ask every few seconds: logged at debug only.
const PROBES: [&str; 4] = ["/livez", "/readyz", "/startupz", "/metrics"];

/// Wraps a request in all of it.
pub async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _in_flight = RequestInFlight::begin();
    let method = request.method().clone();
    let id = request_id(request.headers());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        request.id = id,
        http.method = %request.method(),
        http.route = route,
        trace.parent = trace_parent(request.headers()),
    );
    let response = next.run(request).instrument(span.clone()).await;
    let mut response = explain(response, &id);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    metrics::http_request((method.as_str(), route), status, elapsed);
    let milliseconds = elapsed.as_secs_f64() * 1_000.0;
    let _entered = span.enter();
    if PROBES.contains(&route) {
        tracing::debug!(http.status = status, duration_ms = milliseconds, "answered");
    } else {
        tracing::info!(http.status = status, duration_ms = milliseconds, "answered");
    }
    response
}

/// Gives an error its body.
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
    let said = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    let said = said
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
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

/// The caller's trace context, when it has the form that W3C Trace Context gives version 00. Another one is ignored, as
/// that standard asks.
pub fn trace_parent(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(TRACE_PARENT)?.to_str().ok()?;
    let mut fields = header.split('-');
    let mut next = |length: usize| {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        fields
            .next()
            .filter(|field| field.len() == length && field.bytes().all(is_hex))
    };
    let (version, trace, parent, _flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
    let is_zero = |field: &str| field.bytes().all(|byte| byte == b'0');
    (version == "00" && !is_zero(trace) && !is_zero(parent) && fields.next().is_none()).then_some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_trace_context_is_taken_only_in_its_form() {
        assert_eq!(trace_parent(&headers(TRACE_PARENT, GOOD)), Some(GOOD));
        let zero_trace = GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32));
        for bad in [
            "",
            "00",
            &GOOD[1..],
            &GOOD.to_uppercase(),
            &GOOD.replacen("00-", "ff-", 1),
            &format!("{GOOD}-00"),
            &GOOD.replace("4bf9", "4bg9"),
            &zero_trace,
        ] {
            assert_eq!(trace_parent(&headers(TRACE_PARENT, bad)), None, "{bad} was taken");
        }
    }

    #[test]
    fn an_id_of_a_caller_is_taken_only_if_it_cannot_harm_a_log() {
        assert_eq!(request_id(&headers(REQUEST_ID, "req_1.a-B")), "req_1.a-B");
        for bad in ["", "a b", "a\"b", "ä", &"a".repeat(REQUEST_ID_LENGTH_MAX + 1)] {
            assert_ne!(request_id(&headers(REQUEST_ID, bad)), *bad);
        }
    }
}
