//! The baseline: every job goes to the queue the moment it is accepted, in that order, as with a plain task queue. Rows are
//! leased, published and marked as the dispatcher does it; only the order is another one.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use docket_shared::config::Env;
use docket_shared::ids::JobKey;
use docket_shared::queue::QueueConfig;
use docket_shared::queue::publish::Publisher;
use docket_shared::store::{Database, Shards, StoreConfig, dispatch};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::docket::Uploaded;

/// Jobs published together, at most: each waits for its own confirm.
const BATCH_MAX: usize = 64;

/// Publishes accepted jobs in a task of its own, which ends when this is dropped.
pub struct Fifo {
    accepted: mpsc::UnboundedSender<JobKey>,
    publishing: JoinHandle<Result<()>>,
}

impl Fifo {
    /// Connects to the stores and the broker that a process with this environment uses. All clients are on its one shard.
    pub async fn start(env: &HashMap<String, String>) -> Result<Self> {
        let env = Env::from_map(env.clone());
        let shards = Shards::connect(&StoreConfig::from_env(&env)?).await?;
        let (_, shard) = shards.all().next().context("there is a shard")?;
        let publisher = Publisher::new(QueueConfig::from_env(&env)?, "docket-bench");
        let (accepted, waiting) = mpsc::unbounded_channel();
        let publishing = tokio::spawn(run(shard.clone(), publisher, waiting));
        Ok(Self { accepted, publishing })
    }

    /// Publishes a job after all those that were given before.
    pub fn publish(&self, job: &Uploaded) -> Result<()> {
        // A task that has failed takes nothing: its error is found at the end.
        let _ = self.accepted.send(job.key()?);
        Ok(())
    }

    /// Waits until everything is published.
    pub async fn finish(self) -> Result<()> {
        drop(self.accepted);
        self.publishing.await.context("publish in order")?
    }
}

async fn run(shard: Database, publisher: Publisher, mut accepted: mpsc::UnboundedReceiver<JobKey>) -> Result<()> {
    let mut keys = Vec::new();
    while accepted.recv_many(&mut keys, BATCH_MAX).await > 0 {
        let mut left = &keys[..];
        while !left.is_empty() {
            let batch = dispatch::fit_fence(left);
            publish(&shard, &publisher, batch).await?;
            left = &left[batch.len()..];
        }
        keys.clear();
    }
    Ok(())
}

/// Those that the API has handed over itself, in an idle moment, are leased already and left out.
async fn publish(shard: &Database, publisher: &Publisher, keys: &[JobKey]) -> Result<()> {
    let lease = Uuid::new_v4();
    let mut leased: HashMap<JobKey, _> = dispatch::lease(shard, keys, lease).await?.into_iter().collect();
    let (keys, messages): (Vec<JobKey>, Vec<_>) = keys.iter().filter_map(|key| leased.remove_entry(key)).unzip();
    let results = publisher.jobs(&messages).await;
    ensure!(results.iter().all(Result::is_ok), "the broker did not take a job");
    dispatch::mark_published(shard, &keys, lease).await?;
    Ok(())
}
