//! Dispatches a shard, tick by tick. One process at a time acts for a shard, under a lease: it leases due rows, publishes them
//! and marks them as published.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dispatcher::{Dispatcher, LEASE_NAME};
use crate::fair_share::{self, BulkOwed, Flow};
use docket_contract::ids::{JobKey, ModelName, ShardName};
use docket_contract::job::Priority;
use docket_process::metrics::{self, TickFailure};
use docket_process::shutdown::Shutdown;
use docket_process::telemetry;
use docket_queue::QueueError;
use docket_queue::publish::Publisher;
use docket_store::operate::activity;
use docket_store::shards::keys;
use docket_store::work::dispatch::Waiting;
use docket_store::work::{dispatch, lease};
use docket_store::{Database, StoreError};
use tokio::sync::watch;
use uuid::Uuid;

/// Pause after a tick that published much (`fair_share::is_much`): a fiftieth of the second of work that is kept ready.
const TICK_BUSY: Duration = Duration::from_millis(20);
/// Pause while work waits and there is little room for it. Each tick costs the shard and the broker, which need their cores; a
/// quiet client's jobs are handed over without the dispatcher.
const TICK_FULL: Duration = Duration::from_millis(50);
/// Pause while nothing waits: fresh jobs of an idle system are handed over without the dispatcher.
const TICK_IDLE: Duration = Duration::from_millis(100);
/// Pause after an error, and between two attempts at a lease that another process holds.
const TICK_STANDBY: Duration = Duration::from_secs(1);
/// Longest tick: a silent server must not stop a shard's dispatcher for ever. Two calls of the broker fit into it.
const TICK_MAX: Duration = Duration::from_secs(60);
/// How long a model is left out after its queue failed while another model's did not: each failure costs the other models the
/// connection, and time up to the deadline of a call.
const MODEL_PAUSE: Duration = Duration::from_secs(10);
/// How often the lease is renewed and figures are exchanged with the catalog: a third of the lease.
const RENEW_EVERY: Duration = Duration::from_secs(3);

/// Why a tick failed. Every cause may pass; the rows stay where they are.
#[derive(Debug, thiserror::Error)]
enum TickError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("publish jobs of {model}")]
    Queue { model: ModelName, source: QueueError },
    #[error("a tick took longer than {TICK_MAX:?}")]
    TooLong,
}

impl TickError {
    fn queue(model: &ModelName, source: QueueError) -> Self {
        let model = model.clone();
        Self::Queue { model, source }
    }

    /// The `reason` label of the metric.
    fn reason(&self) -> TickFailure {
        match self {
            Self::Store(_) => TickFailure::Store,
            Self::Queue { .. } => TickFailure::Queue,
            Self::TooLong => TickFailure::TooLong,
        }
    }
}

/// The outcome of a tick: the liveliest over all models and priorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ticked {
    /// Nothing was due.
    Idle,
    /// Little or no room was left for what was due.
    Full,
    /// So much was published that workers may soon be out of work.
    Busy,
}

impl Ticked {
    fn pause(self) -> Duration {
        match self {
            Self::Idle => TICK_IDLE,
            Self::Full => TICK_FULL,
            Self::Busy => TICK_BUSY,
        }
    }
}

/// The result of publishing jobs of a model, of one priority or both.
#[derive(Debug, Clone, Copy, Default)]
struct Published {
    /// Whether any job was due.
    any_due: bool,
    /// Number of jobs published.
    jobs: usize,
}

/// The dispatching task of one shard.
pub struct Acting {
    dispatcher: Arc<Dispatcher>,
    name: ShardName,
    shard: Database,
    flows: HashMap<ModelName, ModelFlow>,
    /// Models whose queue failed, each with the end of its pause.
    left_out: HashMap<ModelName, Instant>,
    renewed: Option<Instant>,
    /// Tells the sweeper whether this process acts.
    acts: watch::Sender<bool>,
}

/// A model's state between ticks.
struct ModelFlow {
    interactive: Visits,
    bulk: Visits,
    bulk_owed: BulkOwed,
    /// When the model was last looked at.
    ticked: Instant,
    mean_bytes: f64,
    tokens_per_second: f64,
    share: f64,
    reported: Option<Instant>,
}

/// The last scan, and where the next begins.
#[derive(Default)]
struct Visits {
    /// The client after which the next scan begins.
    cursor: String,
    clients: usize,
    seen: metrics::Waiting,
    weight: f64,
}

impl ModelFlow {
    fn visits(&mut self, priority: Priority) -> &mut Visits {
        match priority {
            Priority::Interactive => &mut self.interactive,
            Priority::Bulk => &mut self.bulk,
        }
    }

