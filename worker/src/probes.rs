//! Probes and metrics. Liveness asks only whether the worker's loop turns and whether it lets go of jobs, be it into the delay
//! queue. A dependency that is away shows in readiness and metrics, so that an outage does not restart the whole fleet.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use docket_process::metrics;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::limits::JOB_MAX;

/// A loop that has not turned for this long is dead: it turns every second.
const STANDSTILL: Duration = Duration::from_secs(60);
/// A worker with jobs that has made no useful progress for this long is stalled. Longer than the longest pass, than a result is
/// held for a shard that is away, and than a job stays put off.
const STALLED_AFTER: Duration = Duration::from_secs(180);
/// A worker with jobs that has let go of none and read no window for this long is dead. Every job has passed its own limit by
/// then, so the worker is not waiting for a dependency.
const STALLED_FOR_GOOD: Duration = Duration::from_secs(30 * 60);

const _: () = assert!(STALLED_FOR_GOOD.as_secs() > JOB_MAX.as_secs());

/// State that the probes report. Clones share it.
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

/// Totals of the work done since the start.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Done {
    /// Windows that the models have read.
    windows: u64,
    /// Jobs that ended.
    ended: u64,
    /// Jobs let go without an end, because something that they need failed or is away.
    in_vain: u64,
}

/// When work last made progress.
struct Progress {
    done: Done,
    /// When useful work was last seen: a job ended, or, unless jobs are let go in vain, a window was read or no job was in hand.
    useful: Instant,
    /// When any movement was last seen: a job let go, a window read, or no job in hand. A worker that still moves is alive.
    moved: Instant,
    /// When a job was last let go in vain; `None` if a job has ended since.
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

    /// Notes the jobs in hand and the totals. While jobs are let go in vain, neither empty hands between them nor windows read
    /// count as progress.
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
    /// The state of a worker that is starting.
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

    /// The models are loaded. From now on the worker is ready only while every consumer is connected.
    pub fn started(&self, connected: Vec<Arc<AtomicBool>>) {
        *self.0.connected.lock().expect("no holder panics") = Some(connected);
        *self.0.ticked.lock().expect("no holder panics") = Instant::now();
    }

    /// The loop turned, with this many jobs in hand and this many windows read since the start.
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

    /// A job ended, successfully or not.
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
        // Before the start is over there is no loop, and loading a model may take longer than a loop may stand still.
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

/// Serves probes and metrics until the future is dropped.
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

        /// The loop turns after `happen`, with this many jobs in hand. Returns the seconds since useful work and since any
        /// movement.
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
