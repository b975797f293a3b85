//! A worker's load: how full it is, how long each stage takes, and whether any job moves.

use std::time::Duration;

use docket_contract::outcome::Stage;

use super::{By, Kind, Label, Metric, SHARD, STEPS, TOGETHER};

const RUNNING: Metric = gauge("docket_jobs_running", "jobs that this worker has claimed and not ended");
const INTAKE: Metric = gauge("docket_worker_intake_jobs", "deliveries that this worker works on");
const INTAKE_LIMIT: Metric = gauge(
    "docket_worker_intake_limit",
    "most deliveries that this worker works on at the same time; lower than usual while a store is overloaded",
);
const MEMORY: Metric = gauge(
    "docket_worker_memory_reserved_bytes",
    "memory reserved for documents in work",
);
const MEMORY_LIMIT: Metric = gauge(
    "docket_worker_memory_limit_bytes",
    "all memory for documents (`DOCKET_MEMORY_BYTES`)",
);
const CPU_TASKS: Metric = gauge(
    "docket_worker_cpu_tasks",
    "computations outside the model that run now (extracting text, cutting windows, decoding)",
);
const CPU_TASKS_MAX: Metric = gauge(
    "docket_worker_cpu_tasks_max",
    "most computations outside the model that may run at the same time",
);
const SESSIONS: Metric = gauge(
    "docket_worker_sessions",
    "model calls that may run at the same time, for each model",
);
const STALLED: Metric = gauge(
    "docket_worker_stalled_seconds",
    "time for which this worker has had jobs without useful progress",
);
const STAGE_SECONDS: Metric = Metric::new(
    "docket_stage_seconds",
    Kind::Histogram(STEPS),
    By::Worker,
    "time of a stage of a job; `model` and `memory` are waits for the model and for memory, `infer` includes the wait \
     for a free session",
)
.labels(&[Label::words("stage", Stage::WORDS)]);
const STAGE_CPU: Metric = Metric::new(
    "docket_stage_cpu_seconds",
    Kind::Histogram(STEPS),
    By::Worker,
    "CPU time of one computation of a stage; for `infer`, CPU time of the session's thread in one model call",
)
.labels(&[Label::words("stage", Stage::COMPUTING_WORDS)]);
const RESULTS_TOGETHER: Metric = Metric::new(
    "docket_results_together",
    Kind::Histogram(TOGETHER),
    By::Worker,
    "results written in one transaction",
);
const HEARTBEAT_FAILED: Metric = Metric::new(
    "docket_heartbeat_failures_total",
    Kind::Counter,
    By::Worker,
    "heartbeats that a shard did not accept",
)
.labels(&[SHARD]);

pub(super) const ALL: &[&Metric] = &[
    &STAGE_SECONDS,
    &STAGE_CPU,
    &RUNNING,
    &INTAKE,
    &INTAKE_LIMIT,
    &MEMORY,
    &MEMORY_LIMIT,
    &CPU_TASKS,
    &CPU_TASKS_MAX,
    &SESSIONS,
    &STALLED,
    &RESULTS_TOGETHER,
    &HEARTBEAT_FAILED,
];

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric::new(name, Kind::Gauge, By::Worker, help)
}

/// How full a worker is.
#[derive(Debug, Clone, Copy)]
pub struct Hands {
    /// Deliveries in hand.
    pub deliveries: usize,
    /// Memory reserved for documents, and the limit of that memory, in bytes.
    pub memory: (u64, u64),
    /// Computations that run now, and how many may.
    pub cpu_tasks: (usize, usize),
    /// Model calls that may run at a time, for each model.
    pub sessions: usize,
}

/// Sets the gauges of a worker's load.
pub fn hands(hands: Hands) {
    INTAKE.gauge(&[]).set(hands.deliveries as f64);
    MEMORY.gauge(&[]).set(hands.memory.0 as f64);
    MEMORY_LIMIT.gauge(&[]).set(hands.memory.1 as f64);
    CPU_TASKS.gauge(&[]).set(hands.cpu_tasks.0 as f64);
    CPU_TASKS_MAX.gauge(&[]).set(hands.cpu_tasks.1 as f64);
    SESSIONS.gauge(&[]).set(hands.sessions as f64);
}

/// Jobs that this worker has claimed and not ended.
pub fn jobs_running(jobs: usize) {
    RUNNING.gauge(&[]).set(jobs as f64);
}

/// Deliveries that this worker may have in hand.
pub fn intake_limit(jobs: f64) {
    INTAKE_LIMIT.gauge(&[]).set(jobs.floor());
}

/// How long no job in hand has made progress.
pub fn stalled(time: Duration) {
    STALLED.gauge(&[]).set(time.as_secs_f64());
}

/// A stage of a job took `elapsed`.
pub fn stage(stage: Stage, elapsed: Duration) {
    STAGE_SECONDS.histogram(&[stage.as_str()]).record(elapsed);
}

/// A computation of a stage took this much CPU time.
pub fn stage_cpu(stage: Stage, time: Duration) {
    STAGE_CPU.histogram(&[stage.as_str()]).record(time);
}

/// This many results were written in one transaction.
pub fn results_written(results: usize) {
    RESULTS_TOGETHER.histogram(&[]).record(results as f64);
}

/// A shard did not take a heartbeat.
pub fn heartbeat_failed(shard: &str) {
    HEARTBEAT_FAILED.counter(&[shard]).increment(1);
}
