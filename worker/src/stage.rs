//! A stage of a job, as metrics and traces show it.

use std::time::Instant;

use docket_contract::outcome::Stage;
use docket_process::metrics;
use tracing::Instrument;

/// Runs a stage of a job, measures its time, and gives it a span.
pub(crate) async fn stage<T>(stage: Stage, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = work
        .instrument(tracing::debug_span!("stage", otel.name = stage.as_str()))
        .await;
    metrics::stage(stage, began.elapsed());
    done
}
