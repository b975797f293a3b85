//! A small bounded pool for work on the CPU: extracting, cutting windows, decoding. So this work never holds up the threads that
//! answer sockets, and leaves the models' threads their cores.

use std::sync::Arc;

use docket_contract::outcome::Stage;
use docket_process::metrics;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Semaphore;

/// Runs closures on blocking threads, at most `tasks_max` at a time. Clones share the limit.
#[derive(Debug, Clone)]
pub struct CpuPool {
    permits: Arc<Semaphore>,
    tasks_max: usize,
}

/// A closure did not end: it panicked, or the process stops. A panic's message is not kept, since it may quote the document.
#[derive(Debug, thiserror::Error)]
#[error("a computation ended by a panic or a shutdown")]
pub struct CpuError;

impl CpuPool {
    /// A pool that runs at most `tasks_max` closures at a time, at least one.
    pub fn new(tasks_max: usize) -> Self {
        let tasks_max = tasks_max.max(1);
        Self {
            permits: Arc::new(Semaphore::new(tasks_max)),
            tasks_max,
        }
    }

    /// Closures that run now, and how many may.
    pub fn tasks(&self) -> (usize, usize) {
        (self.tasks_max - self.permits.available_permits(), self.tasks_max)
    }

    /// Runs a stage's `work` as soon as there is room, first come, first served. Keep a closure well below a second, and cut
    /// longer work into several: a caller that leaves stops the rest. A running closure goes on when its caller leaves, and keeps
    /// its place until it ends, so the limit holds.
    pub async fn run<T, F>(&self, stage: Stage, work: F) -> Result<T, CpuError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit; // Never an error: the semaphore is never closed.
            measured(stage, work)
        });
        task.await.map_err(|_| CpuError)
    }
}

/// Runs `work` on this thread and records its CPU time.
pub fn measured<T>(stage: Stage, work: impl FnOnce() -> T) -> T {
    let before = clock_gettime(ClockId::ThreadCPUTime);
    let done = work();
    let took = clock_gettime(ClockId::ThreadCPUTime) - before;
    metrics::stage_cpu(stage, took.try_into().unwrap_or_default());
    done
}

/// Cores that this process may use, with its affinity and its container's quota counted in.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn no_more_run_at_once_than_the_limit() {
        let pool = CpuPool::new(2);
        let running = Arc::new(AtomicUsize::new(0));
        let tasks = (0..16).map(|_| {
            let running = Arc::clone(&running);
            pool.run(Stage::Decode, move || {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                std::thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
                now
            })
        });
        for seen in futures::future::join_all(tasks).await {
            assert!(seen.expect("nothing panics") <= 2);
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_gives_its_place_back() {
        let pool = CpuPool::new(1);
        assert!(pool.run(Stage::Decode, || panic!("on purpose")).await.is_err());
        assert_eq!(pool.run(Stage::Decode, || 7).await.expect("there is room again"), 7);
    }
}
