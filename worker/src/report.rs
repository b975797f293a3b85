//! Tells the catalog every few seconds which versions this worker serves and how fast. The dispatcher sizes the queues by these
//! reports.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use docket_contract::ids::ModelName;
use docket_process::shutdown::Shutdown;
use docket_process::telemetry;
use docket_store::StoreError;
use docket_store::operate::activity;
use docket_store::operate::activity::WorkerReport;

use crate::context::Context;
use crate::serving::Loaded;
use docket_engine::batch::Progress;

/// Time between two reports. The dispatcher believes a report for ten times as long.
const REPORT_EVERY: Duration = Duration::from_secs(3);
/// Shortest busy time that makes a measurement, so that a measurement covers a few passes.
const BUSY_MIN: Duration = Duration::from_millis(200);

/// Reports every served model until the shutdown begins.
pub async fn run(ctx: Arc<Context>, shutdown: Shutdown) {
    let mut speeds: HashMap<ModelName, Speed> = HashMap::new();
    while shutdown.sleep(REPORT_EVERY).await {
        for name in ctx.serving.names() {
            let speed = speeds.entry(name.clone()).or_default();
            if let Err(error) = report(&ctx, name, speed).await {
                let error = telemetry::chain(&error);
                tracing::warn!(model = %name, error, "the catalog does not know how fast this worker is");
            }
        }
    }
}

async fn report(ctx: &Context, name: &ModelName, speed: &mut Speed) -> Result<(), StoreError> {
    let loaded = ctx.serving.loaded(name);
    speed.measure(&loaded, ctx.sessions);
    let Some(current) = loaded.last() else { return Ok(()) };
    let report = WorkerReport {
        worker: ctx.worker.clone(),
        model: name.clone(),
        model_version: current.manifest().about.version.to_string(),
        tokens_per_second: speed.tokens_per_second,
    };
    activity::worker(ctx.shards.catalog(), &report).await
}

/// Tokens per second that a model's sessions read while busy, so that an idle worker does not count as slow.
#[derive(Default)]
struct Speed {
    tokens_per_second: f64,
    /// Each version's progress at the last measurement.
    last: HashMap<String, Progress>,
}

impl Speed {
    fn measure(&mut self, loaded: &[Arc<Loaded>], sessions: usize) {
        let (mut now, mut tokens, mut busy) = (HashMap::new(), 0, Duration::ZERO);
        for model in loaded {
            let version = model.manifest().about.version.to_string();
            let progress = model.batcher().progress();
            let last = self.last.get(&version).copied().unwrap_or_default();
            // The counts of a version restart at zero when it is unloaded and loaded again.
            tokens += progress.tokens.saturating_sub(last.tokens);
            busy += progress.busy.saturating_sub(last.busy);
            now.insert(version, progress);
        }
        if busy >= BUSY_MIN {
            self.tokens_per_second = sessions as f64 * tokens as f64 / busy.as_secs_f64();
            self.last = now;
        }
    }
}
