//! Back-pressure: how many jobs a client and a shard may have that have not ended. Past that, new ones are refused with a
//! time to come back, before a byte of them is read; what was accepted is not touched.
//!
//! The counts are as of a moment ago: a limit is where refusing begins, not a quota. They are exceeded by what all replicas
//! together accept meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use docket_shared::config::{ConfigError, Env, Setting};
use docket_shared::ids::{Bucket, ClientId};
use docket_shared::store::{Shards, backlog};

use super::auth::Caller;
use super::error::{ApiError, Kind};

/// Limit of a client.
pub const CLIENT_MAX: Setting = Setting::with_default(
    "DOCKET_BACKLOG_CLIENT_MAX",
    "100000",
    "jobs of one client that may be open; past it, uploads are answered 429",
);
/// Limit of a shard.
pub const SHARD_MAX: Setting = Setting::with_default(
    "DOCKET_BACKLOG_SHARD_MAX",
    "2000000",
    "jobs on one shard that may be open; past it, uploads of its clients are answered 503",
);

/// How long a count is believed.
const GOOD_FOR: Duration = Duration::from_secs(2);
/// Clients whose counts are kept, before those that are believed no more are dropped.
const CLIENTS_KEPT: usize = 10_000;
/// When a refused caller may come back: a full backlog takes longer, but some of it is done by then.
pub const RETRY_AFTER: Duration = Duration::from_secs(10);
/// The headers of draft-ietf-httpapi-ratelimit-headers-11. Jobs that have not ended are what it calls concurrent requests.
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Where refusing begins.
#[derive(Debug, Clone, Copy)]
pub struct BacklogConfig {
    /// Open jobs of a client.
    pub client_max: u32,
    /// Open jobs of a shard.
    pub shard_max: u64,
}

impl BacklogConfig {
    /// Reads and checks the settings of this file.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            client_max: env.within(&CLIENT_MAX, 1..=10_000_000)?,
            shard_max: env.within(&SHARD_MAX, 1..=1_000_000_000)?,
        })
    }
}

/// What was counted; clones share it.
#[derive(Clone)]
pub struct Backlogs {
    config: BacklogConfig,
    seen: Arc<Mutex<HashMap<ClientId, Seen>>>,
}

/// A client's count, with those of its jobs that this process has accepted since.
#[derive(Debug, Clone, Copy)]
struct Seen {
    jobs: u64,
    of_shard: u64,
    at: Instant,
}

impl Backlogs {
    /// Nothing was counted yet.
    pub fn new(config: BacklogConfig) -> Self {
        Self {
            config,
            seen: Arc::default(),
        }
    }

    /// Refuses a new job where there is too much.
    pub async fn admit(&self, shards: &Shards, caller: &Caller) -> Result<(), ApiError> {
        let seen = match self.fresh(&caller.client) {
            Some(seen) => seen,
            None => self.count(shards, caller.bucket, &caller.client).await?,
        };
        let client_max = self.config.client_max;
        if seen.jobs >= client_max.into() {
            let detail = format!("{client_max} jobs of this client have not ended yet; come back when some have.");
            return Err(ApiError::new(Kind::BacklogFull, detail));
        }
        if seen.of_shard >= self.config.shard_max {
            let detail = "The service has as much work as it takes; what was accepted is being done.";
            return Err(ApiError::new(Kind::Overloaded, detail));
        }
        Ok(())
    }

    /// Counts jobs that this process accepted.
    pub fn accepted(&self, client: &ClientId, jobs: usize) {
        let mut all = self.seen.lock().expect("no holder panics");
        if let Some(seen) = all.get_mut(client) {
            seen.jobs += jobs as u64;
        }
    }

    /// Tells a client how much more it may send, as far as it is known.
    pub fn add_headers(&self, client: &ClientId, headers: &mut HeaderMap) {
        let Some(seen) = self.fresh(client) else { return };
        let most = u64::from(self.config.client_max);
        let left = most.saturating_sub(seen.jobs);
        let retry = if left == 0 {
            format!(";t={}", RETRY_AFTER.as_secs())
        } else {
            String::new()
        };
        for (name, value) in [
            (
                RATELIMIT_POLICY,
                format!(r#""backlog";q={most};qu="concurrent-requests""#),
            ),
            (RATELIMIT, format!(r#""backlog";r={left}{retry}"#)),
        ] {
            headers.insert(
                name,
                HeaderValue::try_from(value).expect("numbers and names are a header's value"),
            );
        }
    }

    fn fresh(&self, client: &ClientId) -> Option<Seen> {
        let all = self.seen.lock().expect("no holder panics");
        all.get(client).copied().filter(|seen| seen.at.elapsed() < GOOD_FOR)
    }

    async fn count(&self, shards: &Shards, bucket: Bucket, client: &ClientId) -> Result<Seen, ApiError> {
        let at = Instant::now();
        let mut tx = shards.begin(bucket).await?;
        let jobs = backlog::of_client(&mut tx, bucket, client, self.config.client_max.into()).await?;
        let of_shard = backlog::of_shard(&mut tx).await?;
        drop(tx);
        let seen = Seen {
            jobs: jobs.unsigned_abs(),
            of_shard: of_shard.unsigned_abs(),
            at,
        };
        let mut all = self.seen.lock().expect("no holder panics");
        if all.len() >= CLIENTS_KEPT {
            all.retain(|_, seen| seen.at.elapsed() < GOOD_FOR);
        }
        all.insert(client.clone(), seen);
        Ok(seen)
    }
}
