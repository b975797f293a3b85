//! The dispatcher: publishes due dispatch rows, fairly among clients, just enough for about one second of work.
//!
//! One dispatcher acts for a shard at a time, under a lease in that shard; every process with this role stands by for all
//! shards. What it may publish is decided in `plan.rs`; what was lost is repaired in `sweep.rs`.

pub mod dead;
pub mod handover;
pub mod orphans;
pub mod plan;
pub mod sweep;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_shared::blob::BlobStore;
use docket_shared::ids::{JobKey, ModelName, ShardName};
use docket_shared::queue::QueueError;
use docket_shared::queue::publish::Publisher;
use docket_shared::shutdown::Shutdown;
use docket_shared::store::{Database, Shards, StoreError, dispatch, lease, reports};
use docket_shared::{metrics, telemetry};
use plan::Flow;
use uuid::Uuid;

/// Pause between two ticks while work waits: a fiftieth of the second of work that is kept ready.
const TICK_BUSY: Duration = Duration::from_millis(20);
/// Pause while nothing waits: fresh jobs of an idle system are handed over without the dispatcher.
const TICK_IDLE: Duration = Duration::from_millis(100);
/// Pause after an error, and between two tries for a lease that another process holds.
const TICK_STANDBY: Duration = Duration::from_secs(1);
/// Longest tick: a silent server must not stop a shard's dispatcher for ever. Longer than two calls of the broker.
const TICK_MAX: Duration = Duration::from_secs(60);
/// How often the lease is renewed, and the catalog asked and told: a third of the lease.
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// Name of the lease in each shard.
const LEASE_NAME: &str = "dispatch";

/// What dispatching needs. One a process.
pub struct Dispatcher {
    /// The databases.
    pub shards: Shards,
    /// The broker.
    pub publisher: Arc<Publisher>,
    /// The objects, for the sweeper.
    pub blobs: BlobStore,
    /// This process, as the holder of leases.
    pub process: Uuid,
}

/// Why a tick failed. All of it may pass; the rows stay where they are.
#[derive(Debug, thiserror::Error)]
enum TickError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error("a tick took longer than {TICK_MAX:?}")]
    TooLong,
}

/// Starts a task a shard.
pub fn start(dispatcher: &Arc<Dispatcher>, shutdown: &Shutdown) {
    for (name, shard) in dispatcher.shards.all() {
        let acting = Acting {
            dispatcher: dispatcher.clone(),
            name: name.clone(),
            shard: shard.clone(),
            flows: HashMap::new(),
            renewed: None,
        };
        shutdown.spawn(acting.run(shutdown.clone()));
    }
}

/// The task of one shard.
struct Acting {
    dispatcher: Arc<Dispatcher>,
    name: ShardName,
    shard: Database,
    flows: HashMap<ModelName, ModelFlow>,
    renewed: Option<Instant>,
}

/// What is remembered of a model's flow between ticks.
struct ModelFlow {
    cursor: String,
    clients: usize,
    mean_bytes: f64,
    tokens_per_second: Option<f64>,
    share: f64,
    reported: Option<Instant>,
}

impl Acting {
    async fn run(mut self, shutdown: Shutdown) {
        let mut sweeper = sweep::Sweeper::new(self.dispatcher.clone(), self.name.clone(), self.shard.clone());
        while !shutdown.has_begun() {
            let ticked = tokio::time::timeout(TICK_MAX, self.tick()).await;
            let pause = match ticked.unwrap_or(Err(TickError::TooLong)) {
                Ok(Some(published)) => {
                    // What a deadline cuts off is found again by the next sweep.
                    let _ = tokio::time::timeout(TICK_MAX, sweeper.tick()).await;
                    if published { TICK_BUSY } else { TICK_IDLE }
                }
                Ok(None) => TICK_STANDBY,
                Err(error) => {
                    tracing::warn!(error = telemetry::chain(&error), shard = %self.name, "nothing was dispatched");
                    TICK_STANDBY
                }
            };
            shutdown.sleep(pause).await;
        }
        if self.renewed.is_some()
            && let Err(error) = lease::release(&self.shard, LEASE_NAME, self.dispatcher.process).await
        {
            tracing::warn!(error = telemetry::chain(&error), shard = %self.name, "the lease is left to end");
        }
        metrics::acting(self.name.as_str(), false);
    }

    /// `None`: another process acts for the shard. Else whether anything is waiting.
    async fn tick(&mut self) -> Result<Option<bool>, TickError> {
        if !self.holds_lease().await? {
            return Ok(None);
        }
        let models = dispatch::waiting_models(&self.shard).await?;
        if models.is_empty() {
            metrics::waiting_clients(self.name.as_str(), 0);
        }
        for model in &models {
            self.publish_due(model).await?;
        }
        Ok(Some(!models.is_empty()))
    }

