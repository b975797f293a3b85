//! Probes and metrics. Liveness asks only whether the worker's own loop turns; a dependency that is away shows in
//! readiness and in the metrics, so that one outage does not restart the whole fleet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

/// A loop that has not turned for this long stands still: it turns every few seconds.
const STANDSTILL: Duration = Duration::from_secs(60);

/// What the probes answer; clones share it.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    metrics: PrometheusHandle,
    ticked: Mutex<Instant>,
    connected: Mutex<Option<Vec<Arc<AtomicBool>>>>,
    stopping: AtomicBool,
}

impl Health {
    /// A worker that is starting.
    pub fn new(metrics: PrometheusHandle) -> Self {
        let inner = Inner {
            metrics,
            ticked: Mutex::new(Instant::now()),
            connected: Mutex::default(),
            stopping: AtomicBool::default(),
        };
        Self(Arc::new(inner))
    }

    /// The models are loaded; from now on the consumers' connections decide, all of them.
    pub fn started(&self, connected: Vec<Arc<AtomicBool>>) {
        *self.0.connected.lock().expect("no holder panics") = Some(connected);
        self.tick();
    }

    /// The loop turned.
    pub fn tick(&self) {
        *self.0.ticked.lock().expect("no holder panics") = Instant::now();
        self.0.metrics.run_upkeep();
    }

    /// The worker takes no more work.
    pub fn stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    fn state(&self) -> (bool, bool, bool) {
        let connected = self.0.connected.lock().expect("no holder panics");
        let turning = self.0.ticked.lock().expect("no holder panics").elapsed() < STANDSTILL;
        let started = connected.is_some();
        let ready = connected
            .as_ref()
            .is_some_and(|all| all.iter().all(|connected| connected.load(Ordering::Relaxed)));
        // Loading a model may take longer than the loop may stand: until then there is no loop.
        (
            turning || !started,
            started,
            ready && !self.0.stopping.load(Ordering::Relaxed),
        )
    }
}

fn answer(good: bool) -> (StatusCode, &'static str) {
    if good {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no\n")
    }
}

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, health: Health) -> std::io::Result<()> {
    let router = Router::new()
        .route(
            "/livez",
            get(|State(health): State<Health>| async move { answer(health.state().0) }),
        )
        .route(
            "/startupz",
            get(|State(health): State<Health>| async move { answer(health.state().1) }),
        )
        .route(
            "/readyz",
            get(|State(health): State<Health>| async move { answer(health.state().2) }),
        )
        .route(
            "/metrics",
            get(|State(health): State<Health>| async move { health.0.metrics.render() }),
        )
        .with_state(health);
    axum::serve(listener, router).await
}
