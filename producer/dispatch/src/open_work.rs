//! Reports to the metrics, every few seconds, a shard's open work by state and the depth of the queues, busy or idle.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use docket_contract::ids::{ModelName, ShardName};
use docket_process::metrics::OpenWork;
use docket_process::{metrics, telemetry};
use docket_queue::QueueError;
use docket_queue::publish::Publisher;
use docket_store::operate::open_work;
use docket_store::{Database, StoreError};

/// The pause after a look at the shard, as a multiple of the time that it took: very many waiting clients make a look slow.
const LOOK_FACTOR: u32 = 20;

/// Looks at the open work of one shard.
pub struct Lookout {
    publisher: Arc<Publisher>,
    name: ShardName,
    shard: Database,
    due: Instant,
    /// Models that had open work since this process began to act.
    known: BTreeSet<String>,
}

/// Why a look failed.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Lookout {
    /// A lookout that has not looked yet.
    pub fn new(publisher: Arc<Publisher>, name: ShardName, shard: Database) -> Self {
        Self {
            publisher,
            name,
            shard,
            due: Instant::now(),
            known: BTreeSet::new(),
        }
    }

    /// Looks, when a look is due.
    pub async fn look(&mut self) {
        if Instant::now() < self.due {
            return;
        }
        if let Err(error) = self.try_look().await {
            tracing::warn!(error = telemetry::chain(&error), shard = %self.name, "not known where its work stands");
        }
    }

    async fn try_look(&mut self) -> Result<(), LookError> {
        let began = Instant::now();
        let found = open_work::of_shard(&self.shard).await?;
        self.due = Instant::now() + LOOK_FACTOR * began.elapsed();
        self.known.extend(found.iter().map(|of| of.model.clone()));
        for model in &self.known {
            let work = found.iter().find(|of| of.model == *model).map(measured);
            metrics::open_work(self.name.as_str(), model, work.unwrap_or_default());
        }
        let mut asked = Ok(());
        for model in self.known.iter().filter_map(|model| model.parse::<ModelName>().ok()) {
            match self.publisher.depth(&model).await {
                Ok(depth) => metrics::queue(model.as_str(), depth.ready, depth.consumers),
                // The other models' queues may be in order.
                Err(error) => asked = asked.and(Err(error)),
            }
        }
        Ok(asked?)
    }

    /// Clears this process's figures: another process acts for the shard.
    pub fn stand_by(&mut self) {
        for model in std::mem::take(&mut self.known) {
            metrics::open_work(self.name.as_str(), &model, OpenWork::default());
            metrics::queue(&model, 0, 0);
        }
    }
}

fn measured(work: &open_work::OpenWork) -> OpenWork {
    OpenWork {
        queued: work.queued,
        running: work.running,
        oldest_interactive_seconds: work.oldest_interactive_seconds,
        oldest_bulk_seconds: work.oldest_bulk_seconds,
        oldest_queued_seconds: work.oldest_queued_seconds,
    }
}
