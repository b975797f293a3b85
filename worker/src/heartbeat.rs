//! Keeps the worker's claims alive: one statement per shard every few seconds, which also says how far each job is. Every second
//! it also asks which claims were lost, to another worker or because the job was cancelled or expired.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use docket_contract::ids::{ClaimToken, JobId, JobKey};
use docket_process::{failpoint, metrics, telemetry};
use docket_store::shards::fence::FENCE_BUCKETS_MAX;
use docket_store::work::claims::{self, Beat, HEARTBEAT_EVERY};
use docket_store::{Database, Shards};
use futures::future;
use tokio::sync::watch;

use crate::disposition::JobError;
use docket_engine::batch::ReadSoFar;

/// How often the worker asks which claims were lost: cancelled work then stops within two seconds.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for a shard's answer. A later heartbeat tries again.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(4);

/// Connections to each shard for heartbeats alone. Results may hold all other connections for half a minute, and a claim that is
/// silent for half of that may be taken over.
const CONNECTIONS: u32 = 1;

/// Claims that are kept alive. Clones share them.
#[derive(Clone, Default)]
pub struct Claims(Arc<Mutex<HashMap<JobId, Held>>>);

struct Held {
    beat: Beat,
    read: ReadSoFar,
    lost: watch::Sender<Option<Loss>>,
}

/// Why a claim no longer owns its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Another claim owns the job, or the job expired.
    TakenOver,
    /// The job was cancelled, or its document was deleted.
    Unwanted,
}

impl From<Loss> for JobError {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::TakenOver => Self::Superseded,
            Loss::Unwanted => Self::Cancelled,
        }
    }
}

/// Keeps a claim alive until this value is dropped.
pub struct Alive {
    claims: Claims,
    job: JobId,
    token: ClaimToken,
    /// How much of the job's text the model has read. The heartbeat takes it along.
    pub read: ReadSoFar,
    lost: watch::Receiver<Option<Loss>>,
}

impl Alive {
    /// Waits until the claim no longer owns the job, and tells why.
    pub async fn lost(&self) -> Loss {
        let mut lost = self.lost.clone();
        let loss = lost.wait_for(Option::is_some).await.map(|loss| *loss);
        // The sender is dropped without a word only by a later claim of the same job.
        loss.ok().flatten().unwrap_or(Loss::TakenOver)
    }
}

impl Claims {
    /// Keeps a claim alive from now on. An earlier claim of the same job is lost: this worker took the job over from itself.
    pub fn hold(&self, key: JobKey, token: ClaimToken) -> Alive {
        let (sender, lost) = watch::channel(None);
        let read = ReadSoFar::default();
        let beat = Beat {
            key,
            token,
            progress: None,
        };
        let mut held = self.0.lock().expect("no holder panics");
        let of_job = Held {
            beat,
            read: read.clone(),
            lost: sender,
        };
        if let Some(earlier) = held.insert(key.job, of_job) {
            earlier.lost.send_replace(Some(Loss::TakenOver));
        }
        metrics::jobs_running(held.len());
        Alive {
            claims: self.clone(),
            job: key.job,
            token,
            read,
            lost,
        }
    }

    /// Sends heartbeats until aborted, which is after the drain, since claims live until then. Each shard has its own rhythm, so
    /// that a shard that is away costs no claim on the others.
    pub async fn run(self, shards: Shards, tick: impl Fn(usize) + Send) {
        let ticking = async {
            loop {
                let in_hand = self.0.lock().expect("no holder panics").len();
                tick(in_hand);
                tokio::time::sleep(CHECK_EVERY).await;
            }
        };
        let beating = shards
            .all()
            .map(|(_, shard)| self.keep_alive(&shards, shard.beside(CONNECTIONS)));
        futures::join!(ticking, future::join_all(beating));
    }

    async fn keep_alive(&self, shards: &Shards, shard: Database) {
        let mut beaten = Instant::now();
        loop {
            tokio::time::sleep(CHECK_EVERY).await;
            let map = shards.map();
            let here: Vec<Beat> = {
                let held = self.0.lock().expect("no holder panics");
                let here = held
                    .values()
                    .filter(|held| map.owner(held.beat.key.bucket).as_str() == shard.name());
                here.map(Held::beat).collect()
            };
            let beat = beaten.elapsed() >= HEARTBEAT_EVERY;
            if beat {
                beaten = Instant::now();
            }
            for chunk in here.chunks(FENCE_BUCKETS_MAX) {
                self.ask(&shard, chunk, beat).await;
            }
        }
    }

    /// Asks the shard which of these claims are lost; with `beat`, also keeps the others alive.
    async fn ask(&self, shard: &Database, beats: &[Beat], beat: bool) {
        let asked = async {
            if beat {
                failpoint!("worker.heartbeat");
                claims::heartbeat(shard, beats).await
            } else {
                claims::lost(shard, beats).await
            }
        };
        let lost = match tokio::time::timeout(HEARTBEAT_TIMEOUT, asked).await {
            Ok(Ok(lost)) => lost,
            Ok(Err(error)) => {
                metrics::heartbeat_failed(shard.name());
                tracing::warn!(error = telemetry::chain(&error), "a heartbeat failed");
                return;
            }
            Err(_) => {
                metrics::heartbeat_failed(shard.name());
                tracing::warn!(shard = shard.name(), "a heartbeat timed out");
                return;
            }
        };
        for lost in lost {
            let asked = beats.iter().filter(|beat| beat.key.job == lost.job());
            asked.for_each(|asked| self.lose(asked, lost.unwanted));
        }
    }

    /// Tells a claim that it is lost, unless a later claim of the same job has its place.
    fn lose(&self, asked: &Beat, unwanted: bool) {
        let loss = if unwanted { Loss::Unwanted } else { Loss::TakenOver };
        let held = self.0.lock().expect("no holder panics");
        if let Some(held) = held.get(&asked.key.job).filter(|held| held.beat.token == asked.token) {
            held.lost.send_replace(Some(loss));
        }
    }
}

impl Held {
    /// The claim's sign of life, with the job's progress now.
    fn beat(&self) -> Beat {
        Beat {
            progress: self.read.share(),
            ..self.beat
        }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let mut held = self.claims.0.lock().expect("no holder panics");
        if held.get(&self.job).is_some_and(|held| held.beat.token == self.token) {
            held.remove(&self.job);
        }
        metrics::jobs_running(held.len());
    }
}

#[cfg(test)]
mod tests {
    use docket_contract::sharding;
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_claim_that_a_worker_takes_over_from_itself_ends_the_earlier_run() {
        let claims = Claims::default();
        let key = JobKey {
            bucket: sharding::bucket_of(&"acme".parse().unwrap()),
            job: JobId::generate(),
        };
        let earlier = claims.hold(key, ClaimToken::generate());
        let later = claims.hold(key, ClaimToken::generate());
        assert_eq!(earlier.lost().now_or_never(), Some(Loss::TakenOver));
        assert_eq!(later.lost().now_or_never(), None);
        let held = || claims.0.lock().unwrap().len();
        drop(earlier);
        assert_eq!(held(), 1, "the later one is kept alive");
        drop(later);
        assert_eq!(held(), 0);
    }
}
