//! Logs to standard output, metrics for Prometheus. Document text and secrets are never given to either.

use metrics_exporter_prometheus::PrometheusHandle;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::{ConfigError, Env, Setting};
use crate::metrics::{self, By};

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

/// Starts logging and makes the metrics recorder; the handle renders `/metrics`.
pub fn init(env: &Env, service: By) -> anyhow::Result<PrometheusHandle> {
    init_logs(env)?;
    Ok(metrics::start(service)?)
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
