//! How jobs end on a worker, and how long their callers waited.

use std::time::Duration;

use docket_contract::outcome::{Outcome, Settled, Then};
use docket_contract::reason::Reason;

use super::{By, Kind, Label, MODEL, Metric, PRIORITY, STEPS, WAITS};

/// Bounds in seconds for the time to a result.
const RESULTS: &[f64] = &[
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0,
];

const JOBS: Metric = worker(
    "docket_jobs_total",
    Kind::Counter,
    "deliveries that a worker settled, by outcome",
)
.labels(&[Label::words("outcome", Settled::WORDS)]);
const SECONDS: Metric = worker(
    "docket_job_seconds",
    Kind::Histogram(STEPS),
    "time from a job's claim to its outcome",
)
.labels(&[Label::words("outcome", Outcome::WORDS)]);
const ERRORS: Metric = worker(
    "docket_job_errors_total",
    Kind::Counter,
    "errors of claimed jobs, by reason and by what followed; a `postponed` job loses no attempt",
)
.labels(&[Label::words("reason", Reason::WORDS), Label::words("then", Then::WORDS)]);
const TURN: Metric = worker(
    "docket_turn_wait_seconds",
    Kind::Histogram(WAITS),
    "time from when a job became due until a worker claimed the job",
)
.labels(&[PRIORITY]);
const RESULT: Metric = worker(
    "docket_time_to_result_seconds",
    Kind::Histogram(RESULTS),
    "time from an upload's acceptance, or from the job's due time if later, until the result was stored",
)
.labels(&[PRIORITY]);
const TOKENS: Metric = worker(
    "docket_model_tokens_total",
    Kind::Counter,
    "tokens in the texts of succeeded jobs; a token in several windows counts once",
)
.labels(&[MODEL]);
const ENTITIES: Metric = worker("docket_entities_total", Kind::Counter, "entities found and stored").labels(&[MODEL]);
const BYTES: Metric = worker(
    "docket_documents_bytes_total",
    Kind::Counter,
    "size of the documents of succeeded jobs, in bytes",
)
.labels(&[MODEL]);

pub(super) const ALL: &[&Metric] = &[&JOBS, &SECONDS, &ERRORS, &TURN, &RESULT, &TOKENS, &ENTITIES, &BYTES];

const fn worker(name: &'static str, kind: Kind, help: &'static str) -> Metric {
    Metric::new(name, kind, By::Worker, help)
}

/// A delivery was settled, `elapsed` after its claim. `None` when it is not sure that the delivery led to a claim.
pub fn job_settled(settled: Settled, elapsed: Option<Duration>) {
    JOBS.counter(&[settled.as_str()]).increment(1);
    if let (Settled::Claimed(outcome), Some(elapsed)) = (settled, elapsed) {
        SECONDS.histogram(&[outcome.as_str()]).record(elapsed);
    }
}

/// A job failed for this reason; `then` says what follows.
pub fn job_failed(reason: Reason, then: Then) {
    ERRORS.counter(&[reason.as_str(), then.as_str()]).increment(1);
}

/// A job was claimed, `waited` after it was due.
pub fn claimed(priority: &'static str, waited: Duration) {
    TURN.histogram(&[priority]).record(waited);
}

/// A job that ended with its result.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// Name of the model that read the document.
    pub model: &'a str,
    /// The job's priority, as a word.
    pub priority: &'static str,
    /// Time since the job was accepted, or since it was due if that was later.
    pub after: Duration,
    /// Size of the job's document.
    pub bytes: u64,
    /// Tokens of the document's text, each counted once.
    pub tokens: u64,
    /// Entities found and stored.
    pub entities: u64,
}

/// A job ended with its result.
pub fn succeeded(job: Ended<'_>) {
    RESULT.histogram(&[job.priority]).record(job.after);
    TOKENS.counter(&[job.model]).increment(job.tokens);
    ENTITIES.counter(&[job.model]).increment(job.entities);
    BYTES.counter(&[job.model]).increment(job.bytes);
}
