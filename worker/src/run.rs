//! Start, intake and drain: consume, claim, process, settle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use docket_shared::blob::BlobStore;
use docket_shared::failpoint;
use docket_shared::ids::{ClaimToken, JobKey, ModelName};
use docket_shared::job::{AnalyzeDocument, JobMessage};
use docket_shared::metrics::{self, By, Hands};
use docket_shared::queue::consume::{Deliveries, Delivery, Source};
use docket_shared::queue::publish::Publisher;
use docket_shared::shutdown::Shutdown;
use docket_shared::store::claims::{self, Answer, Asker, Claim};
use docket_shared::store::{Shards, StoreError, migrate, within};
use docket_shared::telemetry::context;
use futures::future;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::company::Company;
use crate::config::WorkerConfig;
use crate::cpu::CpuPool;
use crate::heartbeat::Claims;
use crate::infer::InferError;
use crate::memory::Memory;
use crate::outcome::JobError;
use crate::pressure::Pressure;
use crate::probes::Health;
use crate::serving::Serving;
use crate::writer::Writer;
use crate::{pipeline, probes, report, settle};

/// How long a delivery waits for a place while a store is overloaded; then another worker, or this one, gets it later.
const PLACE_MAX: Duration = Duration::from_secs(60);

/// What every job needs. One a process.
pub struct Context {
    /// Databases.
    pub shards: Shards,
    /// Writes results.
    pub writer: Writer,
    /// Objects.
    pub blobs: BlobStore,
    /// The models that are served.
    pub serving: Arc<Serving>,
    /// For the delay queue.
    pub publisher: Publisher,
    /// Threads for pure steps.
    pub cpu: CpuPool,
    /// Memory for documents.
    pub memory: Memory,
    /// Entities that one job may have.
    pub entities_max: usize,
    /// What the probes answer.
    pub health: Health,
    /// How many jobs are taken at a time.
    pub pressure: Pressure,
    /// Who may run beside whom.
    company: Company,
    /// Claims that are kept alive.
    claims: Claims,
    /// Model calls at the same time.
    pub sessions: usize,
    /// This worker's name, for histories.
    pub worker: String,
    shutdown: Shutdown,
    broken: AtomicBool,
}

impl Context {
    /// How full this worker's hands are.
    fn hands(&self) -> Hands {
        Hands {
            deliveries: self.pressure.in_hand(),
            memory: self.memory.taken(),
            cpu_tasks: self.cpu.tasks(),
            sessions: self.sessions,
        }
    }

    /// A model fails whatever it is given: what the worker has goes to others, and it ends, to be started anew.
    fn give_up(&self) {
        if !self.broken.swap(true, Ordering::Relaxed) {
            tracing::error!("a model has stopped: the worker gives back all that it has, and ends");
        }
        self.shutdown.abort();
    }
}

/// Runs a worker until the shutdown begins, then drains.
pub async fn run(config: WorkerConfig, recorder: PrometheusHandle, shutdown: Shutdown) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.http_addr).await;
    let listener =
        listener.with_context(|| format!("cannot listen on {} (DOCKET_WORKER_HTTP_ADDR)", config.http_addr))?;
    let health = Health::new(recorder);
    let prober = tokio::spawn(probes::serve(listener, health.clone()));
    let Some(started) = shutdown.until_soft(start(&config, &health, &shutdown)).await else {
        tracing::info!("stopped while it started");
        return Ok(());
    };
    let (ctx, queues) = started?;
    let ticking = ctx.clone();
    let tick = move |in_hand| {
        metrics::jobs_running(in_hand);
        metrics::hands(ticking.hands());
        ticking.shards.sample();
        ticking.health.tick(in_hand, ticking.serving.windows());
    };
    let heart = tokio::spawn(ctx.claims.clone().run(ctx.shards.clone(), tick));
    let queues: Vec<_> = queues
        .into_iter()
        .map(|queue| tokio::spawn(intake(ctx.clone(), queue)))
        .collect();
    shutdown.soft().await;
    tracing::info!("stopping");
    health.stopping();
    let mut queues: Vec<Deliveries> = future::try_join_all(queues).await?;
    future::join_all(queues.iter_mut().map(Deliveries::cancel)).await;
    shutdown.drain(config.drain).await;
    heart.abort();
    future::join_all(queues.iter_mut().map(Deliveries::disconnect)).await;
    ctx.publisher.disconnect().await;
    prober.abort();
    anyhow::ensure!(
        !ctx.broken.load(Ordering::Relaxed),
        "a model failed whatever it was given; what this worker had was given back"
    );
    tracing::info!("stopped");
    Ok(())
}

async fn start(
    config: &WorkerConfig,
    health: &Health,
    shutdown: &Shutdown,
) -> anyhow::Result<(Arc<Context>, Vec<Deliveries>)> {
    let worker = format!("{}-{}", hostname(), &Uuid::new_v4().simple().to_string()[..8]);
    let name = format!("docket-worker {worker}");
    let shards = Shards::connect(&config.store).await?;
    for (name, _) in shards.all() {
        metrics::known(By::Worker, "shard", name.as_str());
    }
    for model in config.models.iter() {
        metrics::known(By::Worker, "model", model.as_str());
    }
    migrate::check(&shards).await?;
    let blobs = BlobStore::connect(&config.blob).await;
    let serving = Arc::new(Serving::start(&blobs, config).await?);
    let ctx = Arc::new(Context {
        publisher: Publisher::new(config.queue.clone(), &name),
        // One more than model calls: a large document's steps leave room for a letter's.
        cpu: CpuPool::new(config.engine.sessions + 1),
        memory: Memory::new(config.memory_bytes),
        entities_max: config.entities_max,
        health: health.clone(),
        pressure: Pressure::new(config.places()),
        company: Company::new(),
        claims: Claims::default(),
        shutdown: shutdown.clone(),
        broken: AtomicBool::new(false),
        sessions: config.engine.sessions,
        writer: Writer::start(shards.clone()),
        shards,
        blobs,
        serving,
        worker,
    });
    shutdown.spawn(ctx.serving.clone().watch(shutdown.clone()));
    shutdown.spawn(ctx.serving.clone().load_pinned(shutdown.clone()));
    shutdown.spawn(report::run(ctx.clone(), shutdown.clone()));
    let consume = |model: &ModelName| {
        let source = Source::Jobs(model.clone());
        Deliveries::new(config.queue.clone(), &name, source, config.prefetch)
    };
    let queues: Vec<Deliveries> = ctx.serving.names().map(consume).collect();
    health.started(queues.iter().map(Deliveries::connected).collect());
    tracing::info!(worker = ctx.worker, models = queues.len(), "ready");
    Ok((ctx, queues))
}

fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "worker".to_owned(), |name| name.trim().to_owned())
}

/// One task a delivery; the prefetch bounds their number, the memory's permits their size.
async fn intake(ctx: Arc<Context>, mut deliveries: Deliveries) -> Deliveries {
    while let Some(delivery) = ctx.shutdown.until_soft(deliveries.next()).await {
        ctx.shutdown.spawn(handle(ctx.clone(), delivery));
    }
    deliveries
}

async fn handle(ctx: Arc<Context>, delivery: Delivery) {
    match JobMessage::decode(&delivery.body) {
        Ok((key, message)) => {
            let span = delivery.processing(&message);
            take(&ctx, key, (&delivery, &message)).instrument(span).await;
        }
        Err(error) => settle::undecodable(&delivery, &error).await,
    }
}

async fn take(ctx: &Context, key: JobKey, of: (&Delivery, &AnalyzeDocument)) {
    let Some(place) = ctx
        .shutdown
        .until_soft(tokio::time::timeout(PLACE_MAX, ctx.pressure.enter()))
        .await
    else {
        return settle::untouched(of.0).await;
    };
    let Ok(_place) = place else {
        return settle::crowded(ctx, of.0, of.1).await;
    };
    let Some(company) = ctx.shutdown.until_soft(ctx.company.join()).await else {
        return settle::untouched(of.0).await;
    };
    if let Err((unsettled, error)) = give_back(ctx, key, of.0.unsettled).await {
        return settle::unclaimed(ctx, of, unsettled, &error).await;
    }
    match claim(ctx, key, false).await {
        Ok(Answer::Granted(claim)) => work(ctx, &claim, of).await,
        Ok(Answer::Suspect) => {
            drop(company);
            alone(ctx, key, of).await;
        }
        Ok(answer) => settle::refused(ctx, of.0, of.1, &answer).await,
        Err((unsettled, error)) => settle::unclaimed(ctx, of, unsettled, &error).await,
    }
}

/// Runs a suspect with nothing beside it; those that this worker cannot take now come again in a while.
async fn alone(ctx: &Context, key: JobKey, of: (&Delivery, &AnalyzeDocument)) {
    let Some(chosen) = ctx.company.choose() else {
        return settle::refused(ctx, of.0, of.1, &Answer::Suspect).await;
    };
    let Some(_alone) = ctx.shutdown.until_soft(chosen.alone()).await else {
        return settle::untouched(of.0).await;
    };
    match claim(ctx, key, true).await {
        Ok(Answer::Granted(claim)) => work(ctx, &claim, of).await,
        Ok(answer) => settle::refused(ctx, of.0, of.1, &answer).await,
        Err((unsettled, error)) => settle::unclaimed(ctx, of, unsettled, &error).await,
    }
}

/// A claim that its shard could not be told the end of, or may have granted, and why.
type Unsettled = (ClaimToken, StoreError);

/// Gives back the claim that the message was let go with, or the shard would take its silence for a crash.
async fn give_back(ctx: &Context, key: JobKey, unsettled: Option<ClaimToken>) -> Result<(), Unsettled> {
    let Some(token) = unsettled else { return Ok(()) };
    match within(claims::give_back(&ctx.shards, key, token)).await {
        Ok(_) => Ok(()),
        Err(error) => Err((token, error)),
    }
}

/// Asks for a job. An answer that was lost costs nothing: the same token continues the claim, and should that one be lost too,
/// it is given back later.
async fn claim(ctx: &Context, key: JobKey, alone: bool) -> Result<Answer, Unsettled> {
    let asker = Asker {
        worker: &ctx.worker,
        token: ClaimToken::generate(),
        alone,
    };
    let ask = || within(claims::claim(&ctx.shards, key, asker));
    let asking = async {
        match ask().await {
            Err(StoreError::Unavailable { .. } | StoreError::TimedOut) => ask().await,
            answer => answer,
        }
    };
    let answer = asking.instrument(tracing::debug_span!("claim")).await;
    answer.map_err(|error| (asker.token, error))
}

async fn work(ctx: &Context, claim: &Claim, of: (&Delivery, &AnalyzeDocument)) {
    failpoint!("worker.after_claim");
    context::note(&Span::current(), "docket.job.attempt", i64::from(claim.attempt));
    let began = Instant::now();
    metrics::claimed(claim.priority.as_str(), claim.due);
    let alive = ctx.claims.hold(claim.key, claim.token);
    let result = tokio::select! {
        biased;
        () = ctx.shutdown.hard() => Err(JobError::Interrupted),
        () = alive.lost.cancelled() => Err(JobError::Superseded),
        result = pipeline::process(ctx, claim) => result,
    };
    if matches!(result, Err(JobError::Infer(InferError::Stopped))) {
        ctx.give_up();
    }
    settle::finished(ctx, of, claim, result, began).await;
}
