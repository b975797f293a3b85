//! Kinds of problems that only callers' routes raise.

use std::time::Duration;

use axum::http::StatusCode;
use docket_http::problem::{Kind, RETRY_AFTER_IN_PROGRESS};

/// When a caller refused for a full backlog may come back: draining takes longer, but some jobs have ended by then.
pub const BACKLOG_RETRY_AFTER: Duration = Duration::from_secs(10);

/// A request with the same idempotency key is being served.
pub const IDEMPOTENCY_IN_PROGRESS: Kind = Kind::new(
    StatusCode::CONFLICT,
    "idempotency-in-progress",
    "A request with this key is being served",
)
.retry_after(RETRY_AFTER_IN_PROGRESS);

/// The document has no result yet, or will never have one.
pub const NOT_ANALYSED: Kind = Kind::new(StatusCode::CONFLICT, "not-analysed", "The document has no result");

/// The analysis is of a release that did not count in the unit that was asked for.
pub const OFFSETS_NOT_COUNTED: Kind = Kind::new(
    StatusCode::CONFLICT,
    "offsets-not-counted",
    "The analysis has no offsets in this unit",
);

/// The document is of a kind that has no pages.
pub const NO_PAGES: Kind = Kind::new(StatusCode::CONFLICT, "no-pages", "The document has no pages");

/// No worker can draw the page.
pub const PAGE_NOT_DRAWABLE: Kind = Kind::new(StatusCode::CONFLICT, "page-not-drawable", "The page cannot be drawn");

/// The page has more text than is shown at once.
pub const PAGE_TOO_LARGE: Kind = Kind::new(
    StatusCode::CONFLICT,
    "page-too-large",
    "The page is too large to be shown",
);

/// The document has as many open analyses as it may.
pub const TOO_MANY_ANALYSES: Kind = Kind::new(
    StatusCode::CONFLICT,
    "too-many-analyses",
    "The document is being analysed as often as it may be",
);

/// The job to cancel has ended.
pub const ALREADY_ENDED: Kind = Kind::new(StatusCode::CONFLICT, "already-ended", "The job has ended");

/// A document larger than the limit.
pub const PAYLOAD_TOO_LARGE: Kind = Kind::new(
    StatusCode::PAYLOAD_TOO_LARGE,
    "payload-too-large",
    "The document is too large",
);

/// A media type that cannot be read.
pub const UNSUPPORTED_MEDIA_TYPE: Kind = Kind::new(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported-media-type",
    "Documents of this type cannot be read",
);

/// An upload without a byte, or a form without a file.
pub const EMPTY_DOCUMENT: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "empty-document",
    "There is no document",
);

/// A form with more documents than one request may hold.
pub const TOO_MANY_DOCUMENTS: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "too-many-documents",
    "There are too many documents",
);

/// No such model is published.
pub const UNKNOWN_MODEL: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unknown-model",
    "There is no such model",
);

/// The idempotency key belongs to an earlier, different request.
pub const IDEMPOTENCY_MISMATCH: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "idempotency-mismatch",
    "The key was used for another request",
);

/// The client has as many open jobs as it may.
pub const BACKLOG_FULL: Kind = Kind::new(
    StatusCode::TOO_MANY_REQUESTS,
    "backlog-full",
    "As many jobs are open as may be",
)
.retry_after(BACKLOG_RETRY_AFTER);
