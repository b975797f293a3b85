//! A service of a run: a process that is restarted when it dies.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::process::{Launch, Process};

/// A process that dies twice within this time is not restarted. It needs 1 to 5 s to become ready, so it has hardly worked in
/// between and would only go on dying.
const DEATHS_APART: Duration = Duration::from_secs(10);

/// A process and the way to restart it.
#[derive(Debug)]
pub struct Kept {
    launch: Launch,
    process: Process,
    died: Option<Instant>,
}

impl Kept {
    /// Starts a process.
    pub async fn start(launch: Launch) -> Result<Self> {
        let process = launch.clone().spawn().await?;
        let launch = launch.with_old_log();
        Ok(Self {
            launch,
            process,
            died: None,
        })
    }

    /// An error with the end of the log, if the process has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.process.check()
    }

    /// Restarts the process if it has died, and returns a line that says so. The second death within [`DEATHS_APART`] is an error
    /// with the end of the log.
    pub async fn mend(&mut self, now: Instant) -> Result<Option<String>> {
        let Some(status) = self.process.death()? else {
            return Ok(None);
        };
        let name = self.process.name().to_owned();
        if self
            .died
            .is_some_and(|earlier| now.duration_since(earlier) < DEATHS_APART)
        {
            let twice = format!("{name} died twice within {} s", DEATHS_APART.as_secs());
            return self.process.check().context(twice).map(|()| None);
        }
        self.died = Some(now);
        let again = self.launch.clone().spawn().await?;
        let line = format!("{name} died ({status}); started again as process {}", again.pid());
        std::mem::replace(&mut self.process, again).kill().await; // Kills the children that the process left.
        Ok(Some(line))
    }

    /// Asks the process to end, and kills it at the deadline.
    pub async fn stop(self, deadline: Duration) {
        self.process.stop(Signal::TERM, deadline).await;
    }

    /// The process's name and id.
    pub fn named_pid(&self) -> (&str, u32) {
        (self.process.name(), self.process.pid())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    async fn dying(folder: &Path) -> Kept {
        let launch = Launch::new("worker-1", "sh", folder, &folder.join("log"));
        Kept::start(launch.arg("-c").arg("echo why; exit 3")).await.unwrap()
    }

    #[tokio::test]
    async fn a_process_that_dies_is_started_again_and_a_line_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = dying(folder.path()).await;
        let first = kept.process.pid();
        kept.process.ended().await;
        let line = kept.mend(Instant::now()).await.unwrap().unwrap();
        let second = kept.process.pid();
        assert_ne!(second, first);
        assert_eq!(
            line,
            format!("worker-1 died (exit status: 3); started again as process {second}")
        );
        kept.process.ended().await;
        let later = Instant::now() + DEATHS_APART;
        assert!(kept.mend(later).await.unwrap().is_some(), "the deaths are far apart");
    }

    #[tokio::test]
    async fn a_second_death_within_ten_seconds_is_the_end_and_shows_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = dying(folder.path()).await;
        let now = Instant::now();
        kept.process.ended().await;
        kept.mend(now).await.unwrap().unwrap();
        kept.process.ended().await;
        let message = format!("{:#}", kept.mend(now).await.unwrap_err());
        assert!(message.starts_with("worker-1 died twice within 10 s: "), "{message}");
        assert!(message.ends_with("why\nwhy"), "the log of both is kept: {message}");
    }

    #[tokio::test]
    async fn a_process_that_runs_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let launch = Launch::new("producer", "sleep", folder.path(), &folder.path().join("log"));
        let mut kept = Kept::start(launch.arg("600")).await.unwrap();
        let pid = kept.process.pid();
        assert!(kept.mend(Instant::now()).await.unwrap().is_none());
        assert_eq!(kept.process.pid(), pid);
    }
}
