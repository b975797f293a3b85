//! Repairs, under the dispatcher's lease: rows whose message or worker was lost wait again, jobs past their deadline end,
//! keys past their time go, objects without a row go. The backlog is counted on the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_shared::ids::ShardName;
use docket_shared::store::{Database, StoreError, backlog, idempotency, sweep};
use docket_shared::{metrics, telemetry};

use super::Dispatcher;
use super::orphans::Orphans;

/// How often a shard is swept: repairs are due after minutes, so that seconds do not matter.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// How much longer than a count took the next one is not begun.
const COUNT_FACTOR: u32 = 20;
/// Batches of one kind in a sweep: dispatching must not wait long for repairs.
const BATCHES_MAX: usize = 8;

/// Sweeps one shard.
pub struct Sweeper {
    name: ShardName,
    shard: Database,
    orphans: Orphans,
    swept: Option<Instant>,
    count_due: Instant,
    counted: Vec<String>,
}

impl Sweeper {
    /// A sweeper that has not swept yet.
    pub fn new(dispatcher: Arc<Dispatcher>, name: ShardName, shard: Database) -> Self {
        let orphans = Orphans::new(dispatcher, name.clone());
        Self {
            name,
            shard,
            orphans,
            swept: None,
            count_due: Instant::now(),
            counted: Vec::new(),
        }
    }

    /// Sweeps, when it is time to.
    pub async fn tick(&mut self) {
        if self.swept.is_some_and(|swept| swept.elapsed() < SWEEP_EVERY) {
            return;
        }
        self.swept = Some(Instant::now());
        if let Err(error) = self.sweep().await {
            tracing::warn!(error = telemetry::chain(&error), shard = %self.name, "a sweep was not finished");
        }
        if let Err(error) = self.count().await {
            tracing::warn!(error = telemetry::chain(&error), shard = %self.name, "the backlog was not counted");
        }
        if let Err(error) = self.orphans.sweep_next().await {
            tracing::warn!(error = telemetry::chain(error.as_ref()), shard = %self.name, "objects were not swept");
        }
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        repeat("late_job", || sweep::late(&self.shard)).await?;
        repeat("lost_message", || sweep::lost_messages(&self.shard)).await?;
        repeat("dead_claim", || sweep::dead_claims(&self.shard)).await?;
        repeat("expired_key", || idempotency::expire(&self.shard)).await
    }

    /// Counts what has not ended; a large backlog less often, so that counting takes at most a twentieth of the time.
    async fn count(&mut self) -> Result<(), StoreError> {
        let began = Instant::now();
        if began < self.count_due {
            return Ok(());
        }
        let counted = backlog::count(&self.shard).await?;
        self.count_due = Instant::now() + COUNT_FACTOR * began.elapsed();
        let models: Vec<String> = counted.iter().map(|model| model.model.clone()).collect();
        for model in counted {
            let (jobs, bytes) = (model.jobs as f64, model.bytes as f64);
            metrics::backlog(self.name.as_str(), &model.model, (jobs, bytes, model.oldest_seconds));
        }
        for gone in self.counted.iter().filter(|model| !models.contains(model)) {
            metrics::backlog(self.name.as_str(), gone, (0.0, 0.0, 0.0));
        }
        self.counted = models;
        Ok(())
    }

    /// Another process acts for the shard: its figures hold, and none of this one's.
    pub fn stand_by(&mut self) {
        for model in self.counted.drain(..) {
            metrics::backlog(self.name.as_str(), &model, (0.0, 0.0, 0.0));
        }
    }
}

async fn repeat<F>(what: &'static str, batch: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<u64, StoreError>>,
{
    for _ in 0..BATCHES_MAX {
        let repaired = batch().await?;
        if repaired == 0 {
            break;
        }
        metrics::repaired(what, repaired);
        tracing::info!(what, rows = repaired, "repaired");
    }
    Ok(())
}
