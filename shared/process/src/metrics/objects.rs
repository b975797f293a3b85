//! Object storage as this process sees it.

use std::time::Instant;

use docket_contract::words;

use super::{By, Kind, Label, Metric, QUICK};

const OPERATION: Label = Label::words("operation", Operation::WORDS);

words!(
    /// A request to object storage.
    Operation {
        /// Reads an object.
        Get = "get",
        /// Writes an object, or a part of one.
        Put = "put",
        /// Removes an object.
        Delete = "delete",
        /// Lists objects.
        List = "list",
        /// Asks whether the bucket answers.
        Head = "head",
    }
);

const SECONDS: Metric = Metric::new(
    "docket_object_request_seconds",
    Kind::Histogram(QUICK),
    By::Both,
    "time of a request to object storage until the answer begins, earlier attempts included",
)
.labels(&[OPERATION]);
const ERRORS: Metric = Metric::new(
    "docket_object_errors_total",
    Kind::Counter,
    By::Both,
    "requests to object storage that failed at the last attempt; a missing object is no error",
)
.labels(&[OPERATION]);

pub(super) const ALL: &[&Metric] = &[&SECONDS, &ERRORS];

/// A request to object storage ended, `failed` or not.
pub fn object_request(operation: Operation, began: Instant, failed: bool) {
    SECONDS.histogram(&[operation.as_str()]).record(began.elapsed());
    if failed {
        ERRORS.counter(&[operation.as_str()]).increment(1);
    }
}
