//! Tells the catalog every few seconds what this worker serves and how fast: the dispatcher sizes the queue by it.

use std::sync::Arc;
use std::time::Duration;

use docket_shared::shutdown::Shutdown;
use docket_shared::store::reports::{self, WorkerReport};
use docket_shared::telemetry;

use crate::batch::Progress;
use crate::run::Context;

/// How often: the dispatcher believes a report for ten times as long.
const REPORT_EVERY: Duration = Duration::from_secs(3);
/// Busy time that makes a measurement: a few passes.
const BUSY_MIN: Duration = Duration::from_millis(200);

/// Reports until the shutdown begins. The speed is what the sessions reach while they are busy, so that an idle worker is
/// not taken for a slow one.
pub async fn run(ctx: Arc<Context>, shutdown: Shutdown) {
    let mut last = Progress::default();
    let mut speed = 0.0;
    while shutdown.sleep(REPORT_EVERY).await {
        let now = ctx.model.batcher().progress();
        let busy = now.busy.saturating_sub(last.busy);
        if busy >= BUSY_MIN {
            speed = ctx.sessions as f64 * (now.tokens - last.tokens) as f64 / busy.as_secs_f64();
            last = now;
        }
        let about = &ctx.model.manifest().about;
        let report = WorkerReport {
            worker: ctx.worker.clone(),
            model: about.name.clone(),
            model_version: about.version.clone(),
            tokens_per_second: speed,
        };
        if let Err(error) = reports::worker(ctx.shards.catalog(), &report).await {
            tracing::warn!(
                error = telemetry::chain(&error),
                "the catalog does not know how fast this worker is"
            );
        }
    }
}
