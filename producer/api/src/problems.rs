//! The problems that each kind of callers' route can answer.

use docket_http::problem::Kind;
use docket_http::problems;

use crate::kinds;

problems!(
    /// Reading one thing by its id, or the list of its parts.
    ReadProblems:
    Kind::NO_CLIENT,
    Kind::NOT_FOUND,
    Kind::TOO_MANY_REQUESTS,
    Kind::OVERLOADED,
);
problems!(
    /// Reading a list of the caller's own.
    ListProblems:
    Kind::NO_CLIENT,
    Kind::TOO_MANY_REQUESTS,
    Kind::OVERLOADED,
);
problems!(
    /// Reading the result of an analysis.
    ResultProblems:
    Kind::NO_CLIENT,
    Kind::NOT_FOUND,
    kinds::NOT_ANALYSED,
    kinds::OFFSETS_NOT_COUNTED,
    Kind::TOO_MANY_REQUESTS,
    Kind::OVERLOADED,
);
problems!(
    /// Exporting the result of an analysis.
    ExportProblems:
    Kind::NO_CLIENT,
    Kind::NOT_FOUND,
    kinds::NOT_ANALYSED,
    kinds::OFFSETS_NOT_COUNTED,
    kinds::PAGE_TOO_LARGE,
    Kind::TOO_MANY_REQUESTS,
    Kind::OVERLOADED,
);
problems!(
    /// Reading a page of a document.
    PageProblems:
    Kind::NO_CLIENT,
    Kind::NOT_FOUND,
    kinds::NOT_ANALYSED,
    kinds::NO_PAGES,
    kinds::PAGE_TOO_LARGE,
    Kind::TOO_MANY_REQUESTS,
    Kind::OVERLOADED,
);
problems!(
    /// Reading the image of a page.
    ImageProblems:
    Kind::NO_CLIENT,
    Kind::NOT_FOUND,
    kinds::NOT_ANALYSED,
    kinds::NO_PAGES,
    kinds::PAGE_NOT_DRAWABLE,
    Kind::TOO_MANY_REQUESTS,
    Kind::OVERLOADED,
);
problems!(
    /// Asking for another analysis of a document.
    ReanalysisProblems:
    Kind::NO_CLIENT,
    Kind::NOT_FOUND,
    Kind::BODY_TIMED_OUT,
    kinds::IDEMPOTENCY_IN_PROGRESS,
    kinds::TOO_MANY_ANALYSES,
    Kind::INVALID_FIELD,
    kinds::UNKNOWN_MODEL,
    kinds::IDEMPOTENCY_MISMATCH,
    kinds::BACKLOG_FULL,
    Kind::TOO_MANY_REQUESTS,
    Kind::OVERLOADED,
);
problems!(
    /// Cancelling a job.
    CancelProblems:
    Kind::NO_CLIENT,
    Kind::NOT_FOUND,
    kinds::ALREADY_ENDED,
    Kind::TOO_MANY_REQUESTS,
    Kind::OVERLOADED,
);
problems!(
    /// Uploading.
    UploadProblems:
    Kind::NO_CLIENT,
    Kind::BODY_TIMED_OUT,
    kinds::IDEMPOTENCY_IN_PROGRESS,
    kinds::PAYLOAD_TOO_LARGE,
    kinds::UNSUPPORTED_MEDIA_TYPE,
    Kind::INVALID_FIELD,
    kinds::EMPTY_DOCUMENT,
    kinds::TOO_MANY_DOCUMENTS,
    kinds::UNKNOWN_MODEL,
    kinds::IDEMPOTENCY_MISMATCH,
    kinds::BACKLOG_FULL,
    Kind::OVERLOADED,
);
