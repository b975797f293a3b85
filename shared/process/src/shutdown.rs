//! Shutdown in two steps: the soft step stops taking work and lets running work end, the hard step aborts what is left.

use std::future::Future;
use std::process;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A shell's exit code for a process that SIGTERM (signal 15) ended.
const TERMINATED: i32 = 128 + 15;

/// For a command, which has nothing to bring to an end: SIGTERM ends the process. The kernel's default action would do the same,
/// but the first process of a container has none (pid_namespaces(7)) and would run until killed.
pub fn exit_on_sigterm() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        terminate.recv().await;
        process::exit(TERMINATED);
    });
    Ok(())
}

/// The state of a process's shutdown, shared by all its tasks. Clones are handles to the same shutdown.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
    tracker: TaskTracker,
}

impl Shutdown {
    /// A shutdown whose soft step begins with SIGTERM or SIGINT. A second signal begins the hard step at once.
    pub fn on_signals() -> std::io::Result<Self> {
        let shutdown = Self::default();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let handle = shutdown.clone();
        tokio::spawn(async move {
            for step in [&handle.soft, &handle.hard] {
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                step.cancel();
            }
        });
        Ok(shutdown)
    }

    /// Begins the soft step: no new work is taken.
    pub fn begin(&self) {
        self.soft.cancel();
    }

    /// Begins both steps: no new work is taken, and running work is given up now.
    pub fn abort(&self) {
        self.soft.cancel();
        self.hard.cancel();
    }

    /// Whether the soft step has begun.
    pub fn has_begun(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Completes when no new work may be taken.
    pub async fn soft(&self) {
        self.soft.cancelled().await;
    }

    /// Completes when running work must be given up.
    pub async fn hard(&self) {
        self.hard.cancelled().await;
    }

    /// The future's output, or `None` once no new work may be taken.
    pub async fn until_soft<F: Future>(&self, future: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            () = self.soft.cancelled() => None,
            output = future => Some(output),
        }
    }

    /// The future's output, or `None` once running work must be given up.
    pub async fn until_hard<F: Future>(&self, future: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            () = self.hard.cancelled() => None,
            output = future => Some(output),
        }
    }

    /// Sleeps, unless the soft step begins first. True when the sleep was not cut short.
    pub async fn sleep(&self, duration: Duration) -> bool {
        self.until_soft(tokio::time::sleep(duration)).await.is_some()
    }

    /// Runs a task that [`Self::drain`] waits for.
    pub fn spawn<F>(&self, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.tracker.spawn(task)
    }

    /// Waits for every spawned task. Past the deadline, begins the hard step and waits for the tasks to give up.
    pub async fn drain(&self, deadline: Duration) {
        self.soft.cancel();
        self.tracker.close();
        tokio::select! {
            () = self.tracker.wait() => {}
            () = tokio::time::sleep(deadline) => {}
            () = self.hard.cancelled() => {}
        }
        self.hard.cancel();
        self.tracker.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn drain_aborts_what_outlives_the_deadline() {
        let shutdown = Shutdown::default();
        let handle = shutdown.clone();
        let task = shutdown.spawn(async move { handle.until_hard(std::future::pending::<()>()).await });
        shutdown.drain(Duration::from_secs(5)).await;
        assert_eq!(task.await.unwrap(), None);
    }
}
