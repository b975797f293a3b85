//! The baseline: every job is published when it is accepted, in that order, as with a plain task queue. Rows are leased,
//! published and marked as by the dispatcher; only the order differs.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use docket_contract::ids::JobKey;
use docket_process::settings::Env;
use docket_queue::QueueConfig;
use docket_queue::publish::Publisher;
use docket_store::shards::keys;
use docket_store::work::dispatch;
use docket_store::{Database, Shards, StoreConfig};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::docket::Uploaded;

/// Limit of jobs published together: each waits for its own confirm.
const BATCH_MAX: usize = 64;

/// Publishes accepted jobs in a task of its own, which ends when this value is dropped.
pub struct Fifo {
    accepted: mpsc::UnboundedSender<JobKey>,
    publishing: JoinHandle<Result<()>>,
}

impl Fifo {
    /// Connects to the stores and the broker of a process with this environment. All clients are on its one shard.
    pub async fn start(env: &HashMap<String, String>) -> Result<Self> {
        let env = Env::from_map(env.clone());
        let shards = Shards::connect(&StoreConfig::from_env(&env)?).await?;
        let (_, shard) = shards.all().next().context("there is a shard")?;
        let publisher = Publisher::new(QueueConfig::from_env(&env)?, "docket-bench");
        let (accepted, waiting) = mpsc::unbounded_channel();
        let publishing = tokio::spawn(run(shard.clone(), publisher, waiting));
        Ok(Self { accepted, publishing })
    }

    /// Publishes a job, after all jobs that were given before.
    pub fn publish(&self, job: &Uploaded) -> Result<()> {
        // A failed task receives nothing; `finish` returns its error.
        let _ = self.accepted.send(job.key()?);
        Ok(())
    }

    /// Waits until every given job is published.
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
            let batch = keys::fit_fence(left);
            publish(&shard, &publisher, batch).await?;
            left = &left[batch.len()..];
        }
        keys.clear();
    }
    Ok(())
}

/// Publishes jobs. Those that the API handed over itself are leased already, and are left out.
async fn publish(shard: &Database, publisher: &Publisher, keys: &[JobKey]) -> Result<()> {
    let lease = Uuid::new_v4();
    let mut leased: HashMap<JobKey, _> = dispatch::lease(shard, keys, lease).await?.into_iter().collect();
    let (keys, messages): (Vec<JobKey>, Vec<_>) = keys.iter().filter_map(|key| leased.remove_entry(key)).unzip();
    let results = publisher.jobs(&messages).await;
    ensure!(results.iter().all(Result::is_ok), "the broker did not take a job");
    dispatch::mark_published(shard, &keys, lease).await?;
    Ok(())
}