    fn weight(&self) -> f64 {
        (self.interactive.weight + self.bulk.weight).max(1.0)
    }
}

impl Acting {
    /// The task of a shard, before its first tick.
    pub fn new(dispatcher: Arc<Dispatcher>, (name, shard): (ShardName, Database), acts: watch::Sender<bool>) -> Self {
        Self {
            dispatcher,
            name,
            shard,
            flows: HashMap::new(),
            left_out: HashMap::new(),
            renewed: None,
            acts,
        }
    }

    /// Ticks until the shutdown begins.
    pub async fn run(mut self, shutdown: Shutdown) {
        while !shutdown.has_begun() {
            let began = Instant::now();
            let ticked = tokio::time::timeout(TICK_MAX, self.tick()).await;
            self.say_who_acts();
            let pause = match ticked.unwrap_or(Err(TickError::TooLong)) {
                Ok(Some(ticked)) => {
                    metrics::ticked(self.name.as_str(), began.elapsed());
                    ticked.pause()
                }
                Ok(None) => TICK_STANDBY,
                Err(error) => {
                    metrics::tick_failed(self.name.as_str(), error.reason());
                    tracing::warn!(error = telemetry::chain(&error), shard = %self.name, "not all was dispatched");
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

    /// One round over all models; `None`: another process acts for the shard.
    async fn tick(&mut self) -> Result<Option<Ticked>, TickError> {
        if !self.holds_lease().await? {
            return Ok(None);
        }
        let waiting = dispatch::waiting(&self.shard).await?;
        let (mut seen, mut ticked, mut failed) = (metrics::Waiting::default(), None, Vec::new());
        self.left_out.retain(|_, until| Instant::now() < *until);
        for of_model in waiting.chunk_by(|a, b| a.model == b.model) {
            let model = &of_model[0].model;
            if !self.left_out.contains_key(model) {
                match self.publish_due(of_model).await {
                    Ok(of_model) => ticked = ticked.max(Some(of_model)),
                    Err(error @ TickError::Queue { .. }) => failed.push((model, error)),
                    Err(error) => return Err(error),
                }
            }
            if let Some(flow) = self.flows.get(model) {
                seen += flow.interactive.seen;
                seen += flow.bulk.seen;
            }
        }
        metrics::waiting(self.name.as_str(), seen);
        if ticked.is_some() {
            let until = Instant::now() + MODEL_PAUSE;
            self.left_out
                .extend(failed.iter().map(|(model, _)| ((*model).clone(), until)));
        }
        match failed.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(Some(ticked.unwrap_or(Ticked::Idle))),
        }
    }

    async fn holds_lease(&mut self) -> Result<bool, StoreError> {
        if self.renewed.is_some_and(|renewed| renewed.elapsed() < RENEW_EVERY) {
            return Ok(true);
        }
        self.renewed = None; // In case the shard does not answer.
        let asked = Instant::now();
        if lease::acquire(&self.shard, LEASE_NAME, self.dispatcher.process).await? {
            self.renewed = Some(asked);
        }
        Ok(self.renewed.is_some())
    }

    /// Tells the sweeper, the log and the metrics when this process begins or ceases to act.
    fn say_who_acts(&self) {
        let acts = self.renewed.is_some();
        if self
            .acts
            .send_if_modified(|acted| std::mem::replace(acted, acts) != acts)
        {
            metrics::acting(self.name.as_str(), acts);
            tracing::info!(shard = %self.name, acting = acts, "dispatcher");
        }
    }

    /// Publishes as many of a model's due jobs as there is room for.
    async fn publish_due(&mut self, waiting: &[Waiting]) -> Result<Ticked, TickError> {
        let model = &waiting[0].model;
        let depth = self.dispatcher.publisher.depth(model).await;
        let depth = depth.map_err(|source| TickError::queue(model, source))?;
        metrics::queue(model.as_str(), depth.ready, depth.consumers);
        self.report(model).await;
        let flow = self.flows.get_mut(model).expect("made by report");
        let target = fair_share::in_flight_target(Flow {
            consumers: depth.consumers,
            tokens_per_second: flow.tokens_per_second,
            mean_job_bytes: flow.mean_bytes,
        });
        let share = flow.share;
        let room = fair_share::room(target, depth.ready, share, (waiting[0].running, waiting[0].fresh));
        let has = |priority| waiting.iter().any(|waiting| waiting.priority == priority);
        let passed = std::mem::replace(&mut flow.ticked, Instant::now()).elapsed();
        let (mut done, mut owed) = (Published::default(), 0);
        if has(Priority::Bulk) {
            // Over a longer pause nobody knows what was in flight, nor whether bulk work waited.
            flow.bulk_owed.count(passed.min(TICK_STANDBY), waiting[0].in_flight);
            owed = flow.bulk_owed.jobs(waiting[0].in_flight);
        }
        if has(Priority::Interactive) {
            done = self.publish_kind(model, Priority::Interactive, room).await?;
        }
        if has(Priority::Bulk) {
            // Bulk work's credit comes on top of the room, and so takes room from later ticks. If its room were kept free, bulk
            // work that is not due or is paused would keep it free for ever.
            let room = room.saturating_sub(done.jobs).max(owed);
            let bulk = self.publish_kind(model, Priority::Bulk, room).await?;
            done = Published {
                any_due: done.any_due || bulk.any_due,
                jobs: done.jobs + bulk.jobs,
            };
        }
        Ok(match done {
            Published { any_due: false, .. } => Ticked::Idle,
            Published { jobs, .. } if fair_share::is_much(jobs, target, share) => Ticked::Busy,
            Published { .. } => Ticked::Full,
        })
    }

    /// Publishes due jobs of one priority.
    async fn publish_kind(
        &mut self,
        model: &ModelName,
        priority: Priority,
        room: usize,
    ) -> Result<Published, TickError> {
        let flow = self.flows.get_mut(model).expect("made by report");
        let visits = flow.visits(priority);
        let each = fair_share::rows_a_client(room, visits.clients);
        let scan = dispatch::scan(&self.shard, (model, priority), &visits.cursor, each).await?;
        let always_one = priority == Priority::Interactive;
        let due = fair_share::allot(&scan.candidates, room, always_one);
        let next = fair_share::next_cursor(&scan, &due, room, always_one);
        *visits = Visits {
            cursor: next.unwrap_or_else(|| std::mem::take(&mut visits.cursor)),
            clients: scan.clients,
            seen: scan.seen,
            weight: scan.weight,
        };
        if !scan.candidates.is_empty() {
            let bytes: i64 = scan.candidates.iter().map(|candidate| candidate.size_bytes).sum();
            flow.mean_bytes = bytes as f64 / scan.candidates.len() as f64;
        }
        let keys: Vec<JobKey> = due.iter().map(|candidate| candidate.key).collect();
        let mut left = &keys[..];
        while !left.is_empty() {
            let batch = keys::fit_fence(left);
            publish(&self.dispatcher.publisher, &self.shard, (model, batch)).await?;
            left = &left[batch.len()..];
        }
        Ok(Published {
            any_due: !scan.candidates.is_empty(),
            jobs: keys.len(),
        })
    }

    /// Exchanges figures with the catalog every few seconds. While the catalog is away, the last figures hold.
    async fn report(&mut self, model: &ModelName) {
        let shards = self.dispatcher.shards.all().count() as f64;
        let flow = self.flows.entry(model.clone()).or_insert_with(|| ModelFlow {
            interactive: Visits::default(),
            bulk: Visits::default(),
            bulk_owed: BulkOwed::default(),
            ticked: Instant::now(),
            mean_bytes: fair_share::JOB_BYTES_ASSUMED,
            tokens_per_second: fair_share::TOKENS_PER_SECOND_ASSUMED,
            share: 1.0 / shards,
            reported: None,
        });
        if flow.reported.is_some_and(|reported| reported.elapsed() < RENEW_EVERY) {
            return;
        }
        flow.reported = Some(Instant::now());
        let catalog = self.dispatcher.shards.catalog();
        let (all, speeds) = tokio::join!(
            activity::report_weight(catalog, &self.name, model, flow.weight()),
            activity::speeds(catalog)
        );
        match (all, speeds) {
            (Ok(all), Ok(speeds)) => {
                flow.share = flow.weight() / all.max(flow.weight());
                if let Some(speed) = speeds.get(model.as_str()) {
                    flow.tokens_per_second = *speed;
                }
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::warn!(
                    error = telemetry::chain(&error),
                    "dispatching without the catalog's figures"
                );
            }
        }
    }
}

/// Leases rows, publishes them and marks those that the broker confirmed; the other rows are due again at once.
async fn publish(
    publisher: &Publisher,
    shard: &Database,
    (model, keys): (&ModelName, &[JobKey]),
) -> Result<(), TickError> {
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
    metrics::published(metrics::Path::Dispatcher, confirmed.len() as u64);
    dispatch::mark_published(shard, &confirmed, token).await?;
    dispatch::release(shard, &failed, token).await?;
    first_error.map_or(Ok(()), |source| Err(TickError::queue(model, source)))
}
