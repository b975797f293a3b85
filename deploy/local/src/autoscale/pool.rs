//! The scaled workers: processes that are started and told to stop.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;
use tokio::task::JoinSet;

use crate::checkout::Checkout;
use crate::ports;
use crate::postgres::Login;
use crate::process::{Launch, Process};
use crate::running::Running;

/// How long a worker that is told to stop goes on with its jobs, in seconds.
const DRAIN_SECONDS: u64 = 20;
/// Setting of [`DRAIN_SECONDS`].
const DRAIN_SETTING: &str = "DOCKET_DRAIN_SECONDS";
/// How much longer a worker may take to give back its unfinished jobs.
const GIVE_BACK: Duration = Duration::from_secs(10);

/// The scaled workers of a running Docket.
#[derive(Debug)]
pub struct Pool {
    running: Running,
    settings: BTreeMap<String, String>,
    drain: Duration,
    workers: Vec<Process>,
    stopping: JoinSet<()>,
    started: usize,
}

impl Pool {
    /// A pool without workers.
    pub fn new(mut running: Running) -> Self {
        let own = std::env::var(DRAIN_SETTING).ok().and_then(|own| own.parse().ok());
        let drain = own.unwrap_or(DRAIN_SECONDS);
        let mut settings = running.settings.remove(&Login::Worker).unwrap_or_default();
        settings.insert(DRAIN_SETTING.to_owned(), drain.to_string());
        Self {
            running,
            settings,
            drain: Duration::from_secs(drain),
            workers: Vec::new(),
            stopping: JoinSet::new(),
            started: 0,
        }
    }

    /// Number of workers, without those that were told to stop.
    pub fn size(&self) -> u32 {
        u32::try_from(self.workers.len()).unwrap_or(u32::MAX)
    }

    /// Removes the workers that ended by themselves; returns why each ended.
    pub fn bury(&mut self) -> Vec<anyhow::Error> {
        let ends: Vec<_> = self.workers.extract_if(.., |worker| worker.check().is_err()).collect();
        ends.into_iter().filter_map(|mut worker| worker.check().err()).collect()
    }

    /// Starts the missing workers, or tells the newest to stop without waiting for them.
    pub async fn scale_to(&mut self, size: u32) -> Result<()> {
        while self.size() < size {
            let worker = self.launch()?.spawn().await?;
            self.workers.push(worker);
        }
        while self.size() > size {
            let Some(worker) = self.workers.pop() else { break };
            self.stopping.spawn(worker.stop(Signal::TERM, self.drain + GIVE_BACK));
        }
        Ok(())
    }

    /// Tells all workers to stop, and waits until they have.
    pub async fn stop(mut self) -> Result<()> {
        self.scale_to(0).await?;
        self.stopping.join_all().await;
        Ok(())
    }

    fn launch(&mut self) -> Result<Launch> {
        self.started += 1;
        let name = format!("scaled-{}", self.started);
        let log = self.running.logs.join(format!("{name}.log"));
        let launch = Launch::new(&name, Checkout::sibling("docket-worker")?, &self.running.state, &log);
        let launch = launch.inherit_env().with_new_log();
        let settings = self.settings.iter();
        let launch = settings.fold(launch, |launch, (name, value)| launch.env(name, value));
        Ok(launch.env("DOCKET_WORKER_HTTP_ADDR", format!("127.0.0.1:{}", ports::pick()?)))
    }
}
