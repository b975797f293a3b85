//! What waits on the shards, for which clients, and how long until dispatch. The shard's dispatcher sets the shard's gauges, and
//! resets them to zero when it stops acting. So the shard's value is the largest over all processes.

use std::time::Duration;

use docket_contract::words;

use super::{By, Kind, Label, MODEL, Metric, PRIORITY, QUICK, SHARD, WAITS, flag};

words!(
    /// Why the dispatcher could not act.
    TickFailure {
        /// A database.
        Store = "store",
        /// The broker.
        Queue = "queue",
        /// It took longer than it may.
        TooLong = "too_long",
    }
);

words!(
    /// What the sweeper repairs.
    Repair {
        /// A job past its deadline.
        LateJob = "late_job",
        /// A job whose message is lost.
        LostMessage = "lost_message",
        /// A job whose worker is silent.
        DeadClaim = "dead_claim",
        /// An idempotency key past its day.
        ExpiredKey = "expired_key",
        /// An object that no row names.
        OrphanObject = "orphan_object",
    }
);

const ROLE: &str = "in the role `dispatch`";
const SEEN: &str = "in the role `dispatch`, after the first job of the model";

const ACTING: Metric = gauge(
    "docket_dispatch_acting",
    "1 if this process is the dispatcher of the shard, else 0",
)
.labels(&[SHARD])
.when(ROLE);
const TICK_SECONDS: Metric = Metric::new(
    "docket_dispatch_tick_seconds",
    Kind::Histogram(QUICK),
    By::Producer,
    "time of one look at a shard's waiting work, publishing included",
)
.labels(&[SHARD]);
const TICK_FAILED: Metric = Metric::new(
    "docket_dispatch_tick_failures_total",
    Kind::Counter,
    By::Producer,
    "failed looks at a shard's waiting work, and failed attempts to become the shard's dispatcher",
)
.labels(&[SHARD, Label::words("reason", TickFailure::WORDS)]);
const LAG: Metric = Metric::new(
    "docket_dispatch_lag_seconds",
    Kind::Histogram(WAITS),
    By::Producer,
    "time from when a job became due until the broker confirmed the job's message",
)
.labels(&[PRIORITY]);
const CLIENTS: Metric = gauge(
    "docket_dispatch_waiting_clients",
    "clients with waiting work at the last scan; a client counts once for each model and priority",
)
.labels(&[SHARD])
.when(ROLE);
const CAPPED: Metric = gauge(
    "docket_dispatch_capped_clients",
    "clients with waiting work that have as many jobs in flight as they may",
)
.labels(&[SHARD])
.when(ROLE);
const PAUSED: Metric = gauge(
    "docket_dispatch_paused_clients",
    "clients with waiting work that are paused",
)
.labels(&[SHARD])
.when(ROLE);
const LARGEST: Metric = gauge(
    "docket_dispatch_largest_client_ratio",
    "of the jobs in flight of all clients with waiting work, the share of the client with the most, from 0 to 1",
)
.labels(&[SHARD])
.when(ROLE);
const JOBS: Metric = gauge("docket_backlog_jobs", "jobs of a shard that have not ended")
    .labels(&[SHARD, MODEL])
    .when(SEEN);
const BYTES: Metric = gauge(
    "docket_backlog_bytes",
    "size of the documents of the jobs that have not ended, in bytes",
)
.labels(&[SHARD, MODEL])
.when(SEEN);
const OLDEST: Metric = gauge(
    "docket_backlog_oldest_seconds",
    "time since the oldest job that has not ended became due",
)
.labels(&[SHARD, MODEL])
.when(SEEN);
const WORK: Metric = gauge(
    "docket_work_waiting_seconds",
    "time that one worker needs for the work that can be done now, running jobs included",
)
.labels(&[SHARD, MODEL])
.when(SEEN);
const SPEED: Metric = gauge(
    "docket_worker_tokens_per_second",
    "tokens per second of one worker, as workers last reported",
)
.labels(&[MODEL])
.when(SEEN);
const IN_FLIGHT: Metric = gauge(
    "docket_backlog_in_flight_jobs",
    "jobs in flight: `queued` jobs are in the broker, `running` jobs are on a worker; all other open jobs wait",
)
.labels(&[SHARD, MODEL, Label::words("state", &["queued", "running"])])
.when(SEEN);
const WAITING_OLDEST: Metric = gauge(
    "docket_backlog_oldest_waiting_seconds",
    "time since the oldest waiting job became due; paused jobs do not count",
)
.labels(&[SHARD, MODEL, PRIORITY])
.when(SEEN);
const QUEUED_OLDEST: Metric = gauge(
    "docket_backlog_oldest_queued_seconds",
    "time that the oldest queued job has been in the broker",
)
.labels(&[SHARD, MODEL])
.when(SEEN);
const REPAIRED: Metric = Metric::new(
    "docket_repaired_rows_total",
    Kind::Counter,
    By::Producer,
    "rows and objects that the sweeper repaired, by what was wrong",
)
.labels(&[Label::words("what", Repair::WORDS)]);

