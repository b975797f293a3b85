//! Repairs, under the dispatcher's lease: rows whose message or worker was lost wait again; late jobs, expired keys and objects
//! without a row are ended or removed. Each sweep also counts the backlog (`backlog.rs`, `open_work.rs`).
//!
//! Sweeping is a task of its own, so that dispatching never waits for it and repairs go on while the broker is away.

use std::sync::Arc;
use std::time::Duration;

use docket_contract::ids::ShardName;
use docket_process::metrics::{self, Repair};
use docket_process::shutdown::Shutdown;
use docket_process::telemetry;
use docket_store::work::{idempotency, sweep};
use docket_store::{Database, StoreError};
use tokio::sync::watch;

use crate::backlog::Counter;
use crate::dispatcher::Dispatcher;
use crate::open_work::Lookout;
use crate::orphans::Orphans;

/// Pause between sweeps: repairs are due after minutes, so seconds do not matter.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// Longest sweep: a database that stays silent must not stop the sweeper for ever.
const SWEEP_MAX: Duration = Duration::from_secs(60);
/// Batches of one kind of repair in a sweep, so that the other kinds wait little.
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

    /// Sweeps every 5 s while this process acts for the shard, and at once when it begins to act.
    pub async fn run(mut self, mut acts: watch::Receiver<bool>, shutdown: Shutdown) {
        while !shutdown.has_begun() {
            if *acts.borrow_and_update() {
                // The next sweep finds again what the deadline cuts off.
                let _ = tokio::time::timeout(SWEEP_MAX, self.sweep_all()).await;
            } else {
                self.stand_by();
            }
            let pause = tokio::time::timeout(SWEEP_EVERY, acts.changed());
            shutdown.until_soft(pause).await;
        }
        self.stand_by();
    }

    /// Clears the figures: this process does not act for the shard.
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
        repeat(Repair::LateJob, || sweep::late(&self.shard)).await?;
        repeat(Repair::LostMessage, || sweep::lost_messages(&self.shard)).await?;
        repeat(Repair::DeadClaim, || sweep::dead_claims(&self.shard)).await?;
        repeat(Repair::ExpiredKey, || idempotency::expire(&self.shard)).await
    }
}

async fn repeat<F>(what: Repair, batch: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<u64, StoreError>>,
{
    for _ in 0..BATCHES_MAX {
        let repaired = batch().await?;
        if repaired == 0 {
            break;
        }
        metrics::repaired(what, repaired);
        tracing::info!(what = what.as_str(), rows = repaired, "repaired");
    }
    Ok(())
}
