//! Probes and metrics. Liveness asks only whether the worker's own loop turns and its jobs get anywhere, be it into the delay
//! queue; a dependency that is away shows in readiness and in the metrics, so that one outage does not restart the whole fleet.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
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
/// A worker that has got jobs for this long and ended none is stalled: longer than the longest pass, than a result is held for
/// a shard that is away, and than a job that was put off stays away.
const STALLED_AFTER: Duration = Duration::from_secs(180);
/// One that let go of none either for so long counts as dead: every job it had has reached its own limit of time by then, so
/// that it is no dependency that is waited for.
const STALLED_FOR_GOOD: Duration = Duration::from_secs(30 * 60);

const _: () = assert!(STALLED_FOR_GOOD.as_secs() > pipeline::JOB_MAX.as_secs());

/// What the probes answer; clones share it.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    metrics: PrometheusHandle,
    ticked: Mutex<Instant>,
    ended: AtomicU64,
    in_vain: AtomicU64,
    progress: Mutex<Progress>,
    connected: Mutex<Option<Vec<Arc<AtomicBool>>>>,
    stopping: AtomicBool,
}

/// How much was ever done.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Done {
    /// Windows read.
    windows: u64,
    /// Jobs that ended.
    ended: u64,
    /// Jobs that were let go again because something they need failed or is away.
    in_vain: u64,
}

/// When the work last got anywhere.
struct Progress {
    done: Done,
    /// When a job last ended, or there was nothing to end.
    useful: Instant,
    /// When a job was last let go, or the like: a worker that still does that is alive.
    moved: Instant,
    /// When a job was last let go in vain, if none has ended since.
    in_vain: Option<Instant>,
}

impl Progress {
    fn new(now: Instant) -> Self {
        Self {
            done: Done::default(),
            useful: now,
            moved: now,
            in_vain: None,
        }
    }

    /// Notes how much is in hand and how much was ever done. While jobs come and are let go in vain, neither empty hands
    /// between them nor what was read of them is progress.
    fn note(&mut self, in_hand: usize, done: Done, now: Instant) {
        let before = std::mem::replace(&mut self.done, done);
        if in_hand == 0 || done != before {
            self.moved = now;
        }
        if done.in_vain != before.in_vain {
            self.in_vain = Some(now);
        }
        if done.ended != before.ended {
            self.in_vain = None;
        }
        let troubled = self.in_vain.is_some_and(|at| now - at < STALLED_AFTER);
        if done.ended != before.ended || (!troubled && (in_hand == 0 || done.windows != before.windows)) {
            self.useful = now;
        }
    }
}

impl Health {
    /// A worker that is starting.
    pub fn new(metrics: PrometheusHandle) -> Self {
        let now = Instant::now();
        let inner = Inner {
            metrics,
            ticked: Mutex::new(now),
            ended: AtomicU64::default(),
            in_vain: AtomicU64::default(),
            progress: Mutex::new(Progress::new(now)),
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
        let done = Done {
            windows,
            ended: self.0.ended.load(Ordering::Relaxed),
            in_vain: self.0.in_vain.load(Ordering::Relaxed),
        };
        self.progress().note(in_hand, done, now);
        metrics::stalled(self.progress().useful.elapsed());
        metrics::sample();
        self.0.metrics.run_upkeep();
    }

    /// A job ended, well or not.
    pub fn ended(&self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// A job was let go because something that it needs failed or is away.
    pub fn in_vain(&self) {
        self.0.in_vain.fetch_add(1, Ordering::Relaxed);
    }

    /// The worker takes no more work.
    pub fn stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    fn alive(&self) -> bool {
        let turning = self.0.ticked.lock().expect("no holder panics").elapsed() < STANDSTILL;
        // Loading a model may take longer than the loop may stand: until then there is no loop.
        !self.has_started() || (turning && self.progress().moved.elapsed() < STALLED_FOR_GOOD)
    }

    fn has_started(&self) -> bool {
        self.0.connected.lock().expect("no holder panics").is_some()
    }

    fn ready(&self) -> bool {
        let connected = self.0.connected.lock().expect("no holder panics");
        let consuming = connected
            .as_ref()
            .is_some_and(|all| all.iter().all(|connected| connected.load(Ordering::Relaxed)));
        let stalled = self.progress().useful.elapsed() >= STALLED_AFTER;
        consuming && !self.0.stopping.load(Ordering::Relaxed) && !stalled
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.progress.lock().expect("no holder panics")
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

    /// A worker and the seconds since its start.
    struct Worker {
        begin: Instant,
        progress: Progress,
        done: Done,
    }

    impl Worker {
        fn start() -> Self {
            let begin = Instant::now();
            let (progress, done) = (Progress::new(begin), Done::default());
            Self { begin, progress, done }
        }

        /// The loop turns with so many in hand after something was done: seconds since a job ended, and since any was let go.
        fn tick(&mut self, second: u64, in_hand: usize, happen: fn(&mut Done)) -> (u64, u64) {
            happen(&mut self.done);
            let now = self.begin + Duration::from_secs(second);
            self.progress.note(in_hand, self.done, now);
            let Progress { useful, moved, .. } = self.progress;
            ((now - useful).as_secs(), (now - moved).as_secs())
        }
    }

    const NOTHING: fn(&mut Done) = |_| {};
    const READS: fn(&mut Done) = |done| done.windows += 1;
    const ENDS: fn(&mut Done) = |done| done.ended += 1;
    const IN_VAIN: fn(&mut Done) = |done| done.in_vain += 1;

    #[test]
    fn a_worker_is_stalled_when_nothing_comes_of_what_it_has() {
        let mut worker = Worker::start();
        assert_eq!(worker.tick(500, 0, NOTHING), (0, 0), "it is idle");
        assert_eq!(worker.tick(510, 3, NOTHING), (10, 10));
        assert_eq!(worker.tick(600, 3, ENDS), (0, 0));
        assert_eq!(worker.tick(800, 3, NOTHING), (200, 200));
        assert_eq!(worker.tick(801, 3, READS), (0, 0), "a long document");
        assert_eq!(worker.tick(900, 0, NOTHING), (0, 0), "all were given back");
    }

    #[test]
    fn a_worker_that_only_puts_off_is_not_ready_and_yet_alive() {
        let mut worker = Worker::start();
        for second in 1..3_600 {
            let happen = if second % 10 == 1 { IN_VAIN } else { READS };
            let (stalled, still) = worker.tick(second, usize::from(second % 3 == 0), happen);
            assert_eq!((stalled, still), (second, 0));
        }
        assert_eq!(worker.tick(3_600, 1, ENDS), (0, 0), "what was away is back");
        assert_eq!(worker.tick(3_601, 0, NOTHING), (0, 0));
    }

    #[test]
    fn a_worker_that_gets_nothing_any_more_is_ready_again() {
        let mut worker = Worker::start();
        worker.tick(1, 0, IN_VAIN);
        let quiet = STALLED_AFTER.as_secs();
        assert_eq!(worker.tick(quiet, 0, NOTHING).0, quiet);
        assert_eq!(worker.tick(quiet + 1, 0, NOTHING).0, 0);
    }
}
