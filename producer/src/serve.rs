//! Builds what the chosen roles share, starts them, and stops them in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use docket_api::{ApiState, Stores};
use docket_dispatch::dispatcher::Dispatcher;
use docket_dispatch::handover::HandOver;
use docket_dispatch::images::Images;
use docket_dispatch::undeliverable;
use docket_http::health::{self, Readiness};
use docket_http::router;
use docket_identity::Verifier;
use docket_objects::BlobStore;
use docket_objects::published::Models;
use docket_operator::routes::OperatorState;
use docket_process::metrics::{self, By};
use docket_process::shutdown::Shutdown;
use docket_queue::publish::Publisher;
use docket_store::Shards;
use docket_store::shards::migrate;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::config::ProducerConfig;
use crate::description::Description;
use crate::role::Role;

/// How long running requests and ticks may take after the notice of a stop. An upload that takes longer is cut and not accepted.
const DRAIN_MAX: Duration = Duration::from_secs(25);
/// How often the process measures itself for the metrics: more often than a scraper asks for them.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// How often the process checks its own readiness for the metrics: as often as a load balancer may ask.
const READY_EVERY: Duration = Duration::from_secs(5);

/// Runs the roles until the shutdown begins, then drains.
pub async fn run(
    config: ProducerConfig,
    roles: &[Role],
    recorder: PrometheusHandle,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.http.addr).await;
    let listener = listener.with_context(|| format!("cannot listen on {} (DOCKET_HTTP_ADDR)", config.http.addr))?;
    let notice = config.http.stop_notice;
    let starting = start(config, roles, (listener, recorder), &shutdown);
    let Some(started) = shutdown.until_soft(starting).await else {
        tracing::info!("stopped while it started");
        return Ok(());
    };
    started?;
    shutdown.soft().await;
    tracing::info!("stopping");
    shutdown.drain(notice + DRAIN_MAX).await;
    tracing::info!("stopped");
    Ok(())
}

/// Starts the roles on an open listener; all of them end with the shutdown. Every role serves probes and metrics. Nothing is
/// awaited after the first task was started, so that dropping this future leaves nothing behind.
pub async fn start(
    config: ProducerConfig,
    roles: &[Role],
    (listener, recorder): (TcpListener, PrometheusHandle),
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let process = Uuid::new_v4();
    let name = format!("docket-producer {}", process.simple());
    let shards = Shards::connect(&config.store).await?;
    migrate::check(&shards).await?;
    for (name, _) in shards.all() {
        metrics::known(By::Producer, "shard", name.as_str());
    }
    let blobs = BlobStore::connect(&config.blob).await;
    let publisher = Arc::new(Publisher::new(config.queue.clone(), &name));
    if roles.contains(&Role::Dispatch) {
        let dispatcher = Dispatcher {
            shards: shards.clone(),
            publisher: publisher.clone(),
            blobs: blobs.clone(),
            process,
        };
        docket_dispatch::start(&Arc::new(dispatcher), shutdown);
        shutdown.spawn(undeliverable::run(
            shards.clone(),
            config.queue.clone(),
            name,
            shutdown.clone(),
        ));
    }
    shutdown.spawn(sample(recorder.clone(), shards.clone(), shutdown.clone()));
    let readiness = Readiness::new(shards.clone(), blobs.clone(), shutdown.clone());
    shutdown.spawn(watch(readiness.clone(), roles.to_vec(), shutdown.clone()));
    let mut routes = OpenApiRouter::with_openapi(Description::openapi()).merge(health::routes(readiness, recorder));
    if let Some(auth) = &config.auth {
        let verifier = Verifier::new(auth);
        let stores = Stores {
            models: Models::new(blobs.clone()),
            images: Images::new(publisher.clone()),
            handover: HandOver::start(shards.clone(), publisher, shutdown),
            shards,
            blobs,
        };
        let operators = OperatorState {
            shards: stores.shards.clone(),
            models: stores.models.clone(),
            verifier: verifier.clone(),
            shutdown: shutdown.clone(),
        };
        let callers = ApiState::new(&config.api, stores, verifier, shutdown.clone());
        routes = routes
            .merge(docket_api::routes(callers))
            .merge(docket_operator::routes::routes(operators));
    }
    let router = router::assemble(routes, shutdown.clone(), config.auth.is_some());
    tracing::info!(address = %listener.local_addr()?, roles = ?roles, "serving");
    shutdown.spawn(docket_http::serve(
        listener,
        router,
        config.http.stop_notice,
        shutdown.clone(),
    ));
    Ok(())
}

async fn sample(recorder: PrometheusHandle, shards: Shards, shutdown: Shutdown) {
    loop {
        metrics::sample();
        shards.sample();
        recorder.run_upkeep();
        if !shutdown.sleep(SAMPLE_EVERY).await {
            return;
        }
    }
}

/// Reports to the metrics whether the process is ready: an unready process gets no request that could count it.
async fn watch(readiness: Readiness, roles: Vec<Role>, shutdown: Shutdown) {
    let tell = |is_ready| {
        for role in &roles {
            metrics::ready(&role.to_string(), is_ready);
        }
    };
    loop {
        tell(shutdown.until_soft(readiness.is_ready()).await == Some(true));
        if !shutdown.sleep(READY_EVERY).await {
            return tell(false);
        }
    }
}
