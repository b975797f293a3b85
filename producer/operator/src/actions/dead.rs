//! Failed and expired jobs on every shard: listed, shown, redriven, purged.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use docket_contract::ids::{ClientId, JobId, JobKey, ModelName, ShardName};
use docket_contract::state::JobState;
use docket_store::operate::dead::{self, Filter, Turn};
use docket_store::{Database, StoreError, within};
use futures::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::actions::reach::Reach;
use crate::actions::{OperateError, Operations, Unreached};
use docket_http::times;

/// Limit of jobs or messages that one request may name.
pub const IDS_MAX: usize = 1_000;
/// Default rate of a redrive, in jobs a second: a trickle beside the work of the day.
pub const RATE_DEFAULT: f64 = 10.0;
/// Rates of a redrive, in jobs a second. The slowest spreads a thousand jobs over three hours; the fastest spreads nothing.
pub const RATES: std::ops::RangeInclusive<f64> = 0.1..=10_000.0;
/// Longest reason, in bytes: twice as long as any reason of this release.
const REASON_LENGTH_MAX: usize = 64;
/// Jobs looked up at a time: few enough to be quick on every shard.
const PAGE: usize = 500;
/// Who redrove a job, in the job's history. Callers read the history, so only the audit names the operator.
const BY: &str = "an operator";

/// How a dead job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum DeadState {
    /// With an error.
    Failed,
    /// Because its deadline passed.
    Expired,
}

/// Which dead jobs are meant. An absent field does not restrict them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeadFilter {
    /// Only jobs of this client.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Only jobs that ended in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DeadState>,
    /// Only jobs with this kind of error.
    #[schema(examples("unreadable_document"))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "reason_if_any")]
    pub reason: Option<String>,
    /// Only jobs for this model, any version.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// Only jobs that ended before this time.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "times::optional")]
    pub ended_before: Option<Timestamp>,
    /// Only jobs that ended at this time or later.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "times::optional")]
    pub ended_after: Option<Timestamp>,
}

/// Checks a reason to filter by: every reason is a word of lower-case letters and underscores, and databases refuse NUL.
pub fn reason(text: &str) -> Result<String, String> {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if (1..=REASON_LENGTH_MAX).contains(&text.len()) && is_word(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "a reason must be 1 to {REASON_LENGTH_MAX} lower-case letters and underscores"
    ))
}

/// The same check for `serde`, with an absent reason allowed.
pub fn reason_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.as_deref().map(reason).transpose().map_err(de::Error::custom)
}

impl From<&DeadFilter> for Filter {
    fn from(filter: &DeadFilter) -> Self {
        Self {
            client: filter.client_id.clone(),
            state: filter.state.map(|state| match state {
                DeadState::Failed => JobState::Failed,
                DeadState::Expired => JobState::Expired,
            }),
            reason: filter.reason.clone(),
            model: filter.model.clone(),
            ended_before: filter.ended_before,
            ended_after: filter.ended_after,
        }
    }
}

/// A failed or expired job. Of its document there is only the id.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeadJob {
    /// The job.
    pub job_id: Uuid,
    /// Whose it is.
    pub client_id: String,
    /// Its document.
    pub document_id: Uuid,
    /// How it ended.
    pub state: DeadState,
    /// Kind of the error, when it failed.
    #[schema(examples("unreadable_document"))]
    pub reason: Option<String>,
    /// The error in a sentence.
    pub detail: Option<String>,
    /// The model that was to read the document, as `name` or `name@version`.
    #[schema(examples("ner-legal"))]
    pub model: String,
    /// How often it was begun.
    pub attempts: i32,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was begun, the last time.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The shard that it is on.
    pub shard: String,
}

impl DeadJob {
    fn new(job: dead::DeadJob, shard: &ShardName) -> Self {
        let (reason, detail) = job.error.unzip();
        Self {
            job_id: job.key.job.0,
            client_id: job.client.to_string(),
            document_id: job.document.0,
            // The list has only failed and expired jobs.
            state: if job.state == JobState::Expired {
                DeadState::Expired
            } else {
                DeadState::Failed
            },
            reason,
            detail,
            model: match job.model_version {
                Some(version) => format!("{}@{version}", job.model),
                None => job.model.to_string(),
            },
            attempts: job.attempts,
            created_at: job.created_at,
            started_at: job.started_at,
            ended_at: job.ended_at,
            shard: shard.to_string(),
        }
    }
}

