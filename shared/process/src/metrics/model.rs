//! Models on a worker: which versions are served, how loading goes, and what a call of the model takes.

use std::time::Duration;

use metrics::{Counter, Histogram};

use super::{By, Kind, Label, MODEL, Metric, STEPS, TOGETHER, flag};

const PASS_SECONDS: Metric = worker(
    "docket_model_pass_seconds",
    Kind::Histogram(STEPS),
    "time of one model call",
)
.labels(&[MODEL]);
const PASS_WINDOWS: Metric = worker(
    "docket_model_pass_windows",
    Kind::Histogram(TOGETHER),
    "windows in one model call, of any jobs",
)
.labels(&[MODEL]);
const PASS_TOKENS: Metric = worker(
    "docket_model_pass_tokens_total",
    Kind::Counter,
    "tokens given to the model, overlaps of windows and special tokens included; `padding` tokens are wasted work",
)
.labels(&[MODEL, Label::words("kind", &["text", "padding"])]);
const TRIALS: Metric = worker(
    "docket_model_trials_total",
    Kind::Counter,
    "trials of a session after several jobs in a row failed on the session: `passed` means that the documents were at \
     fault, `failed` means that the worker ended",
)
.labels(&[MODEL, Label::words("outcome", &["passed", "failed"])]);
const SERVING: Metric = worker(
    "docket_model_serving",
    Kind::Gauge,
    "1 for the version that this worker uses as the current version, 0 for earlier versions",
)
.labels(&[MODEL, Label::named("version", "version of the model")]);
const LOADS: Metric = worker(
    "docket_model_loads_total",
    Kind::Counter,
    "attempts to fetch, check and load a version of a model",
)
.labels(&[MODEL, Label::words("outcome", &["loaded", "failed"])]);
const LOAD_SECONDS: Metric = worker(
    "docket_model_load_seconds",
    Kind::Histogram(STEPS),
    "time of a successful attempt to fetch, check and load a version of a model",
)
.labels(&[MODEL]);
const REFUSED: Metric = worker(
    "docket_model_refusals_total",
    Kind::Counter,
    "new current versions that this worker could not use; the worker goes on with the earlier version",
)
.labels(&[MODEL]);

pub(super) const ALL: &[&Metric] = &[
    &PASS_SECONDS,
    &PASS_WINDOWS,
    &PASS_TOKENS,
    &TRIALS,
    &SERVING,
    &LOADS,
    &LOAD_SECONDS,
    &REFUSED,
];

const fn worker(name: &'static str, kind: Kind, help: &'static str) -> Metric {
    Metric::new(name, kind, By::Worker, help)
}

/// Counts a model's calls. The series are looked up once, so that the model's own thread takes no lock and allocates no name.
#[derive(Clone)]
pub struct Passes {
    seconds: Histogram,
    windows: Histogram,
    text: Counter,
    padding: Counter,
    passed: Counter,
    failed: Counter,
}

impl Passes {
    /// The counts of this model.
    pub fn of(model: &str) -> Self {
        Self {
            seconds: PASS_SECONDS.histogram(&[model]),
            windows: PASS_WINDOWS.histogram(&[model]),
            text: PASS_TOKENS.counter(&[model, "text"]),
            padding: PASS_TOKENS.counter(&[model, "padding"]),
            passed: TRIALS.counter(&[model, "passed"]),
            failed: TRIALS.counter(&[model, "failed"]),
        }
    }

    /// The model was called with this many windows, text tokens and padding tokens.
    pub fn note(&self, windows: usize, (tokens, padding): (usize, usize), took: Duration) {
        self.seconds.record(took);
        self.windows.record(windows as f64);
        self.text.increment(tokens as u64);
        self.padding.increment(padding as u64);
    }
}

impl Passes {
    /// A session that failed several jobs in a row was tried out.
    pub fn tried(&self, went_well: bool) {
        let outcome = if went_well { &self.passed } else { &self.failed };
        outcome.increment(1);
    }
}

impl std::fmt::Debug for Passes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passes")
    }
}

/// Says whether this worker serves a version of a model.
pub fn model_serving(model: &str, version: &str, serves: bool) {
    SERVING.gauge(&[model, version]).set(flag(serves));
}

/// A version of a model was loaded in this time; `None` when loading failed.
pub fn model_loaded(model: &str, took: Option<Duration>) {
    match took {
        Some(took) => {
            LOADS.counter(&[model, "loaded"]).increment(1);
            LOAD_SECONDS.histogram(&[model]).record(took);
        }
        None => LOADS.counter(&[model, "failed"]).increment(1),
    }
}

/// A published version of a model could not be used.
pub fn model_refused(model: &str) {
    REFUSED.counter(&[model]).increment(1);
}
