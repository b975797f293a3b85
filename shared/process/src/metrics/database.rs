//! Each database as this process sees it: connections, time to answer, and whether the database answers at all.

use std::time::Instant;

use metrics::{Counter, Gauge, Histogram};

use super::{By, DATABASE, Kind, Label, Metric, QUICK, SHARD, flag};

const CONNECTIONS: Metric = both(
    "docket_database_connections",
    Kind::Gauge,
    "open connections of this process to the database",
)
.labels(&[DATABASE, Label::words("state", &["used", "idle"])]);
const CONNECTIONS_MAX: Metric = both(
    "docket_database_connections_max",
    Kind::Gauge,
    "most connections of this process to the database (`DOCKET_PG_CONNECTIONS_MAX`)",
)
.labels(&[DATABASE]);
const WAITING: Metric = both(
    "docket_database_waiting_callers",
    Kind::Gauge,
    "callers that wait until their transaction begins",
)
.labels(&[DATABASE]);
const BEGIN_SECONDS: Metric = both(
    "docket_database_begin_seconds",
    Kind::Histogram(QUICK),
    "time to begin a transaction, the wait for a connection included; failed attempts count too",
)
.labels(&[DATABASE]);
const TRANSACTION_SECONDS: Metric = both(
    "docket_database_transaction_seconds",
    Kind::Histogram(QUICK),
    "time of a transaction, from its begin to its end",
)
.labels(&[DATABASE]);
const ERRORS: Metric = both(
    "docket_database_errors_total",
    Kind::Counter,
    "requests that a database did not carry out: `unavailable` may pass, `refused` is a mistake in a statement or a \
     schema",
)
.labels(&[DATABASE, Label::words("kind", &["unavailable", "refused"])]);
const CIRCUIT: Metric = both(
    "docket_database_circuit_open",
    Kind::Gauge,
    "1 while this process takes the database for away: one caller at a time tries the database, all other callers fail \
     at once",
)
.labels(&[DATABASE]);
const WRONG_SHARD: Metric = both(
    "docket_wrong_shard_total",
    Kind::Counter,
    "transactions that a shard refused because the shard does not own the bucket",
)
.labels(&[SHARD]);

pub(super) const ALL: &[&Metric] = &[
    &BEGIN_SECONDS,
    &TRANSACTION_SECONDS,
    &ERRORS,
    &CIRCUIT,
    &CONNECTIONS,
    &CONNECTIONS_MAX,
    &WAITING,
    &WRONG_SHARD,
];

const fn both(name: &'static str, kind: Kind, help: &'static str) -> Metric {
    Metric::new(name, kind, By::Both, help)
}

/// The series of one database, looked up once.
pub struct Meter {
    begin: Histogram,
    transaction: Histogram,
    waiting: Gauge,
    circuit: Gauge,
    unavailable: Counter,
    refused: Counter,
}

impl Meter {
    /// The meter of a database to which this process opens at most `connections_max` connections.
    pub fn of(database: &str, connections_max: u32) -> Self {
        CONNECTIONS_MAX.gauge(&[database]).set(f64::from(connections_max));
        connections(database, 0, 0);
        Self {
            begin: BEGIN_SECONDS.histogram(&[database]),
            transaction: TRANSACTION_SECONDS.histogram(&[database]),
            waiting: WAITING.gauge(&[database]),
            circuit: CIRCUIT.gauge(&[database]),
            unavailable: ERRORS.counter(&[database, "unavailable"]),
            refused: ERRORS.counter(&[database, "refused"]),
        }
    }

    /// Counts a caller that waits for a transaction to begin, and times the wait, until the value is dropped.
    pub fn waiting(&self) -> WaitingCaller {
        self.waiting.increment(1.0);
        WaitingCaller(self.waiting.clone(), Timed::new(&self.begin))
    }

    /// Times a transaction that has begun, until the value is dropped.
    pub fn transaction(&self) -> Timed {
        Timed::new(&self.transaction)
    }

    /// Says whether the database counts as away.
    pub fn away(&self, away: bool) {
        self.circuit.set(flag(away));
    }

    /// The database failed a request; `passing` when a later try may succeed.
    pub fn failed(&self, passing: bool) {
        let kind = if passing { &self.unavailable } else { &self.refused };
        kind.increment(1);
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meter")
    }
}

/// A caller that waits for a transaction to begin. Dropped when the wait is over.
pub struct WaitingCaller(Gauge, #[expect(dead_code, reason = "its end is what is noted")] Timed);

impl Drop for WaitingCaller {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Records in a histogram how long the value lived.
pub struct Timed {
    began: Instant,
    histogram: Histogram,
}

impl Timed {
    fn new(histogram: &Histogram) -> Self {
        let (began, histogram) = (Instant::now(), histogram.clone());
        Self { began, histogram }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.histogram.record(self.began.elapsed());
    }
}

/// Open connections to a database, and how many of them are idle.
pub fn connections(database: &str, open: u32, idle: usize) {
    let used = f64::from(open) - idle as f64;
    CONNECTIONS.gauge(&[database, "used"]).set(used.max(0.0));
    CONNECTIONS.gauge(&[database, "idle"]).set(idle as f64);
}

/// A shard refused a transaction, since it does not own the bucket.
pub fn wrong_shard(shard: &str) {
    WRONG_SHARD.counter(&[shard]).increment(1);
}
