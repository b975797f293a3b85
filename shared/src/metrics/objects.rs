//! Object storage as this process sees it.

use std::time::Instant;

use super::{By, Kind, Label, Metric, QUICK};

const OPERATION: Label = Label::words("operation", &["get", "put", "delete", "list", "head"]);

const SECONDS: Metric = Metric::new(
    "docket_object_request_seconds",
    Kind::Histogram(QUICK),
    By::Both,
    "time of a request to object storage until its answer begins, its tries included",
)
.labels(&[OPERATION]);
const ERRORS: Metric = Metric::new(
    "docket_object_errors_total",
    Kind::Counter,
    By::Both,
    "requests to object storage that failed at the last try; an object that is not there is no error",
)
.labels(&[OPERATION]);

pub(super) const ALL: &[&Metric] = &[&SECONDS, &ERRORS];

/// A request ended, well or not.
pub fn object_request(operation: &'static str, began: Instant, failed: bool) {
    SECONDS.histogram(&[operation]).record(began.elapsed());
    if failed {
        ERRORS.counter(&[operation]).increment(1);
    }
}
