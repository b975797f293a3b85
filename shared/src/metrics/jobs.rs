//! What became of jobs in a worker's hands, and how long their callers waited.

use std::time::Duration;

use super::{By, Kind, Label, MODEL, Metric, PRIORITY, STEPS, WAITS};

/// Of a job that was claimed.
const ENDED: &[&str] = &[
    "succeeded",
    "superseded",
    "failed",
    "retried",
    "postponed",
    "put_off",
    "given_back",
    "shard_unreachable",
];
/// Of a delivery.
const OUTCOMES: &[&str] = &[
    "succeeded",
    "superseded",
    "failed",
    "retried",
    "postponed",
    "put_off",
    "given_back",
    "shard_unreachable",
    "undecodable",
    "ended",
    "not_due",
    "paused",
    "expired",
    "poison",
    "running_elsewhere",
    "suspect",
    "untouched",
    "crowded",
];
/// Why a job was not done; `error.kind` of the API has the same words.
const REASONS: &[&str] = &[
    "document_missing",
    "document_too_large",
    "storage_unavailable",
    "unreadable_document",
    "too_many_entities",
    "text_not_processable",
    "worker_busy",
    "model_error",
    "internal_error",
    "database_unavailable",
    "result_not_written",
    "unknown_model",
    "model_unavailable",
    "timeout",
    "poison",
];
/// Bounds in seconds of the time to a result.
const RESULTS: &[f64] = &[
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0,
];

const JOBS: Metric = worker("docket_jobs_total", Kind::Counter, "deliveries that a worker settled")
    .labels(&[Label::words("outcome", OUTCOMES)]);
const SECONDS: Metric = worker(
    "docket_job_seconds",
    Kind::Histogram(STEPS),
    "time from a claim to what became of the job",
)
.labels(&[Label::words("outcome", ENDED)]);
const ERRORS: Metric = worker(
    "docket_job_errors_total",
    Kind::Counter,
    "errors of claimed jobs, and what followed; `postponed` costs the job nothing",
)
.labels(&[
    Label::words("reason", REASONS),
    Label::words("then", &["retried", "postponed", "failed"]),
]);
const TURN: Metric = worker(
    "docket_turn_wait_seconds",
    Kind::Histogram(WAITS),
    "from when a job was due to when a worker claimed it",
)
.labels(&[PRIORITY]);
const RESULT: Metric = worker(
    "docket_time_to_result_seconds",
    Kind::Histogram(RESULTS),
    "from when an upload was accepted, or due if that was later, to its result being stored",
)
.labels(&[PRIORITY]);
const TOKENS: Metric = worker(
    "docket_model_tokens_total",
    Kind::Counter,
    "tokens of the texts of jobs that succeeded, each counted once",
)
.labels(&[MODEL]);
const ENTITIES: Metric = worker(
    "docket_entities_total",
    Kind::Counter,
    "entities that were found and stored",
)
.labels(&[MODEL]);
const BYTES: Metric = worker(
    "docket_documents_bytes_total",
    Kind::Counter,
    "bytes of the documents of jobs that succeeded",
)
.labels(&[MODEL]);

pub(super) const ALL: &[&Metric] = &[&JOBS, &SECONDS, &ERRORS, &TURN, &RESULT, &TOKENS, &ENTITIES, &BYTES];

const fn worker(name: &'static str, kind: Kind, help: &'static str) -> Metric {
    Metric::new(name, kind, By::Worker, help)
}

/// A delivery was settled.
pub fn job_settled(outcome: &'static str, elapsed: Option<Duration>) {
    JOBS.counter(&[outcome]).increment(1);
    if let Some(elapsed) = elapsed {
        SECONDS.histogram(&[outcome]).record(elapsed);
    }
}

/// A job was not done for this reason; `then` is `retried`, `postponed` or `failed`.
pub fn job_failed(reason: &'static str, then: &'static str) {
    ERRORS.counter(&[reason, then]).increment(1);
}

/// A job was claimed, so long after it was due.
pub fn claimed(priority: &'static str, waited: Duration) {
    TURN.histogram(&[priority]).record(waited);
}

/// A job that has its result.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// The model that read it.
    pub model: &'a str,
    /// Its priority.
    pub priority: &'static str,
    /// How long after it was accepted, or due if that was later.
    pub after: Duration,
    /// Size of its document.
    pub bytes: u64,
    /// Tokens of its text.
    pub tokens: u64,
    /// Entities that were found.
    pub entities: u64,
}

/// A job succeeded.
pub fn succeeded(job: Ended<'_>) {
    RESULT.histogram(&[job.priority]).record(job.after);
    TOKENS.counter(&[job.model]).increment(job.tokens);
    ENTITIES.counter(&[job.model]).increment(job.entities);
    BYTES.counter(&[job.model]).increment(job.bytes);
}
