//! Probes and metrics, for those who run the process. They need no token and tell nothing about clients.
//!
//! The broker is in none of them: without it uploads are accepted all the same, and analysed once it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use docket_shared::blob::BlobStore;
use docket_shared::shutdown::Shutdown;
use docket_shared::store::{Database, Shards, StoreError};
use docket_shared::telemetry;
use futures::future::select_ok;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::error::{ApiError, Kind};
use super::openapi::{OpenProblems, ProbeProblems};

/// How long the stores are waited for: below the timeout that probes usually have.
const CHECK_MAX: Duration = Duration::from_millis(900);
/// How long an answer is believed, so that probes of many cost the stores no more than one's.
const BELIEVED: Duration = Duration::from_secs(1);

/// Whether this process should be sent requests. Clones share what was last found.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

struct Inner {
    shards: Shards,
    blobs: BlobStore,
    shutdown: Shutdown,
    /// Whether it was ready once.
    started: AtomicBool,
    last: Mutex<Option<(Instant, Result<(), &'static str>)>>,
}

impl Readiness {
    /// Readiness that depends on these. The map of shards was read when they were opened.
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

    /// Whether it should be sent requests now.
    pub async fn is_ready(&self) -> bool {
        self.check().await.is_ok()
    }

    async fn check(&self) -> Result<(), ApiError> {
        if self.0.shutdown.has_begun() {
            return Err(ApiError::new(Kind::NotReady, "It is stopping."));
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
        found.map_err(|reason| ApiError::new(Kind::NotReady, reason))
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
pub async fn livez() -> &'static str {
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
pub async fn readyz(State(readiness): State<Readiness>) -> Result<&'static str, ApiError> {
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
pub async fn startupz(State(readiness): State<Readiness>) -> Result<&'static str, ApiError> {
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
pub async fn metrics(
    State(metrics): State<PrometheusHandle>,
) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    (
        StatusCode::OK,
        [("content-type", "text/plain; version=0.0.4; charset=utf-8")],
        metrics.render(),
    )
}
