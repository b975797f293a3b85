//! Probes and metrics, for the operators of the process. They need no token and tell nothing about clients.
//!
//! No probe asks the broker: uploads are accepted without the broker, and analysed once it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::middleware;
use docket_objects::BlobStore;
use docket_process::shutdown::Shutdown;
use docket_process::telemetry;
use docket_store::{Database, Shards, StoreError};
use futures::future::select_ok;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{ANSWER_MAX, reads};

use crate::openapi::{OpenProblems, ProbeProblems};
use crate::problem::{ApiError, Kind};

/// How long a probe waits for the stores: below the usual timeout of probes.
const CHECK_MAX: Duration = Duration::from_millis(900);
/// How long a finding is reused, so that many probes cost the stores no more than one.
const BELIEVED: Duration = Duration::from_secs(1);

/// Whether this process should be sent requests. Clones share the latest finding.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

struct Inner {
    shards: Shards,
    blobs: BlobStore,
    shutdown: Shutdown,
    /// Whether the process has ever been ready.
    started: AtomicBool,
    last: Mutex<Option<(Instant, Result<(), &'static str>)>>,
}

impl Readiness {
    /// Readiness that depends on these stores and this shutdown. The shard map was read when the stores were opened.
    pub fn new(shards: Shards, blobs: BlobStore, shutdown: Shutdown) -> Self {
        let (started, last) = (AtomicBool::new(false), Mutex::new(None));
        Self(Arc::new(Inner {
            shards,
            blobs,
            shutdown,
            started,
            last,
        }))
    }

    /// Whether the process should be sent requests now.
    pub async fn is_ready(&self) -> bool {
        self.check().await.is_ok()
    }

    async fn check(&self) -> Result<(), ApiError> {
        if self.0.shutdown.has_begun() {
            return Err(ApiError::new(Kind::NOT_READY, "It is stopping."));
        }
        let mut last = self.0.last.lock().await;
        let found = match *last {
            Some((asked, found)) if asked.elapsed() < BELIEVED => found,
            Some(_) | None => {
                let found = self.ask().await;
                *last = Some((Instant::now(), found));
                found
            }
        };
        found.map_err(|reason| ApiError::new(Kind::NOT_READY, reason))
    }

    async fn ask(&self) -> Result<(), &'static str> {
        let bucket = timeout(CHECK_MAX, self.0.blobs.check());
        let reached = self.0.shards.all().map(|(_, shard)| Box::pin(reach(shard)));
        let (bucket, shard) = tokio::join!(bucket, timeout(CHECK_MAX, select_ok(reached)));
        match shard {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = telemetry::chain(&error), "not ready");
                return Err("No shard can be reached.");
            }
            Err(_) => return Err("No shard answers in time."),
        }
        match bucket {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = telemetry::chain(&error), "not ready");
                return Err("The bucket cannot be reached.");
            }
            Err(_) => return Err("The bucket does not answer in time."),
        }
        self.0.started.store(true, Ordering::Relaxed);
        Ok(())
    }
}

async fn reach(shard: &Database) -> Result<(), StoreError> {
    shard.begin().await.map(drop)
}

/// The state of probes and metrics; clones share it.
#[derive(Clone)]
struct Probed {
    readiness: Readiness,
    metrics: PrometheusHandle,
}

impl FromRef<Probed> for Readiness {
    fn from_ref(state: &Probed) -> Self {
        state.readiness.clone()
    }
}

impl FromRef<Probed> for PrometheusHandle {
    fn from_ref(state: &Probed) -> Self {
        state.metrics.clone()
    }
}

/// The routes of probes and metrics.
pub fn routes(readiness: Readiness, recorder: PrometheusHandle) -> OpenApiRouter {
    let room = Arc::new(Semaphore::new(reads::OPEN_MAX));
    OpenApiRouter::new()
        .routes(routes!(metrics))
        .layer(middleware::from_fn_with_state(room, reads::bound_open))
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(startupz))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_MAX,
        ))
        .with_state(Probed {
            readiness,
            metrics: recorder,
        })
}

/// Is it alive?
///
/// Answers as long as the process serves anything. A store that is away does not matter here: a restart would not help.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "operations",
    security(()),
    responses(
        (status = 200, description = "It is alive.", body = String, content_type = "text/plain; charset=utf-8"),
        OpenProblems,
    )
)]
async fn livez() -> &'static str {
    "alive\n"
}

/// Should it be sent requests?
///
/// Yes while the bucket and at least one shard can be reached, and it is not stopping.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    security(()),
    responses(
        (status = 200, description = "Yes.", body = String, content_type = "text/plain; charset=utf-8"),
        ProbeProblems,
    )
)]
async fn readyz(State(readiness): State<Readiness>) -> Result<&'static str, ApiError> {
    readiness.check().await.map(|()| "ready\n")
}

/// Has it started?
///
/// Yes from the first time on that it was ready.
#[utoipa::path(
    get,
    path = "/startupz",
    tag = "operations",
    security(()),
    responses(
        (status = 200, description = "Yes.", body = String, content_type = "text/plain; charset=utf-8"),
        ProbeProblems,
    )
)]
async fn startupz(State(readiness): State<Readiness>) -> Result<&'static str, ApiError> {
    if !readiness.0.started.load(Ordering::Relaxed) {
        readiness.check().await?;
    }
    Ok("started\n")
}

/// Metrics
///
/// In the text format of Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    security(()),
    responses(
        (status = 200, description = "The metrics.", body = String, content_type = "text/plain; version=0.0.4"),
        OpenProblems,
    )
)]
async fn metrics(State(metrics): State<PrometheusHandle>) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    (
        StatusCode::OK,
        [("content-type", "text/plain; version=0.0.4; charset=utf-8")],
        metrics.render(),
    )
}
