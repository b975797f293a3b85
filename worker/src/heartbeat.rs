//! The worker's claims: it says every few seconds that they are alive, one statement a shard, and learns which it lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docket_shared::ids::{ClaimToken, JobId, JobKey};
use docket_shared::store::claims::{self, HEARTBEAT_EVERY};
use docket_shared::store::fence::FENCE_BUCKETS_MAX;
use docket_shared::store::{Database, Shards};
use docket_shared::{metrics, telemetry};
use tokio_util::sync::CancellationToken;

/// A shard that takes no heartbeat in this time is tried again at the next one.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(4);

/// Claims that are alive; clones share them.
#[derive(Clone, Default)]
pub struct Claims(Arc<Mutex<HashMap<JobId, Held>>>);

struct Held {
    key: JobKey,
    token: ClaimToken,
    lost: CancellationToken,
}

/// Keeps a claim alive until it is dropped.
pub struct Alive {
    claims: Claims,
    job: JobId,
    token: ClaimToken,
    /// Cancelled when another claim took the job over.
    pub lost: CancellationToken,
}

impl Claims {
    /// Keeps a claim alive from now on.
    pub fn hold(&self, key: JobKey, token: ClaimToken) -> Alive {
        let lost = CancellationToken::new();
        let mut held = self.0.lock().expect("no holder panics");
        held.insert(
            key.job,
            Held {
                key,
                token,
                lost: lost.clone(),
            },
        );
        metrics::jobs_running(held.len());
        Alive {
            claims: self.clone(),
            job: key.job,
            token,
            lost,
        }
    }

    /// Heartbeats until it is aborted, which is after the drain: claims live through it.
    pub async fn run(self, shards: Shards, tick: impl Fn() + Send) {
        loop {
            tokio::time::sleep(HEARTBEAT_EVERY).await;
            tick();
            let held: Vec<(JobKey, ClaimToken)> = {
                let held = self.0.lock().expect("no holder panics");
                held.values().map(|held| (held.key, held.token)).collect()
            };
            for (_, shard) in shards.all() {
                let map = shards.map();
                let here: Vec<_> = held
                    .iter()
                    .filter(|(key, _)| map.owner(key.bucket).as_str() == shard.name())
                    .copied()
                    .collect();
                for chunk in here.chunks(FENCE_BUCKETS_MAX) {
                    self.beat(shard, chunk).await;
                }
            }
        }
    }

    async fn beat(&self, shard: &Database, claims: &[(JobKey, ClaimToken)]) {
        let lost = tokio::time::timeout(HEARTBEAT_TIMEOUT, claims::heartbeat(shard, claims)).await;
        let lost = match lost {
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
        for (key, token) in claims.iter().filter(|(key, _)| lost.contains(&key.job)) {
            let held = self.0.lock().expect("no holder panics");
            if let Some(held) = held.get(&key.job).filter(|held| held.token == *token) {
                held.lost.cancel();
            }
        }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let mut held = self.claims.0.lock().expect("no holder panics");
        if held.get(&self.job).is_some_and(|held| held.token == self.token) {
            held.remove(&self.job);
        }
        metrics::jobs_running(held.len());
    }
}