    async fn holds_lease(&mut self) -> Result<bool, StoreError> {
        if self.renewed.is_some_and(|renewed| renewed.elapsed() < RENEW_EVERY) {
            return Ok(true);
        }
        let before = self.renewed.take();
        let asked = Instant::now();
        if lease::acquire(&self.shard, LEASE_NAME, self.dispatcher.process).await? {
            self.renewed = Some(asked);
        }
        if before.is_some() != self.renewed.is_some() {
            metrics::acting(self.name.as_str(), self.renewed.is_some());
            tracing::info!(shard = %self.name, acting = self.renewed.is_some(), "dispatcher");
        }
        Ok(self.renewed.is_some())
    }

    /// Publishes as many of a model's due jobs as its queue has room for.
    async fn publish_due(&mut self, model: &ModelName) -> Result<(), TickError> {
        let depth = self.dispatcher.publisher.depth(model).await?;
        metrics::queue_ready(model.as_str(), depth.ready);
        self.report(model).await;
        let flow = self.flows.get_mut(model).expect("made by report");
        let target = plan::depth_target(Flow {
            consumers: depth.consumers,
            tokens_per_second: flow.tokens_per_second,
            mean_job_bytes: flow.mean_bytes,
        });
        let room = plan::room(target, depth.ready, flow.share);
        let each = plan::rows_a_client(room, flow.clients);
        let scan = dispatch::scan(&self.shard, model, &flow.cursor, each).await?;
        metrics::waiting_clients(self.name.as_str(), scan.clients);
        flow.cursor = scan.cursor.unwrap_or_default();
        flow.clients = scan.clients;
        if !scan.candidates.is_empty() {
            let bytes: i64 = scan.candidates.iter().map(|candidate| candidate.size_bytes).sum();
            flow.mean_bytes = bytes as f64 / scan.candidates.len() as f64;
        }
        let mut keys = &plan::allot(&scan.candidates, room)[..];
        while !keys.is_empty() {
            let batch = dispatch::fit_fence(keys);
            publish(&self.dispatcher.publisher, &self.shard, batch).await?;
            keys = &keys[batch.len()..];
        }
        Ok(())
    }

    /// Exchanges figures with the catalog every few seconds. Without it the last ones hold, then the lower bounds.
    async fn report(&mut self, model: &ModelName) {
        let shards = self.dispatcher.shards.all().count() as f64;
        let flow = self.flows.entry(model.clone()).or_insert_with(|| ModelFlow {
            cursor: String::new(),
            clients: 0,
            mean_bytes: plan::JOB_BYTES_ASSUMED,
            tokens_per_second: None,
            share: 1.0 / shards,
            reported: None,
        });
        if flow.reported.is_some_and(|reported| reported.elapsed() < RENEW_EVERY) {
            return;
        }
        flow.reported = Some(Instant::now());
        let catalog = self.dispatcher.shards.catalog();
        let (clients, speed) = tokio::join!(
            reports::activity(catalog, &self.name, model, flow.clients.max(1)),
            reports::tokens_per_second(catalog, model)
        );
        match (clients, speed) {
            (Ok(clients), Ok(speed)) => {
                flow.share = flow.clients.max(1) as f64 / clients.max(1) as f64;
                flow.tokens_per_second = speed;
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::warn!(
                    error = telemetry::chain(&error),
                    "dispatching without the catalog's figures"
                );
                flow.tokens_per_second = None;
            }
        }
    }
}

/// Leases rows, publishes them, and marks those that the broker confirmed; the others are due again at once.
async fn publish(publisher: &Publisher, shard: &Database, keys: &[JobKey]) -> Result<(), TickError> {
    let token = Uuid::new_v4();
    let leased = dispatch::lease(shard, keys, token).await?;
    let (keys, messages): (Vec<_>, Vec<_>) = leased.into_iter().unzip();
    let results = publisher.jobs(&messages).await;
    let (mut confirmed, mut failed, mut first_error) = (Vec::new(), Vec::new(), None);
    for (key, result) in keys.into_iter().zip(results) {
        match result {
            Ok(()) => confirmed.push(key),
            Err(error) => {
                failed.push(key);
                first_error.get_or_insert(error);
            }
        }
    }
    metrics::published("dispatcher", confirmed.len() as u64);
    dispatch::mark_published(shard, &confirmed, token).await?;
    dispatch::release(shard, &failed, token).await?;
    first_error.map_or(Ok(()), |error| Err(error.into()))
}
