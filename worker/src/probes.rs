//! Probes and metrics. Liveness asks only whether the worker's own loop turns; a dependency that is away shows in
//! readiness and in the metrics, so that one outage does not restart the whole fleet.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use docket_shared::metrics;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::pipeline;

/// A loop that has not turned for this long stands still: it turns every second.
const STANDSTILL: Duration = Duration::from_secs(60);
/// A worker that has had jobs in hand for this long without a window read or a job settled is stalled: longer than the
/// longest pass, and than a result is held for a shard that is away.
const STALLED_AFTER: Duration = Duration::from_secs(180);
/// From this on it counts as dead: every job it had has reached its own limit of time by then, so that it is no dependency
/// that is waited for.
const STALLED_FOR_GOOD: Duration = Duration::from_secs(30 * 60);

const _: () = assert!(STALLED_FOR_GOOD.as_secs() > pipeline::JOB_MAX.as_secs());

/// What the probes answer; clones share it.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    metrics: PrometheusHandle,
    ticked: Mutex<Instant>,
    settled: AtomicU64,
    progress: Mutex<Progress>,
    connected: Mutex<Option<Vec<Arc<AtomicBool>>>>,
    stopping: AtomicBool,
}

/// When the work in hand last got anywhere.
struct Progress {
    done: u64,
    at: Instant,
}

impl Progress {
    /// Notes how much is in hand and how much was ever done; for how long nothing has come of it.
    fn note(&mut self, in_hand: usize, done: u64, now: Instant) -> Duration {
        if in_hand == 0 || done != self.done {
            *self = Self { done, at: now };
        }
        now - self.at
    }
}

impl Health {
    /// A worker that is starting.
    pub fn new(metrics: PrometheusHandle) -> Self {
        let now = Instant::now();
        let inner = Inner {
            metrics,
            ticked: Mutex::new(now),
            settled: AtomicU64::default(),
            progress: Mutex::new(Progress { done: 0, at: now }),
            connected: Mutex::default(),
            stopping: AtomicBool::default(),
        };
        Self(Arc::new(inner))
    }

    /// The models are loaded; from now on the consumers' connections decide, all of them.
    pub fn started(&self, connected: Vec<Arc<AtomicBool>>) {
        *self.0.connected.lock().expect("no holder panics") = Some(connected);
        *self.0.ticked.lock().expect("no holder panics") = Instant::now();
    }

    /// The loop turned, with so many jobs in hand and so many windows read since the start.
    pub fn tick(&self, in_hand: usize, windows: u64) {
        let now = Instant::now();
        *self.0.ticked.lock().expect("no holder panics") = now;
        let done = windows + self.0.settled.load(Ordering::Relaxed);
        let stalled = self
            .0
            .progress
            .lock()
            .expect("no holder panics")
            .note(in_hand, done, now);
        metrics::stalled(stalled);
        metrics::sample();
        self.0.metrics.run_upkeep();
    }

    /// A job was settled.
    pub fn settled(&self) {
        self.0.settled.fetch_add(1, Ordering::Relaxed);
    }

    /// The worker takes no more work.
    pub fn stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    fn alive(&self) -> bool {
        let turning = self.0.ticked.lock().expect("no holder panics").elapsed() < STANDSTILL;
        // Loading a model may take longer than the loop may stand: until then there is no loop.
        !self.has_started() || (turning && self.stalled() < STALLED_FOR_GOOD)
    }

    fn has_started(&self) -> bool {
        self.0.connected.lock().expect("no holder panics").is_some()
    }

    fn ready(&self) -> bool {
        let connected = self.0.connected.lock().expect("no holder panics");
        let consuming = connected
            .as_ref()
            .is_some_and(|all| all.iter().all(|connected| connected.load(Ordering::Relaxed)));
        consuming && !self.0.stopping.load(Ordering::Relaxed) && self.stalled() < STALLED_AFTER
    }

    fn stalled(&self) -> Duration {
        self.0.progress.lock().expect("no holder panics").at.elapsed()
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
            get(|State(health): State<Health>| async move { answer(health.alive()) }),
        )
        .route(
            "/startupz",
            get(|State(health): State<Health>| async move { answer(health.has_started()) }),
        )
        .route(
            "/readyz",
            get(|State(health): State<Health>| async move { answer(health.ready()) }),
        )
        .route(
            "/metrics",
            get(|State(health): State<Health>| async move { health.0.metrics.render() }),
        )
        .with_state(health);
    axum::serve(listener, router).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_stalled_when_nothing_comes_of_what_it_has() {
        let begin = Instant::now();
        let mut progress = Progress { done: 0, at: begin };
        let after = |seconds| begin + Duration::from_secs(seconds);
        assert_eq!(progress.note(0, 0, after(500)), Duration::ZERO, "it is idle");
        assert_eq!(progress.note(3, 0, after(510)), Duration::from_secs(10));
        assert_eq!(progress.note(3, 1, after(600)), Duration::ZERO);
        assert_eq!(progress.note(3, 1, after(800)), Duration::from_secs(200));
        assert_eq!(progress.note(0, 1, after(801)), Duration::ZERO, "all were given back");
    }
}
