//! Starts a worker and drains it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use docket_contract::ids::ModelName;
use docket_engine::cpu::CpuPool;
use docket_extract::Extractor;
use docket_objects::BlobStore;
use docket_process::metrics::{self, By};
use docket_process::shutdown::Shutdown;
use docket_queue::consume::{Deliveries, Source};
use docket_queue::publish::Publisher;
use docket_store::Shards;
use docket_store::shards::migrate;
use docket_understand::recognise;
use futures::future;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::admit::company::Company;
use crate::admit::memory::Memory;
use crate::admit::pressure::Pressure;
use crate::admit::scans::Scans;
use crate::config::WorkerConfig;
use crate::context::Context;
use crate::heartbeat::Claims;
use crate::intake::intake;
use crate::probes::Health;
use crate::result_writer::Writer;
use crate::serving::Serving;
use crate::{extraction, images, probes, report};

/// This process's own program, even after an upgrade has replaced its file.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// What a worker consumes.
struct Queues {
    /// The jobs of each model.
    jobs: Vec<Deliveries>,
    /// Pages to be drawn.
    images: Deliveries,
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
        extraction::sample(&ticking.extractor);
        ticking.shards.sample();
        ticking.health.tick(in_hand, ticking.serving.windows());
    };
    let heart = tokio::spawn(ctx.claims.clone().run(ctx.shards.clone(), tick));
    let Queues { jobs, images } = queues;
    let jobs = jobs.into_iter().map(|queue| tokio::spawn(intake(ctx.clone(), queue)));
    let mut queues: Vec<_> = jobs.collect();
    queues.push(tokio::spawn(images::serve(ctx.clone(), images)));
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

async fn start(config: &WorkerConfig, health: &Health, shutdown: &Shutdown) -> anyhow::Result<(Arc<Context>, Queues)> {
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
    let extractor = Extractor::start(&config.parsing, PathBuf::from(OWN_PROGRAM)).await?;
    let enforced = extractor.enforced();
    tracing::info!(
        landlock = ?enforced.landlock,
        seccomp = enforced.seccomp,
        "documents are parsed in processes of their own"
    );
    let warming = tokio::task::spawn_blocking(recognise::warm);
    let serving = Arc::new(Serving::start(&blobs, config).await?);
    warming.await?;
    let ctx = Arc::new(Context {
        publisher: Publisher::new(config.queue.clone(), &name),
        // One more than model calls, so that a large document's steps leave room for a letter's.
        cpu: CpuPool::new(config.engine.sessions + 1),
        extractor,
        // Without OCR no document asks for a place.
        scans: Scans::new(config.parsing.ocr.as_ref().map_or(1, |ocr| ocr.processes)),
        memory: Memory::new(config.memory_bytes),
        entities_max: config.entities_max,
        score_min: config.score_min,
        other_language: config.other_language,
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
    let jobs: Vec<Deliveries> = ctx.serving.names().map(consume).collect();
    let images = Deliveries::new(config.queue.clone(), &name, Source::Images, images::AT_ONCE);
    health.started(jobs.iter().map(Deliveries::connected).collect());
    tracing::info!(worker = ctx.worker, models = jobs.len(), "ready");
    Ok((ctx, Queues { jobs, images }))
}

fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "worker".to_owned(), |name| name.trim().to_owned())
}
