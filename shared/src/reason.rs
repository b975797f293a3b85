//! Why jobs fail, in one word each: for filters, metrics and people.

/// Every reason that this release writes. A job that another release failed may have another one.
pub const REASONS: &[&str] = &[
    "database_unavailable",
    "document_missing",
    "document_too_large",
    "internal_error",
    "interrupted",
    "model_error",
    "model_unavailable",
    "poison",
    "storage_unavailable",
    "superseded",
    "text_not_processable",
    "timeout",
    "unknown_model",
    "unreadable_document",
    "worker_busy",
];
