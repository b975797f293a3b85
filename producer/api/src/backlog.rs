//! Back-pressure: limits the open jobs of a client and of a shard. Beyond a limit, new jobs are refused with a time to come back,
//! before a byte of them is read; accepted jobs are not touched.
//!
//! A shard's limit counts jobs that are due now or within minutes. A client may have at most as many due jobs as are still free
//! on its shard: one greedy client fills half of the shard, n of them leave an (n + 1)th of it, and a few cannot lock out the
//! others. Deferred jobs are no work yet. They have a limit per client, so that few rows wait for up to a year, and are refused
//! where they would fill the shard once all of them are due.
//!
//! The counts are up to 2 s old: a limit is where refusing begins, not a quota. All replicas together may exceed a limit by what
//! they accept meanwhile.

use crate::kinds;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use docket_contract::ids::{Bucket, ClientId};
use docket_process::settings::{ConfigError, Env, Setting};
use docket_store::Shards;
use docket_store::work::backlog::{self, DEFERRED_AFTER, Open};
use docket_store::work::jobs::Schedule;
use jiff::{SignedDuration, Timestamp};

use docket_http::caller::Caller;
use docket_http::problem::{ApiError, Kind};

/// Limit of open jobs of a client.
pub const CLIENT_MAX: Setting = Setting::with_default(
    "DOCKET_BACKLOG_CLIENT_MAX",
    "100000",
    "most open jobs of one client; beyond this number, the client's uploads are answered 429",
);
/// Limit of due jobs of a shard.
pub const SHARD_MAX: Setting = Setting::with_default(
    "DOCKET_BACKLOG_SHARD_MAX",
    "2000000",
    "most open jobs on one shard that are due; a full shard answers every upload 503; a client with as many due jobs \
     as the shard has places left is answered 429, so that no client fills the shard alone",
);
/// Limit of deferred jobs of a client.
pub const DEFERRED_MAX: Setting = Setting::with_default(
    "DOCKET_BACKLOG_DEFERRED_MAX",
    "20000",
    "most jobs of one client with a `not_before` more than ten minutes ahead; beyond this number, such uploads are \
     answered 429",
);

/// How long a count is used.
const GOOD_FOR: Duration = Duration::from_secs(2);
/// Clients whose counts are kept before outdated counts are dropped.
const CLIENTS_KEPT: usize = 10_000;
/// Headers of draft-ietf-httpapi-ratelimit-headers-11. Jobs that have not ended count as the draft's concurrent requests.
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The limits at which refusing begins.
#[derive(Debug, Clone, Copy)]
pub struct BacklogConfig {
    /// Limit of open jobs of a client, deferred ones included.
    pub client_max: u32,
    /// Limit of open jobs of a shard that are due.
    pub shard_max: u64,
    /// Limit of deferred jobs of a client.
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

/// The latest counts by client; clones share them.
#[derive(Clone)]
pub struct Backlogs {
    config: BacklogConfig,
    seen: Arc<Mutex<HashMap<ClientId, Seen>>>,
}

/// The open jobs of a client, with those that this process accepted since the count, and of its shard.
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

/// Whether a job with this schedule is deferred.
pub fn is_deferred(schedule: &Schedule, now: Timestamp) -> bool {
    let after = SignedDuration::try_from(DEFERRED_AFTER).expect("minutes are a duration");
    schedule
        .not_before
        .is_some_and(|not_before| not_before.duration_since(now) > after)
}

impl Backlogs {
    /// Backlogs without a count yet.
    pub fn new(config: BacklogConfig) -> Self {
        Self {
            config,
            seen: Arc::default(),
        }
    }

    /// Refuses a new job when the client or the shard is at its limit.
    pub async fn admit(&self, shards: &Shards, caller: &Caller) -> Result<(), ApiError> {
        let seen = self.look(shards, caller).await?;
        let (jobs, free) = (seen.jobs, self.config.free(&seen));
        let client_max = self.config.client_max;
        if jobs >= client_max.into() {
            let detail = format!(
                "{jobs} jobs of this client have not ended, and {client_max} may be open ({}); come back when some have.",
                CLIENT_MAX.name
            );
            return Err(ApiError::new(kinds::BACKLOG_FULL, detail));
        }
        if free == 0 {
            let detail = format!(
                "The service has as much work as it takes, {} jobs ({}); what was accepted is being done.",
                self.config.shard_max, SHARD_MAX.name
            );
            return Err(ApiError::new(Kind::OVERLOADED, detail));
        }
        if seen.due() >= free {
            let detail = format!(
                "{} due jobs of this client have not ended, and there is room for {free} more of all clients ({}): none may \
                 have more than is left for the others; come back when some have.",
                seen.due(),
                SHARD_MAX.name
            );
            return Err(ApiError::new(kinds::BACKLOG_FULL, detail));
        }
        Ok(())
    }

    /// Refuses a new deferred job when too many are deferred. Call [`Self::admit`] before.
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
            return Err(ApiError::new(kinds::BACKLOG_FULL, detail));
        }
        if deferred >= free {
            let detail = format!(
                "{deferred} jobs of this client wait for a not_before far ahead, and there is room for {free} more of all \
                 clients ({}); send more when it is nearer.",
                SHARD_MAX.name
            );
            return Err(ApiError::new(kinds::BACKLOG_FULL, detail));
        }
        Ok(())
    }

    /// Adds jobs that this process accepted to the client's count; `deferred` of them are deferred.
    pub fn accepted(&self, client: &ClientId, jobs: usize, deferred: usize) {
        let mut all = self.seen.lock().expect("no holder panics");
        if let Some(seen) = all.get_mut(client) {
            seen.jobs += jobs as u64;
            seen.deferred += deferred as u64;
        }
    }

    /// Tells a client how many more jobs it may send, if a count is known.
    pub fn add_headers(&self, client: &ClientId, headers: &mut HeaderMap) {
        let Some(seen) = self.known(client) else { return };
        let most = u64::from(self.config.client_max);
        let of_shard = self.config.free(&seen).saturating_sub(seen.due());
        let left = most.saturating_sub(seen.jobs).min(of_shard);
        let retry = if left == 0 {
            format!(";t={}", kinds::BACKLOG_RETRY_AFTER.as_secs())
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

    /// The last count, while it is used. The caller that finds it too old counts anew, and all others use the old count
    /// meanwhile, so that a client's many uploads do not each count its backlog.
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
    /// How many more due jobs the shard takes.
    fn free(&self, seen: &Seen) -> u64 {
        self.shard_max.saturating_sub(seen.shard_due)
    }
}
