//! Tells the metrics every few seconds where a shard's work stands, and how deep the queues are, busy or idle.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use docket_shared::ids::{ModelName, ShardName};
use docket_shared::queue::QueueError;
use docket_shared::queue::publish::Publisher;
use docket_shared::store::standing::{self, Standing};
use docket_shared::store::{Database, StoreError};
use docket_shared::{metrics, telemetry};

/// How much longer than a look at the shard took the next one is not begun: with very many clients waiting it takes a while.
const LOOK_FACTOR: u32 = 20;

/// Looks at one shard.
pub struct Lookout {
    publisher: Arc<Publisher>,
    name: ShardName,
    shard: Database,
    due: Instant,
    /// Models that had open work since this process acts.
    known: BTreeSet<String>,
}

/// Why it is not known.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Lookout {
    /// One that has not looked yet.
    pub fn new(publisher: Arc<Publisher>, name: ShardName, shard: Database) -> Self {
        Self {
            publisher,
            name,
            shard,
            due: Instant::now(),
            known: BTreeSet::new(),
        }
    }

    /// Looks, when it is time to.
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
        let standing = standing::standing(&self.shard).await?;
        self.due = Instant::now() + LOOK_FACTOR * began.elapsed();
        self.known.extend(standing.iter().map(|of| of.model.clone()));
        for model in &self.known {
            let (found, none) = (standing.iter().find(|of| of.model == *model), Standing::default());
            metrics::standing(self.name.as_str(), model, found.unwrap_or(&none));
        }
        let mut asked = Ok(());
        for model in self.known.iter().filter_map(|model| model.parse::<ModelName>().ok()) {
            match self.publisher.depth(&model).await {
                Ok(depth) => metrics::queue(model.as_str(), depth.ready, depth.consumers),
                // The queues of other models may be in order.
                Err(error) => asked = asked.and(Err(error)),
            }
        }
        Ok(asked?)
    }

    /// Another process acts for the shard: its figures hold, and none of this one's.
    pub fn stand_by(&mut self) {
        for model in std::mem::take(&mut self.known) {
            metrics::standing(self.name.as_str(), &model, &Standing::default());
            metrics::queue(&model, 0, 0);
        }
    }
}