pub(super) const ALL: &[&Metric] = &[
    &JOBS,
    &BYTES,
    &OLDEST,
    &WORK,
    &SPEED,
    &IN_FLIGHT,
    &WAITING_OLDEST,
    &QUEUED_OLDEST,
    &LAG,
    &ACTING,
    &TICK_SECONDS,
    &TICK_FAILED,
    &CLIENTS,
    &CAPPED,
    &PAUSED,
    &LARGEST,
    &REPAIRED,
];

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric::new(name, Kind::Gauge, By::Producer, help)
}

/// Clients that wait on a shard, as a scan saw them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Clients with waiting work.
    pub clients: usize,
    /// Clients that have as many jobs in flight as they may.
    pub capped: usize,
    /// Clients that are paused.
    pub paused: usize,
    /// Jobs in flight of all these clients.
    pub in_flight: i64,
    /// Jobs in flight of the client that has the most.
    pub largest: i64,
}

/// A shard's open work of one model: jobs by who has them, and the age of the oldest.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OpenWork {
    /// Jobs whose messages are in the broker.
    pub queued: i64,
    /// Jobs that workers have claimed.
    pub running: i64,
    /// How long the oldest waiting interactive job has been due, in seconds; 0 when no such job is due.
    pub oldest_interactive_seconds: f64,
    /// How long the oldest waiting bulk job has been due, in seconds; 0 when no such job is due.
    pub oldest_bulk_seconds: f64,
    /// How long the oldest queued job has been in the broker, in seconds.
    pub oldest_queued_seconds: f64,
}

impl std::ops::AddAssign for Waiting {
    fn add_assign(&mut self, other: Self) {
        *self = Self {
            clients: self.clients + other.clients,
            capped: self.capped + other.capped,
            paused: self.paused + other.paused,
            in_flight: self.in_flight + other.in_flight,
            largest: self.largest.max(other.largest),
        };
    }
}

/// Says whether this process is the dispatcher of a shard.
pub fn acting(shard: &str, acts: bool) {
    ACTING.gauge(&[shard]).set(flag(acts));
    if !acts {
        waiting(shard, Waiting::default());
    }
}

/// The dispatcher looked at a shard's waiting work, which took `elapsed`.
pub fn ticked(shard: &str, elapsed: Duration) {
    TICK_SECONDS.histogram(&[shard]).record(elapsed);
}

/// The dispatcher failed to look at a shard's waiting work, or to become its dispatcher.
pub fn tick_failed(shard: &str, reason: TickFailure) {
    TICK_FAILED.counter(&[shard, reason.as_str()]).increment(1);
}

/// The broker confirmed a job's message, `lag` after the job was due.
pub fn dispatched(priority: &'static str, lag: Duration) {
    LAG.histogram(&[priority]).record(lag);
}

/// The clients that wait on a shard.
pub fn waiting(shard: &str, waiting: Waiting) {
    CLIENTS.gauge(&[shard]).set(waiting.clients as f64);
    CAPPED.gauge(&[shard]).set(waiting.capped as f64);
    PAUSED.gauge(&[shard]).set(waiting.paused as f64);
    let ratio = waiting.largest as f64 / waiting.in_flight.max(1) as f64;
    LARGEST.gauge(&[shard]).set(ratio);
}

/// A shard's open work of a model: jobs, bytes, and seconds since the oldest job became due.
pub fn backlog(shard: &str, model: &str, (jobs, bytes, oldest): (f64, f64, f64)) {
    JOBS.gauge(&[shard, model]).set(jobs);
    BYTES.gauge(&[shard, model]).set(bytes);
    OLDEST.gauge(&[shard, model]).set(oldest);
}

/// Seconds that one worker needs for a shard's work of a model.
pub fn work_waiting(shard: &str, model: &str, seconds: f64) {
    WORK.gauge(&[shard, model]).set(seconds);
}

/// Tokens per second that one worker reads with a model.
pub fn worker_speed(model: &str, tokens_per_second: f64) {
    SPEED.gauge(&[model]).set(tokens_per_second);
}

/// A shard's open work of a model, by who has it.
pub fn open_work(shard: &str, model: &str, work: OpenWork) {
    IN_FLIGHT.gauge(&[shard, model, "queued"]).set(work.queued as f64);
    IN_FLIGHT.gauge(&[shard, model, "running"]).set(work.running as f64);
    for (priority, oldest) in [
        ("interactive", work.oldest_interactive_seconds),
        ("bulk", work.oldest_bulk_seconds),
    ] {
        WAITING_OLDEST.gauge(&[shard, model, priority]).set(oldest);
    }
    QUEUED_OLDEST.gauge(&[shard, model]).set(work.oldest_queued_seconds);
}

/// The sweeper repaired rows or objects; `what` says what was wrong.
pub fn repaired(what: Repair, rows: u64) {
    REPAIRED.counter(&[what.as_str()]).increment(rows);
}
