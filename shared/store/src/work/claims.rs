//! Claims: one worker's right to finish a job. The newest claim wins; an older one can finish nothing any more.

use std::time::Duration;

use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::rows::{column, seconds, undecodable};
use crate::shards::keys::buckets_of;
use crate::sql::{Statement, sql};
use crate::work::results::{self, Ending, Failure};
use crate::{Database, FencedTx, Shards, StoreError};
use docket_contract::ids::{ClaimToken, DocumentId, InvalidName, JobId, JobKey};
use docket_contract::job::Priority;
use docket_contract::object_key::BlobKey;
use docket_contract::page_ranges::InvalidPages;
use docket_contract::reason::Reason;
use docket_contract::state::{Event, JobState};

pub use crate::work::granted_claim::{Claim, HEARTBEAT_EVERY, POISON_CRASHES, SUSPECT_CRASHES, TAKEOVER_AFTER};

/// The answer to a worker that asks for a job.
#[derive(Debug)]
pub enum Answer {
    /// The job is the worker's.
    Granted(Box<Claim>),
    /// The job has no dispatch row: it ended, or never was.
    Ended,
    /// The job is not due yet. A dispatcher will publish it again.
    NotDue,
    /// The job's client or model is paused. A dispatcher will publish it again.
    Paused,
    /// The job's deadline had passed, and the job was just ended for it.
    Expired,
    /// Another claim is alive.
    RunningElsewhere,
    /// The job crashed workers before: ask again with nothing else running.
    Suspect,
    /// The job crashed workers while it ran alone, and was just failed for it.
    Poison,
}

/// What the statement says of the job: whether a claim was granted, which then has an attempt, or what forbade it.
#[derive(FromRow)]
struct Row {
    late: bool,
    early: bool,
    paused: bool,
    alive: bool,
    poison: bool,
    suspect: bool,
    last_token: Option<Uuid>,
    attempt: Option<i32>,
    errors: Option<i32>,
    tried_for: Option<f64>,
    awaited: f64,
    due: f64,
    is_scan: bool,
    priority: String,
    client_id: String,
    document_id: Uuid,
    blob_key: String,
    file_name: Option<String>,
    media_type: String,
    pages: Option<String>,
    depth: i16,
    size_bytes: i64,
    model: String,
    model_version: Option<String>,
}

/// Who asks, and how.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Name of the worker, for the history.
    pub worker: &'a str,
    /// The token that the claim will carry. Asking again with the same token continues the claim.
    pub token: ClaimToken,
    /// Whether nothing else runs on this worker.
    pub alone: bool,
}

/// Asks for a job.
pub async fn claim(shards: &Shards, key: JobKey, asker: Asker<'_>) -> Result<Answer, StoreError> {
    let query = sql!("work/claim")
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(asker.token.0)
        .bind(asker.worker)
        .bind(asker.alone)
        .bind(seconds(TAKEOVER_AFTER));
    let query = query
        .bind(SUSPECT_CRASHES)
        .bind(POISON_CRASHES)
        .bind(Event::Crashed.entry(None, None))
        .bind(Event::Claimed.entry(Some(asker.worker), None))
        .bind(Event::Postponed.entry(None, None))
        .bind(Reason::OcrBusy.as_str());
    let mut tx = shards.begin(key.bucket).await?;
    let row = tx.optional(query).await?;
    let answer = answer(&mut tx, key, asker, row).await?;
    tx.commit().await?;
    Ok(answer)
}

/// A time that the database counted in seconds; zero where its clock was set back.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// What the worker is told. Ends a job that has expired or is poison.
async fn answer(tx: &mut FencedTx, key: JobKey, asker: Asker<'_>, row: Option<Row>) -> Result<Answer, StoreError> {
    let Some(row) = row else { return Ok(Answer::Ended) };
    if let (Some(attempt), Some(errors)) = (row.attempt, row.errors) {
        let invalid = |error: InvalidName| tx.failed(undecodable(error));
        return Ok(Answer::Granted(Box::new(Claim {
            key,
            token: asker.token,
            attempt,
            errors,
            tried_for: duration(row.tried_for.unwrap_or_default()),
            awaited: duration(row.awaited),
            due: duration(row.due),
            is_scan: row.is_scan,
            priority: Priority::parse(&row.priority).unwrap_or_default(),
            client: row.client_id.parse().map_err(invalid)?,
            document: DocumentId(row.document_id),
            blob: BlobKey::from_stored(row.blob_key),
            file_name: row.file_name,
            media_type: row.media_type,
            pages: row
                .pages
                .map(|pages| pages.parse())
                .transpose()
                .map_err(|error: InvalidPages| tx.failed(undecodable(error)))?,
            depth: row.depth,
            size_bytes: row.size_bytes,
            model: row.model.parse().map_err(invalid)?,
            model_version: row
                .model_version
                .map(|version| version.parse())
                .transpose()
                .map_err(invalid)?,
        })));
    }
    if row.late {
        results::expire(tx, &[key]).await?;
        return Ok(Answer::Expired);
    }
    if row.early {
        return Ok(Answer::NotDue);
    }
    if row.paused {
        return Ok(Answer::Paused);
    }
    if row.alive {
        return Ok(Answer::RunningElsewhere);
    }
    if row.poison {
        let poison = Ending::Failed(Failure::poison());
        results::end(tx, key, row.last_token.map(ClaimToken), &poison).await?;
        return Ok(Answer::Poison);
    }
    debug_assert!(row.suspect, "a claim is refused for one of six reasons");
    Ok(Answer::Suspect)
}

