//! Logs to standard output, metrics for Prometheus, traces to an OpenTelemetry collector. None of them is ever given document
//! text or a secret.

pub mod context;
mod logs;
mod panics;
mod traces;

use metrics_exporter_prometheus::PrometheusHandle;
use tracing_subscriber::filter::{FilterExt, LevelFilter, dynamic_filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::metrics::{self, By};
use crate::settings::{Env, Setting};

pub use panics::literal as literal_panic;
pub use traces::Traces;

/// Every setting of this file and its folder.
pub const SETTINGS: &[&Setting] = &[&logs::FILTER, &logs::FORMAT, &traces::ENDPOINT, &traces::RATIO];

/// What a process keeps of its telemetry.
pub struct Telemetry {
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
    /// Traces, to be flushed before the process ends.
    pub traces: Traces,
}

/// Starts logging (panics included) and tracing, and makes the metrics recorder.
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

/// A layer's filter that is asked about every span and log line, instead of once per place in the code. With the cached answer a
/// span or line is lost when a library has only asked whether it would be logged, as sqlx does for each statement
/// (tokio-rs/tracing#2519).
fn each_time<S>(filter: impl Filter<S>) -> impl Filter<S> {
    let always = dynamic_filter_fn(|_, _| true).with_max_level_hint(LevelFilter::TRACE);
    filter.and(always)
}

/// An error and its sources on one line. Each link of the chain says one thing (`Display`), and `source` holds the next link. A
/// source whose text a library's link has already said is not repeated.
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
