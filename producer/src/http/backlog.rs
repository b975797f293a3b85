//! Back-pressure: how many jobs a client and a shard may have that have not ended. Past that, new ones are refused with a
//! time to come back, before a byte of them is read; what was accepted is not touched.
//!
//! A shard's limit counts what can be done now or within minutes, and a client may have at most as many jobs as are still
//! free there: one greedy client fills half of a shard, n of them leave a (n + 1)th of it, and nobody is turned away by a few.
//! Deferred jobs are no work yet. They have a limit of their own a client, so that few rows wait for up to a year, and are
//! refused where they would fill the shard once all of them are due.
//!
//! The counts are as of a moment ago: a limit is where refusing begins, not a quota. They are exceeded by what all replicas
//! together accept meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use docket_shared::config::{ConfigError, Env, Setting};
use docket_shared::ids::{Bucket, ClientId};
use docket_shared::store::Shards;
use docket_shared::store::backlog::{self, DEFERRED_AFTER, Open};
use docket_shared::store::jobs::Schedule;
use jiff::{SignedDuration, Timestamp};

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
    "jobs on one shard that may be open and due; a client may have as many as are left, past which its uploads are answered \
     429, and when none is left all are answered 503",
);
/// Limit of a client's deferred jobs.
pub const DEFERRED_MAX: Setting = Setting::with_default(
    "DOCKET_BACKLOG_DEFERRED_MAX",
    "20000",
    "jobs of one client that may wait for a `not_before` more than ten minutes ahead; past it, more of them are answered 429",
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
    /// Open jobs of a shard that are due.
    pub shard_max: u64,
    /// Deferred jobs of a client.
    pub deferred_max: u32,
}

impl BacklogConfig {
    /// Reads and checks the settings of this file.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            client_max: env.within(&CLIENT_MAX, 1..=10_000_000)?,
            shard_max: env.within(&SHARD_MAX, 1..=1_000_000_000)?,
            deferred_max: env.within(&DEFERRED_MAX, 1..=10_000_000)?,
        })
    }
}

/// What was counted; clones share it.
#[derive(Clone)]
pub struct Backlogs {
    config: BacklogConfig,
    seen: Arc<Mutex<HashMap<ClientId, Seen>>>,
}

/// What is open of a client, with what this process has accepted since it was counted, and of its shard.
#[derive(Debug, Clone, Copy)]
struct Seen {
    jobs: u64,
    deferred: u64,
    shard_due: u64,
    shard_deferred: u64,
    at: Instant,
}

impl Seen {
    /// The client's jobs that are due.
    fn due(&self) -> u64 {
        self.jobs.saturating_sub(self.deferred)
    }
}

