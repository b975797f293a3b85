//! HTTP requests: rate, errors, duration. Uploads also have metrics of their own, since the service's objectives are about
//! uploads.

use std::time::Duration;

use super::{By, Kind, Label, Metric, QUICK};

const ROUTE: Label = Label::named("route", "pattern of the route, or `unmatched`");
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];
const METHOD: Label = Label::words("method", METHODS);
const CLASSES: &[&str] = &["2xx", "3xx", "4xx", "5xx"];
const CLASS: Label = Label::words("status", CLASSES);
/// 429 has a class of its own: neither the request nor the service is at fault.
const UPLOAD_CLASS: Label = Label::words("status", &["2xx", "429", "4xx", "5xx"]);
/// Bounds in seconds for an accepted upload: close together around the objective of 0.5 s.
const ACCEPT: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 2.5, 10.0, 60.0, 600.0,
];

const REQUESTS: Metric = Metric::new(
    "docket_http_requests_total",
    Kind::Counter,
    By::Producer,
    "answered requests",
)
.labels(&[ROUTE, METHOD, CLASS])
.when("after the first request of the route");
const SECONDS: Metric = Metric::new(
    "docket_http_request_seconds",
    Kind::Histogram(QUICK),
    By::Producer,
    "time from a request to the beginning of its answer",
)
.labels(&[ROUTE, METHOD])
.when("after the first request of the route");
const IN_FLIGHT: Metric = Metric::new(
    "docket_http_requests_in_flight",
    Kind::Gauge,
    By::Producer,
    "requests that are not answered yet",
);
const UPLOADS: Metric = Metric::new(
    "docket_uploads_total",
    Kind::Counter,
    By::Producer,
    "answered uploads, by class of status; 429 means that the backlog of the client is full",
)
.labels(&[UPLOAD_CLASS]);
const UPLOAD_SECONDS: Metric = Metric::new(
    "docket_upload_seconds",
    Kind::Histogram(ACCEPT),
    By::Producer,
    "time of an accepted upload, from its headers to its 202; the time in which the body arrives is included",
);

pub(super) const ALL: &[&Metric] = &[&REQUESTS, &SECONDS, &IN_FLIGHT, &UPLOADS, &UPLOAD_SECONDS];

/// Counts a request as in flight until this value is dropped.
pub struct RequestInFlight(());

impl RequestInFlight {
    /// Counts a request that begins.
    pub fn begin() -> Self {
        IN_FLIGHT.gauge(&[]).increment(1.0);
        Self(())
    }
}

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        IN_FLIGHT.gauge(&[]).decrement(1.0);
    }
}

/// A request was answered. `route` is the route's pattern, never the path.
pub fn http_request((method, route): (&str, &str), status: u16, elapsed: Duration) {
    let method = METHODS.iter().find(|known| **known == method).unwrap_or(&"other");
    let class = match status / 100 {
        1 | 2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    // The other classes start at zero with the route's first request.
    for one in CLASSES {
        REQUESTS
            .counter(&[route, method, one])
            .increment(u64::from(*one == class));
    }
    SECONDS.histogram(&[route, method]).record(elapsed);
}

/// An upload was answered with this status.
pub fn upload(status: u16, elapsed: Duration) {
    let class = match status {
        200..400 => "2xx",
        429 => "429",
        400..500 => "4xx",
        _ => "5xx",
    };
    UPLOADS.counter(&[class]).increment(1);
    if status == 202 {
        UPLOAD_SECONDS.histogram(&[]).record(elapsed);
    }
}
