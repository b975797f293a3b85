//! `docket-local autoscale`: starts and stops workers of a running Docket by the work that waits, as Kubernetes does with the
//! manifests of `deploy/k8s`.

pub mod formula;
mod observe;
mod pool;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::running::Running;
use crate::signals;
use formula::{Autoscaler, Policy, Signal};
use observe::Observer;
use pool::Pool;

/// How often the signal is read: its figures are renewed every 1 s and every 5 s.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Scales the Docket that a file describes, until that Docket ends or this program is told to stop; then stops all workers.
pub async fn run(file: &Path, policy: Policy) -> Result<()> {
    let running = Running::read(file)?;
    if running.workers > 0 {
        bail!("the running Docket has workers of its own: start it with --workers 0, so that all are scaled");
    }
    let stop = signals::stop_on_signals()?;
    let observer = Observer::new(&running)?;
    let mut pool = Pool::new(running);
    println!(
        "between {} and {} workers, for each {} message or {} s of work one; Ctrl-C stops them",
        policy.min, policy.max, policy.messages_a_worker, policy.seconds_a_worker
    );
    let scaled = stop
        .run_until_cancelled(scale(file, &observer, &mut pool, policy))
        .await;
    println!("stopping {} workers ...", pool.size());
    pool.stop().await?;
    scaled.unwrap_or(Ok(()))
}

async fn scale(file: &Path, observer: &Observer, pool: &mut Pool, policy: Policy) -> Result<()> {
    let begun = Instant::now();
    let mut autoscaler = Autoscaler::new(policy, Duration::ZERO, pool.size());
    let mut blind = false;
    while file.exists() {
        for end in pool.bury() {
            eprintln!("docket-local: {end:#}");
        }
        let (signal, unknown) = observer.look().await;
        if let Some(error) = unknown.as_ref().filter(|_| !blind) {
            eprintln!("docket-local: no worker is taken away while this is not known: {error:#}");
        }
        blind = unknown.is_some();
        let (before, now) = (pool.size(), begun.elapsed());
        let after = autoscaler.decide(now, before, signal);
        if after != before {
            println!(
                "{:6.1} s  {before} -> {after} workers: {}",
                now.as_secs_f64(),
                shown(signal)
            );
            pool.scale_to(after).await?;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    bail!("what was scaled has been stopped")
}

fn shown(signal: Signal) -> String {
    let messages = signal
        .messages
        .map_or("unknown".to_owned(), |messages| messages.to_string());
    let seconds = signal
        .work_seconds
        .map_or("unknown".to_owned(), |seconds| format!("{seconds:.1}"));
    format!("{messages} messages, {seconds} s of work")
}