/// A claim's sign of life.
#[derive(Debug, Clone, Copy)]
pub struct Beat {
    /// The claimed job.
    pub key: JobKey,
    /// The claim.
    pub token: ClaimToken,
    /// The share of the job's text that the model has read, 0 to 1; `None` until that is known.
    pub progress: Option<f32>,
}

/// A job whose claim is no longer the one that was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Lost {
    job_id: Uuid,
    /// Whether nobody wants the job's result any more: the job was cancelled, or its document is gone. Otherwise the claim was
    /// taken over, or the job expired or ended.
    pub unwanted: bool,
}

impl Lost {
    /// The job.
    pub fn job(&self) -> JobId {
        JobId(self.job_id)
    }
}

/// Says that claims are alive, and how far their jobs are. Returns the jobs whose claim is no longer this one: taken over,
/// cancelled, expired, ended. A job whose bucket is just moving is not among them. At most
/// [`crate::shards::fence::FENCE_BUCKETS_MAX`] buckets at a time.
pub async fn heartbeat(shard: &Database, beats: &[Beat]) -> Result<Vec<Lost>, StoreError> {
    let (mut tx, here) = of_this_shard(shard, beats).await?;
    let query = bound(sql!("work/heartbeat"), &here).bind(column(&here, |beat| beat.progress));
    let lost = tx.all(query).await?;
    tx.commit().await?;
    Ok(lost)
}

/// Returns the same as [`heartbeat`], and writes nothing.
pub async fn lost(shard: &Database, beats: &[Beat]) -> Result<Vec<Lost>, StoreError> {
    let (mut tx, here) = of_this_shard(shard, beats).await?;
    let lost = tx.all(bound(sql!("work/claims_lost"), &here)).await?;
    tx.commit().await?;
    Ok(lost)
}

/// Begins a transaction on a shard, with those of the claims whose buckets it owns.
async fn of_this_shard(shard: &Database, beats: &[Beat]) -> Result<(FencedTx, Vec<Beat>), StoreError> {
    let keys: Vec<JobKey> = beats.iter().map(|beat| beat.key).collect();
    let (tx, owned) = shard.begin_owned(&buckets_of(&keys)).await?;
    let here = beats.iter().filter(|beat| owned.contains(&beat.key.bucket));
    Ok((tx, here.copied().collect()))
}

fn bound(statement: Statement, beats: &[Beat]) -> Statement {
    statement
        .bind(column(beats, |beat| beat.key.bucket.number()))
        .bind(column(beats, |beat| beat.key.job.0))
        .bind(column(beats, |beat| beat.token.0))
}

/// Sets a job waiting again after an error that may pass. `false` when the claim is no longer the job's.
pub async fn wait_again(shards: &Shards, claim: &Claim, delay: Duration, reason: &str) -> Result<bool, StoreError> {
    let waiting = Leaving {
        to: JobState::Waiting,
        delay: Some(delay),
        attempts_back: 0,
        errors: 1,
        tried: true,
        entry: Event::Errored.entry(None, Some(reason)),
    };
    leave(shards, claim.key, claim.token, waiting).await
}

/// Sets a job waiting again because something that it needs is overloaded or away. Neither the attempt nor an error is
/// counted. `false` when the claim is no longer the job's.
pub async fn postpone(shards: &Shards, claim: &Claim, delay: Duration, reason: &str) -> Result<bool, StoreError> {
    let waiting = Leaving {
        to: JobState::Waiting,
        delay: Some(delay),
        attempts_back: 1,
        errors: 0,
        tried: true,
        entry: Event::Postponed.entry(None, Some(reason)),
    };
    leave(shards, claim.key, claim.token, waiting).await
}

/// Sets a job waiting for its turn among scans. Nothing is counted, not even the time: the work of others is no fault.
/// `false` when the claim is no longer the job's.
pub async fn await_turn(shards: &Shards, claim: &Claim, delay: Duration) -> Result<bool, StoreError> {
    let waiting = Leaving {
        to: JobState::Waiting,
        delay: Some(delay),
        attempts_back: 1,
        errors: 0,
        tried: false,
        entry: Event::Postponed.entry(None, Some(Reason::OcrBusy.as_str())),
    };
    leave(shards, claim.key, claim.token, waiting).await
}

/// Gives a job back because its worker stops, or could not tell the shard what became of the job. The attempt is not
/// counted. A worker that stops must do this before it returns the message; otherwise the next claim would find the job
/// running. `false` when the claim is no longer the job's.
pub async fn give_back(shards: &Shards, key: JobKey, token: ClaimToken) -> Result<bool, StoreError> {
    let queued = Leaving {
        to: JobState::Queued,
        delay: None,
        attempts_back: 1,
        errors: 0,
        tried: false,
        entry: Event::GivenBack.entry(None, None),
    };
    leave(shards, key, token, queued).await
}

/// How a claim leaves its job without ending it.
struct Leaving {
    /// Waiting, or queued when the job's message goes back to the queue.
    to: JobState,
    /// Until the job is due. Without a delay that stays as it is.
    delay: Option<Duration>,
    /// Attempts that do not count.
    attempts_back: i32,
    /// Errors that count.
    errors: i32,
    /// Whether the time in which the job is tried begins.
    tried: bool,
    /// Entry of the history.
    entry: Value,
}

async fn leave(shards: &Shards, key: JobKey, token: ClaimToken, leaving: Leaving) -> Result<bool, StoreError> {
    let query = sql!("work/claim_leave")
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(token.0)
        .bind(leaving.to.as_str())
        .bind(leaving.delay.map(seconds))
        .bind(leaving.attempts_back)
        .bind(leaving.errors)
        .bind(leaving.entry)
        .bind(leaving.tried);
    let mut tx = shards.begin(key.bucket).await?;
    let done = tx.execute(query).await?;
    tx.commit().await?;
    Ok(done == 1)
}