/// A page of dead jobs, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeadJobs {
    /// The jobs.
    pub jobs: Vec<DeadJob>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<Uuid>,
    /// Shards that did not answer: theirs are missing.
    pub unreached: Vec<Unreached>,
}

/// A dead job and what happened to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeadJobWithHistory {
    /// The job.
    #[serde(flatten)]
    pub job: DeadJob,
    /// What happened to it, newest last; the newest 50 are kept. Each entry has `at` and `event`, and where there is one
    /// `worker` and `reason`.
    #[schema(value_type = Vec<Object>)]
    pub history: Value,
}

/// Which dead jobs an action changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Selection {
    /// The jobs with these ids.
    Jobs(Vec<Uuid>),
    /// The oldest jobs that match, at most this many; `None` is all of them.
    Matching(DeadFilter, Option<u64>),
}

impl Selection {
    fn target(&self) -> Value {
        match self {
            Self::Jobs(jobs) => json!({ "job_ids": jobs }),
            Self::Matching(filter, limit) => json!({ "filter": filter, "limit": limit }),
        }
    }
}

/// What an action came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Progress {
    /// Jobs that it changed.
    pub changed: u64,
    /// Whether more match than the limit let through.
    pub more: bool,
    /// Named jobs that were not changed: they are not dead, or no longer, or their shard did not answer.
    pub left: Vec<Uuid>,
    /// Shards that did not answer, or not to the end: the action is still to be done there.
    pub unreached: Vec<Unreached>,
}

#[derive(Clone, Copy)]
enum Action {
    /// This many jobs a second.
    Redrive(f64),
    Purge,
}

