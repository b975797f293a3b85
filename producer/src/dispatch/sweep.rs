//! Repairs, under the dispatcher's lease: rows whose message or worker was lost wait again, jobs past their deadline end,
//! keys past their time go, objects without a row go. The backlog is counted on the way (`backlog.rs`, `standing.rs`).
//!
//! A task of its own, so that dispatching never waits for it, and so that it goes on while the broker is away.

use std::sync::Arc;
use std::time::Duration;

use docket_shared::ids::ShardName;
use docket_shared::shutdown::Shutdown;
use docket_shared::store::{Database, StoreError, idempotency, sweep};
use docket_shared::{metrics, telemetry};
use tokio::sync::watch;

use super::Dispatcher;
use super::backlog::Counter;
use super::orphans::Orphans;
use super::standing::Lookout;

/// How often a shard is swept: repairs are due after minutes, so that seconds do not matter.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// Longest sweep: a silent server must not stop it for ever.
const SWEEP_MAX: Duration = Duration::from_secs(60);
/// Batches of one kind in a sweep: the others must not wait long for them.
const BATCHES_MAX: usize = 8;

/// Sweeps one shard.
pub struct Sweeper {
    name: ShardName,
    shard: Database,
    orphans: Orphans,
    counter: Counter,
    lookout: Lookout,
}

impl Sweeper {
    /// A sweeper that has not swept yet.
    pub fn new(dispatcher: Arc<Dispatcher>, name: ShardName, shard: Database) -> Self {
        let catalog = dispatcher.shards.catalog().clone();
        Self {
            counter: Counter::new(catalog, name.clone(), shard.clone()),
            lookout: Lookout::new(dispatcher.publisher.clone(), name.clone(), shard.clone()),
            orphans: Orphans::new(dispatcher, name.clone()),
            name,
            shard,
        }
    }

    /// Sweeps every few seconds while this process acts for the shard; at once when it begins to.
    pub async fn run(mut self, mut acts: watch::Receiver<bool>, shutdown: Shutdown) {
        while !shutdown.has_begun() {
            if *acts.borrow_and_update() {
                // What a deadline cuts off is found again by the next sweep.
                let _ = tokio::time::timeout(SWEEP_MAX, self.sweep_all()).await;
            } else {
                self.stand_by();
            }
            let pause = tokio::time::timeout(SWEEP_EVERY, acts.changed());
            shutdown.until_soft(pause).await;
        }
        self.stand_by();
    }

    /// Another process acts for the shard, or none.
    fn stand_by(&mut self) {
        self.counter.stand_by();
        self.lookout.stand_by();
    }

    async fn sweep_all(&mut self) {
        if let Err(error) = self.sweep().await {
            tracing::warn!(error = telemetry::chain(&error), shard = %self.name, "a sweep was not finished");
        }
        if let Err(error) = self.counter.count().await {
            tracing::warn!(error = telemetry::chain(&error), shard = %self.name, "the backlog was not counted");
        }
        if let Err(error) = self.orphans.sweep_next().await {
            tracing::warn!(error = telemetry::chain(error.as_ref()), shard = %self.name, "objects were not swept");
        }
        self.lookout.look().await; // Last: it also asks the broker, which may be away.
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        repeat("late_job", || sweep::late(&self.shard)).await?;
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
