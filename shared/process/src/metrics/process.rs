//! The process itself, under the metric names that Prometheus' own client libraries use.

use super::{By, Kind, Label, Metric, flag};

const BUILD_INFO: Metric = Metric::new(
    "docket_build_info",
    Kind::Gauge,
    By::Both,
    "always 1; the labels name the release and the service that run",
)
.labels(&[
    Label::named("version", "version of the release"),
    Label::words("service", &["producer", "worker"]),
]);
const READY: Metric = Metric::new(
    "docket_ready",
    Kind::Gauge,
    By::Producer,
    "1 while the process is ready for requests in this role, else 0",
)
.labels(&[Label::words("role", &["api", "dispatch"])]);
const CPU: Metric = both(
    "process_cpu_seconds_total",
    Kind::Counter,
    "CPU time that the process has used, in whole seconds",
);
const FILES: Metric = both("process_open_fds", Kind::Gauge, "open files and sockets of the process");
const FILES_MAX: Metric = both(
    "process_max_fds",
    Kind::Gauge,
    "most files and sockets that the process may have open",
);
const MEMORY: Metric = both(
    "process_resident_memory_bytes",
    Kind::Gauge,
    "resident memory of the process",
);
const VIRTUAL: Metric = both(
    "process_virtual_memory_bytes",
    Kind::Gauge,
    "size of the address space of the process",
);
const VIRTUAL_MAX: Metric = both(
    "process_virtual_memory_max_bytes",
    Kind::Gauge,
    "largest size that the address space of the process may have",
);
const START: Metric = both(
    "process_start_time_seconds",
    Kind::Gauge,
    "start of the process, in seconds since the Unix epoch",
);
const THREADS: Metric = both("process_threads", Kind::Gauge, "threads of the process");
const SPANS: Metric = both(
    "docket_spans_total",
    Kind::Counter,
    "spans sent to the collector of traces: `exported` if the collector accepted the spans, `lost` if not",
)
.labels(&[Label::words("outcome", &["exported", "lost"])]);
const SPANS_RECORDED: Metric = both(
    "docket_spans_recorded_total",
    Kind::Counter,
    "spans recorded for the collector of traces; spans that are not in `docket_spans_total` yet wait in a queue, or \
     were dropped because the queue was full",
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
