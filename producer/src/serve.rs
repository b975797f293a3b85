//! Builds what the chosen roles share, starts them, and stops them in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use docket_shared::blob::BlobStore;
use docket_shared::metrics::{self, By};
use docket_shared::queue::publish::Publisher;
use docket_shared::shutdown::Shutdown;
use docket_shared::store::{Shards, migrate};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::config::ProducerConfig;
use crate::dispatch::handover::HandOver;
use crate::dispatch::{self, Dispatcher, dead};
use crate::http::{self, AppState};
use crate::models::Models;

/// What running requests and ticks may take after the notice of a stop. An upload that takes longer is cut and not accepted.
const DRAIN_MAX: Duration = Duration::from_secs(25);
/// How often the process looks at itself for the metrics; more often than it is asked for them.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// How often the process asks itself whether it is ready, for the metrics: as often as a load balancer may ask it.
const READY_EVERY: Duration = Duration::from_secs(5);

/// A part of the producer that can be deployed alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// The callers' HTTP API.
    Api,
    /// The dispatcher, the sweeper, and the drain of the dead queue.
    Dispatch,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 2] = [Self::Api, Self::Dispatch];
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Api => "api",
            Self::Dispatch => "dispatch",
        })
    }
}

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

/// Starts the roles on an open listener; all of them end with the shutdown. Probes and metrics are served in every role. It waits
/// for nothing once it has started a task, so that whoever drops it before it is done leaves nothing behind.
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
        dispatch::start(&Arc::new(dispatcher), shutdown);
        shutdown.spawn(dead::run(shards.clone(), config.queue.clone(), name, shutdown.clone()));
    }
    shutdown.spawn(sample(recorder.clone(), shards.clone(), shutdown.clone()));
    let handover = HandOver::start(shards.clone(), publisher, shutdown);
    let models = Models::new(blobs.clone());
    let state = AppState::new(
        &config.http,
        (shards, blobs, models, handover),
        recorder,
        shutdown.clone(),
    );
    shutdown.spawn(watch(state.clone(), roles.to_vec(), shutdown.clone()));
    let router = http::router(state, roles.contains(&Role::Api));
    tracing::info!(address = %listener.local_addr()?, roles = ?roles, "serving");
    shutdown.spawn(http::serve(listener, router, config.http.stop_notice, shutdown.clone()));
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

/// Tells the metrics whether the process is ready. When no process is, nothing reaches one that could count it.
async fn watch(state: AppState, roles: Vec<Role>, shutdown: Shutdown) {
    let tell = |is_ready| {
        for role in &roles {
            metrics::ready(&role.to_string(), is_ready);
        }
    };
    loop {
        tell(shutdown.until_soft(state.is_ready()).await == Some(true));
        if !shutdown.sleep(READY_EVERY).await {
            return tell(false);
        }
    }
}