impl Operations {
    /// Dead jobs of every shard, newest first; only those older than `before`.
    pub async fn dead_jobs(
        &self,
        wanted: &DeadFilter,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<DeadJobs, OperateError> {
        let (filter, before) = (&Filter::from(wanted), before.map(JobId));
        let mut reach = Reach::of(&self.shards);
        let found = reach
            .ask(|shard| async move { dead::list(&shard, filter, before, limit as i64 + 1).await })
            .await;
        let mut jobs: Vec<DeadJob> = found
            .into_iter()
            .flat_map(|(name, jobs)| jobs.into_iter().map(move |job| DeadJob::new(job, &name)))
            .collect();
        jobs.sort_unstable_by_key(|job| Reverse(job.job_id));
        let more = jobs.len() > limit;
        jobs.truncate(limit);
        let unreached = reach.unreached()?;
        if jobs.is_empty() && unreached.is_empty() {
            self.must_know(wanted).await?;
        }
        Ok(DeadJobs {
            next_cursor: jobs.last().filter(|_| more).map(|job| job.job_id),
            jobs,
            unreached,
        })
    }

    /// A dead job, searched on every shard; `None` when no shard has a dead job with this id.
    pub async fn dead_job(&self, job: Uuid) -> Result<Option<DeadJobWithHistory>, OperateError> {
        let mut reach = Reach::of(&self.shards);
        let found = reach
            .ask(|shard| async move { dead::find(&shard, JobId(job)).await })
            .await;
        let found = found.into_iter().find_map(|(name, job)| Some((name, job?)));
        if let Some((name, (job, history))) = found {
            let job = DeadJob::new(job, &name);
            return Ok(Some(DeadJobWithHistory { job, history }));
        }
        match reach.unreached()? {
            unreached if unreached.is_empty() => Ok(None),
            unreached => Err(OperateError::PerhapsThere(unreached)),
        }
    }

    /// Sets dead jobs waiting again, oldest first, `rate` a second. Each job's due time is in its row, and so outlives this
    /// process.
    pub async fn redrive(&self, selection: Selection, rate: f64) -> Result<Progress, OperateError> {
        let mut target = selection.target();
        target["rate"] = rate.into();
        let act = self.work_through(selection, Action::Redrive(rate));
        self.audited("dead.redrive", target, act).await
    }

    /// Takes dead jobs out of the operators' lists. For their callers nothing changes.
    pub async fn purge(&self, selection: Selection) -> Result<Progress, OperateError> {
        let target = selection.target();
        let act = self.work_through(selection, Action::Purge);
        self.audited("dead.purge", target, act).await
    }

    async fn work_through(&self, selection: Selection, action: Action) -> Result<Progress, OperateError> {
        let reach = Reach::of(&self.shards);
        match selection {
            Selection::Jobs(jobs) => these(reach, &jobs, action).await,
            Selection::Matching(filter, limit) => {
                let progress = matching(reach, &Filter::from(&filter), limit, action).await?;
                if progress == Progress::default() {
                    self.must_know(&filter).await?;
                }
                Ok(progress)
            }
        }
    }
}

async fn these(mut reach: Reach, jobs: &[Uuid], action: Action) -> Result<Progress, OperateError> {
    let ids: Vec<JobId> = jobs.iter().copied().map(JobId).collect();
    let ids = ids.as_slice();
    let found = reach.ask(|shard| async move { dead::locate(&shard, ids).await }).await;
    let mut page = merge(found);
    let place = |key: &JobKey| jobs.iter().position(|job| *job == key.job.0);
    page.sort_by_cached_key(|(_, key)| place(key));
    let changed: HashSet<JobId> = apply(&mut reach, &page, 0, action).await.into_iter().collect();
    Ok(Progress {
        changed: changed.len() as u64,
        more: false,
        left: jobs
            .iter()
            .copied()
            .filter(|job| !changed.contains(&JobId(*job)))
            .collect(),
        unreached: reach.unreached()?,
    })
}

/// Goes through the matching jobs once, by age, so that a job that fails again meanwhile is not redriven for ever.
async fn matching(
    mut reach: Reach,
    filter: &Filter,
    limit: Option<u64>,
    action: Action,
) -> Result<Progress, OperateError> {
    let mut progress = Progress::default();
    let (mut taken, mut after) = (0, None);
    loop {
        let room = limit.map_or(PAGE, |limit| PAGE.min((limit - taken) as usize));
        let found = reach
            .ask(|shard| async move { dead::oldest(&shard, filter, after, room as i64 + 1).await })
            .await;
        let mut page = merge(found);
        progress.more = page.len() > room;
        page.truncate(room);
        let changed = apply(&mut reach, &page, taken, action).await;
        progress.changed += changed.len() as u64;
        taken += page.len() as u64;
        after = page.last().map(|(_, key)| key.job);
        if !progress.more || Some(taken) == limit {
            break;
        }
    }
    progress.unreached = reach.unreached()?;
    Ok(progress)
}

/// Merges what the shards found into one list by age.
fn merge(found: Vec<(ShardName, Vec<JobKey>)>) -> Vec<(ShardName, JobKey)> {
    let pairs = found
        .into_iter()
        .flat_map(|(name, keys)| keys.into_iter().map(move |key| (name.clone(), key)));
    let mut merged: Vec<_> = pairs.collect();
    merged.sort_unstable_by_key(|(_, key)| key.job);
    merged
}

/// Applies the action to a page of jobs, whose first job is number `first` of all; returns the changed jobs.
async fn apply(reach: &mut Reach, page: &[(ShardName, JobKey)], first: u64, action: Action) -> Vec<JobId> {
    let mut turns = BTreeMap::<&ShardName, Vec<Turn>>::new();
    for (place, (name, key)) in (first..).zip(page) {
        turns.entry(name).or_default().push((*key, action.turn(place)));
    }
    let all = turns.into_iter().filter_map(|(name, turns)| {
        let shard = reach.shard(name)?.clone();
        Some(async move { (name, on_shard(&shard, turns, action).await) })
    });
    let mut changed = Vec::new();
    for (name, (jobs, error)) in join_all(all).await {
        changed.extend(jobs);
        if let Some(error) = error {
            reach.lose(name, error);
        }
    }
    changed
}

/// Runs one transaction after the other; returns what was committed even if a later one fails.
async fn on_shard(shard: &Database, mut turns: Vec<Turn>, action: Action) -> (Vec<JobId>, Option<StoreError>) {
    turns.sort_unstable_by_key(|(key, _)| *key);
    let keys: Vec<JobKey> = turns.iter().map(|(key, _)| *key).collect();
    let (mut changed, mut begun) = (Vec::new(), 0);
    while begun < keys.len() {
        let end = begun + dead::together(&keys[begun..]).len();
        let batch = match action {
            Action::Redrive(_) => within(dead::redrive(shard, &turns[begun..end], BY)).await,
            Action::Purge => within(dead::purge(shard, &keys[begun..end])).await,
        };
        match batch {
            Ok(jobs) => changed.extend(jobs),
            Err(error) => return (changed, Some(error)),
        }
        begun = end;
    }
    (changed, None)
}

impl Action {
    /// The delay until the job at this place is due.
    fn turn(self, place: u64) -> Duration {
        match self {
            Self::Redrive(rate) => Duration::from_secs_f64(place as f64 / rate),
            Self::Purge => Duration::ZERO,
        }
    }
}
