//! Repairs, under the dispatcher's lease: rows whose message or worker was lost wait again, keys past their time go,
//! objects without a row go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_shared::ids::ShardName;
use docket_shared::store::{Database, StoreError, idempotency, sweep};
use docket_shared::{metrics, telemetry};

use super::Dispatcher;
use super::orphans::Orphans;

/// How often a shard is swept: repairs are due after minutes, so that seconds do not matter.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// Batches of one kind in a sweep: dispatching must not wait long for repairs.
const BATCHES_MAX: usize = 8;

/// Sweeps one shard.
pub struct Sweeper {
    name: ShardName,
    shard: Database,
    orphans: Orphans,
    swept: Option<Instant>,
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
        if let Err(error) = self.orphans.sweep_next().await {
            tracing::warn!(error = telemetry::chain(error.as_ref()), shard = %self.name, "objects were not swept");
        }
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        repeat("lost_message", || sweep::lost_messages(&self.shard)).await?;
        repeat("dead_claim", || sweep::dead_claims(&self.shard)).await?;
        repeat("expired_key", || idempotency::expire(&self.shard)).await
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