/// Whether a job that is scheduled like this is deferred.
pub fn is_deferred(schedule: &Schedule, now: Timestamp) -> bool {
    let after = SignedDuration::try_from(DEFERRED_AFTER).expect("minutes are a duration");
    schedule
        .not_before
        .is_some_and(|not_before| not_before.duration_since(now) > after)
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
        let seen = self.look(shards, caller).await?;
        let (jobs, free) = (seen.jobs, self.config.free(&seen));
        let client_max = self.config.client_max;
        if jobs >= client_max.into() {
            let detail = format!(
                "{jobs} jobs of this client have not ended, and {client_max} may be open ({}); come back when some have.",
                CLIENT_MAX.name
            );
            return Err(ApiError::new(Kind::BacklogFull, detail));
        }
        if free == 0 {
            let detail = format!(
                "The service has as much work as it takes, {} jobs ({}); what was accepted is being done.",
                self.config.shard_max, SHARD_MAX.name
            );
            return Err(ApiError::new(Kind::Overloaded, detail));
        }
        if seen.due() >= free {
            let detail = format!(
                "{} due jobs of this client have not ended, and there is room for {free} more of all clients ({}): none may \
                 have more than is left for the others; come back when some have.",
                seen.due(),
                SHARD_MAX.name
            );
            return Err(ApiError::new(Kind::BacklogFull, detail));
        }
        Ok(())
    }

    /// Refuses a new job that is deferred where too many are. It was admitted as a job before.
    pub async fn admit_deferred(&self, shards: &Shards, caller: &Caller) -> Result<(), ApiError> {
        let seen = self.look(shards, caller).await?;
        let (deferred, deferred_max) = (seen.deferred, self.config.deferred_max);
        let free = self.config.free(&seen).saturating_sub(seen.shard_deferred);
        if deferred >= deferred_max.into() {
            let detail = format!(
                "{deferred} jobs of this client wait for a not_before far ahead, and {deferred_max} may ({}); send more \
                 when it is nearer.",
                DEFERRED_MAX.name
            );
            return Err(ApiError::new(Kind::BacklogFull, detail));
        }
        if deferred >= free {
            let detail = format!(
                "{deferred} jobs of this client wait for a not_before far ahead, and there is room for {free} more of all \
                 clients ({}); send more when it is nearer.",
                SHARD_MAX.name
            );
            return Err(ApiError::new(Kind::BacklogFull, detail));
        }
        Ok(())
    }

    /// Counts jobs that this process accepted, some of them deferred.
    pub fn accepted(&self, client: &ClientId, jobs: usize, deferred: usize) {
        let mut all = self.seen.lock().expect("no holder panics");
        if let Some(seen) = all.get_mut(client) {
            seen.jobs += jobs as u64;
            seen.deferred += deferred as u64;
        }
    }

    /// Tells a client how much more it may send, as far as it is known.
    pub fn add_headers(&self, client: &ClientId, headers: &mut HeaderMap) {
        let Some(seen) = self.known(client) else { return };
        let most = u64::from(self.config.client_max);
        let of_shard = self.config.free(&seen).saturating_sub(seen.due());
        let left = most.saturating_sub(seen.jobs).min(of_shard);
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

    fn known(&self, client: &ClientId) -> Option<Seen> {
        let all = self.seen.lock().expect("no holder panics");
        all.get(client).copied()
    }

    async fn look(&self, shards: &Shards, caller: &Caller) -> Result<Seen, ApiError> {
        match self.fresh(&caller.client) {
            Some(seen) => Ok(seen),
            None => self.count(shards, caller.bucket, &caller.client).await,
        }
    }

    /// The last count while it is believed. Whoever finds it too old counts anew, and the others go by it meanwhile: a
    /// client with many uploads must not have its backlog counted by each of them.
    fn fresh(&self, client: &ClientId) -> Option<Seen> {
        let mut all = self.seen.lock().expect("no holder panics");
        let seen = all.get_mut(client)?;
        if seen.at.elapsed() < GOOD_FOR {
            return Some(*seen);
        }
        seen.at = Instant::now();
        None
    }

    async fn count(&self, shards: &Shards, bucket: Bucket, client: &ClientId) -> Result<Seen, ApiError> {
        let at = Instant::now();
        let most = Open {
            jobs: self.config.client_max.into(),
            deferred: self.config.deferred_max.into(),
        };
        let mut tx = shards.begin(bucket).await?;
        let own = backlog::of_client(&mut tx, (bucket, client), most).await?;
        let of_shard = backlog::of_shard(&mut tx).await?;
        drop(tx);
        let seen = Seen {
            jobs: own.jobs.unsigned_abs(),
            deferred: own.deferred.unsigned_abs(),
            shard_due: (of_shard.jobs - of_shard.deferred).max(0).unsigned_abs(),
            shard_deferred: of_shard.deferred.unsigned_abs(),
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

impl BacklogConfig {
    /// How many more jobs a shard takes.
    fn free(&self, seen: &Seen) -> u64 {
        self.shard_max.saturating_sub(seen.shard_due)
    }
}
