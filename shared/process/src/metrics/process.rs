//! The process itself, under the metric names that Prometheus' own client libraries use.

use super::{By, Kind, Label, Metric, flag};

const BUILD_INFO: Metric = Metric::new(
    "docket_build_info",
    Kind::Gauge,
    By::Both,
    "1, with what runs as labels",
)
.labels(&[
    Label::named("version", "version of the release"),
    Label::words("service", &["producer", "worker"]),
]);
const READY: Metric = Metric::new(
    "docket_ready",
    Kind::Gauge,
    By::Producer,
    "1 while the process says that it should be sent requests, else 0; for each role that it has",
)
.labels(&[Label::words("role", &["api", "dispatch"])]);
const CPU: Metric = both(
    "process_cpu_seconds_total",
    Kind::Counter,
    "time of CPUs that the process used, in whole seconds",
);
const FILES: Metric = both("process_open_fds", Kind::Gauge, "open files and sockets");
const FILES_MAX: Metric = both("process_max_fds", Kind::Gauge, "the most of them");
const MEMORY: Metric = both(
    "process_resident_memory_bytes",
    Kind::Gauge,
    "memory that the process holds",
);
const VIRTUAL: Metric = both("process_virtual_memory_bytes", Kind::Gauge, "its address space");
const VIRTUAL_MAX: Metric = both("process_virtual_memory_max_bytes", Kind::Gauge, "the most of that");
const START: Metric = both(
    "process_start_time_seconds",
    Kind::Gauge,
    "when it started, in seconds of the Unix epoch",
);
const THREADS: Metric = both("process_threads", Kind::Gauge, "its threads");
const SPANS: Metric = both(
    "docket_spans_total",
    Kind::Counter,
    "spans that were sent to the collector of traces, and whether it took them",
)
.labels(&[Label::words("outcome", &["exported", "lost"])]);
const SPANS_RECORDED: Metric = both(
    "docket_spans_recorded_total",
    Kind::Counter,
    "spans for the collector of traces; what was not sent yet waits in a queue, or was dropped because that was full",
);

pub(super) const ALL: &[&Metric] = &[
    &BUILD_INFO,
    &READY,
    &CPU,
    &MEMORY,
    &VIRTUAL,
    &VIRTUAL_MAX,
    &FILES,
    &FILES_MAX,
    &START,
    &THREADS,
    &SPANS_RECORDED,
    &SPANS,
];

const fn both(name: &'static str, kind: Kind, help: &'static str) -> Metric {
    Metric::new(name, kind, By::Both, help)
}

/// Which build of which service runs.
pub(super) fn build_info(service: By) {
    BUILD_INFO
        .gauge(&[env!("CARGO_PKG_VERSION"), service.as_str()])
        .set(1.0);
}

/// Whether the process should be sent requests, for one of its roles.
pub fn ready(role: &str, is_ready: bool) {
    READY.gauge(&[role]).set(flag(is_ready));
}

/// Spans were offered to the collector of traces; `taken` when it accepted them.
pub fn spans(spans: usize, taken: bool) {
    let outcome = if taken { "exported" } else { "lost" };
    SPANS.counter(&[outcome]).increment(spans as u64);
}

/// A span ended that is to be sent to the collector of traces.
pub fn span_recorded() {
    SPANS_RECORDED.counter(&[]).increment(1);
}

/// Samples what the process uses now: CPU time, memory, files, threads.
pub fn sample() {
    metrics_process::Collector::default().collect();
}
