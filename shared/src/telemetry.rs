//! Logs to standard output, metrics for Prometheus, traces to an OpenTelemetry collector. Document text and secrets are never
//! given to any of them.

pub mod context;
mod logs;
mod panics;
mod traces;

use metrics_exporter_prometheus::PrometheusHandle;
use tracing_subscriber::filter::{FilterExt, LevelFilter, dynamic_filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Env, Setting};
use crate::metrics::{self, By};

pub use panics::literal as literal_panic;
pub use traces::Traces;

/// Every setting of this file and its folder.
pub const SETTINGS: &[&Setting] = &[&logs::FILTER, &logs::FORMAT, &traces::ENDPOINT, &traces::RATIO];

/// What a process keeps of its telemetry.
pub struct Telemetry {
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
    /// Its traces, to be flushed at the end.
    pub traces: Traces,
}

/// Starts logging, of panics too, and tracing, and makes the metrics recorder.
pub fn init(env: &Env, service: By) -> anyhow::Result<Telemetry> {
    let traces = Traces::from_env(env, service)?;
    let logs = logs::layer(env)?;
    tracing_subscriber::registry()
        .with(traces.layer())
        .with(logs)
        .try_init()?;
    panics::log();
    let metrics = metrics::start(service)?;
    Ok(Telemetry { metrics, traces })
}

/// A filter of one layer that is asked about every span and line which it may let through, instead of once a place in the code:
/// else one of them is lost whenever a library has only asked whether it would be logged, as sqlx does with each statement
/// (tokio-rs/tracing#2519).
fn each_time<S>(filter: impl Filter<S>) -> impl Filter<S> {
    let always = dynamic_filter_fn(|_, _| true).with_max_level_hint(LevelFilter::TRACE);
    filter.and(always)
}

/// The whole chain of an error on one line: each link says one thing (`Display`), `source` holds the next. What a library's link
/// has said of its source already is not said twice.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let said = source.to_string();
        if !line.contains(&said) {
            line.push_str(": ");
            line.push_str(&said);
        }
        next = source.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the shard does not answer")]
    struct Outer(#[from] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("error communicating with database: {0}")]
    struct Middle(#[from] io::Error);

    #[test]
    fn what_a_link_has_said_of_its_source_is_not_said_twice() {
        let error = Outer::from(Middle::from(io::Error::other("connection refused")));
        assert_eq!(
            chain(&error),
            "the shard does not answer: error communicating with database: connection refused"
        );
    }
}
