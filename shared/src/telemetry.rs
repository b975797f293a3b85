//! Logs to standard output, metrics for Prometheus. Document text and secrets are never given to either.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::{ConfigError, Env, Setting};
use crate::metrics;

/// Which log lines are written.
pub const LOG: Setting = Setting::with_default(
    "DOCKET_LOG",
    "info,lapin=warn,aws=warn",
    "log filter, as `level` or `target=level,...` (levels: error, warn, info, debug, trace)",
);
/// How log lines look.
pub const LOG_FORMAT: Setting = Setting::with_default("DOCKET_LOG_FORMAT", "json", "`json` or `pretty`");

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[&LOG, &LOG_FORMAT];

/// Bounds of the histograms of seconds, from a quick statement to a job in a long queue.
const SECONDS_BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0,
];
/// Bounds of the histograms of counts (tokens of a batch, rows of a write).
const COUNT_BUCKETS: [f64; 12] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    512.0,
    1_024.0,
    2_048.0,
    4_096.0,
    16_384.0,
    65_536.0,
    1_048_576.0,
];

/// Starts logging and makes the metrics recorder; the handle renders `/metrics`.
pub fn init(env: &Env, service: &'static str) -> anyhow::Result<PrometheusHandle> {
    init_logs(env)?;
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS_BUCKETS)?
        .set_buckets(&COUNT_BUCKETS)?
        .install_recorder()?;
    metrics::describe();
    metrics::build_info(service);
    Ok(handle)
}

fn init_logs(env: &Env) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(env.text(&LOG)?.unwrap_or_default()).map_err(|error| LOG.invalid(error))?;
    let base = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE);
    let started = match env.text(&LOG_FORMAT)? {
        Some("json") => base.json().flatten_event(true).try_init(),
        Some("pretty") => base.try_init(),
        _ => return Err(LOG_FORMAT.invalid("it must be json or pretty")),
    };
    started.map_err(|error| LOG.invalid(error))
}

/// The whole chain of an error on one line: each link says one thing (`Display`), `source` holds the next.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        line.push_str(": ");
        line.push_str(&source.to_string());
        next = source.source();
    }
    line
}
