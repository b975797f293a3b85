//! Claims: one worker's right to finish a job. The newest claim wins; an older one can finish nothing any more.

use std::time::Duration;

use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::dispatch::buckets_of;
use super::results::{self, Ending, Failure};
use super::{Database, FencedTx, Shards, StoreError, seconds};
use crate::blob::BlobKey;
use crate::ids::{ClaimToken, ClientId, DocumentId, JobId, JobKey, ModelName, ModelVersion};
use crate::job::Priority;
use crate::state::{Event, JobState};

/// How often a worker says that its claims are alive.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);
/// A claim that was silent for this long may be taken over: three heartbeats missed.
pub const TAKEOVER_AFTER: Duration = Duration::from_secs(15);
/// Crashes in the company of other jobs that make a job a suspect: from then on it runs alone.
pub const SUSPECT_CRASHES: i32 = 2;
/// Crashes while running alone that prove a job to be poison.
pub const POISON_CRASHES: i32 = 2;

/// A granted claim, and all that is needed to do the work.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The job.
    pub key: JobKey,
    /// What makes this claim the one that may finish.
    pub token: ClaimToken,
    /// Number of this claim, from 1.
    pub attempt: i32,
    /// Errors that earlier claims ended with.
    pub errors: i32,
    /// How long ago the first try began that ended with an error or was put off; nothing before there was one, however long
    /// the job waited. A redrive begins anew.
    pub tried_for: Duration,
    /// How long ago its caller began to wait: when it was accepted or, if that was later and it has not been tried before,
    /// when it became due.
    pub awaited: Duration,
    /// How long ago it became due.
    pub due: Duration,
    /// Its priority.
    pub priority: Priority,
    /// Whose job it is.
    pub client: ClientId,
    /// The document.
    pub document: DocumentId,
    /// Where it is.
    pub blob: BlobKey,
    /// What it is.
    pub media_type: String,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// The model that shall read it.
    pub model: ModelName,
    /// The version, when the caller insisted on one.
    pub model_version: Option<ModelVersion>,
}

/// The answer to a worker that asks for a job.
#[derive(Debug)]
pub enum Answer {
    /// The job is the worker's.
    Granted(Box<Claim>),
    /// It has no dispatch row: it ended, or never was.
    Ended,
    /// It is not due yet; a dispatcher will publish it again.
    NotDue,
    /// Its client or its model is paused; a dispatcher will publish it again.
    Paused,
    /// Its deadline had passed, and it has just been ended for it.
    Expired,
    /// Another claim is alive.
    RunningElsewhere,
    /// It crashed workers before: ask again with nothing else running.
    Suspect,
    /// It crashed workers while running alone, and has just been failed for it.
    Poison,
}

// One statement: locks the row, counts a crash if the last claim died, and grants the claim unless something forbids it.
// A row that is queued but not due, or paused, is set waiting, so that it is published again when it may be. One whose message
// came before the mark that it was published waits already, and loses its lease: marked later, it would be queued without a
// message. What the row is says `judged`, which has the lock, and not the snapshot, which may be from before the mark.
const CLAIM: &str = "
with found as (
    select d.*, d.state = 'running' and d.claim_token <> $3 as other,
           d.state = 'running' and d.claim_token <> $3 and d.heartbeat_at < now() - make_interval(secs => $6) as dead
    from dispatch d where d.bucket = $1 and d.job_id = $2 for update
), counted as (
    select f.*, f.crashes + (f.dead and not f.alone)::int as crashes_now,
           f.lone_crashes + (f.dead and f.alone)::int as lone_crashes_now,
           f.state <> 'running' and f.due_at > now() as early,
           f.state <> 'running' and (
               exists (select 1 from client_controls c
                       where c.bucket = f.bucket and c.client_id = f.client_id and c.paused)
               or exists (select 1 from paused_models p where p.model = f.model)) as paused,
           coalesce(f.deadline <= now(), false) and (f.state <> 'running' or f.dead) as late
    from found f
), judged as (
    select c.*, c.lone_crashes_now >= $8 as poison, c.crashes_now >= $7 and not $5 as suspect from counted c
), postponed as (
    update dispatch d set state = 'waiting', published_at = null, lease_token = null, lease_until = null,
        history = case when j.state = 'waiting' then d.history else docket_history(d.history, $11 || jsonb_build_object(
            'at', clock_timestamp(), 'reason', case when j.early then 'not due' else 'paused' end)) end
    from judged j
    where d.bucket = j.bucket and d.job_id = j.job_id and (j.early or j.paused) and not j.late
      and (j.state = 'queued' or j.lease_token is not null)
), condemned as (
    update dispatch d set history = docket_history(d.history, $9 || jsonb_build_object(
            'at', clock_timestamp(), 'worker', d.worker, 'model', d.model))
    from judged j where d.bucket = j.bucket and d.job_id = j.job_id and j.dead and j.poison and not j.late
), granted as (
    update dispatch d set state = 'running', claim_token = $3, worker = $4, alone = $5, claimed_at = clock_timestamp(),
        heartbeat_at = clock_timestamp(), lease_token = null, lease_until = null, crashes = j.crashes_now,
        lone_crashes = j.lone_crashes_now,
        attempt = d.attempt + (d.claim_token is distinct from $3)::int,
        history = case when d.claim_token = $3 then d.history else docket_history(
            case when j.dead then docket_history(d.history, $9 || jsonb_build_object(
                     'at', clock_timestamp(), 'worker', d.worker, 'model', d.model))
                 else d.history end,
            $10 || jsonb_build_object('at', clock_timestamp())) end
    from judged j
    where d.bucket = j.bucket and d.job_id = j.job_id
      and not j.early and not j.paused and not j.late and (not j.other or j.dead) and not j.poison and not j.suspect
    returning d.bucket, d.job_id, d.attempt, d.errors, d.tried_since
)
select j.late, j.early, j.paused, j.other and not j.dead as alive, j.poison, j.suspect, j.claim_token as last_token,
       g.attempt, g.errors, extract(epoch from now() - coalesce(g.tried_since, now()))::double precision as tried_for,
       extract(epoch from now() - case when j.claimed_at is null then greatest(j.created_at, j.due_at)
                                       else j.created_at end)::double precision as awaited,
       extract(epoch from now() - j.due_at)::double precision as due, j.priority,
       d.client_id, d.id as document_id, d.blob_key, d.media_type, d.size_bytes, w.model, w.model_version
from judged j
left join granted g on true
join jobs w on w.bucket = j.bucket and w.id = j.job_id
join documents d on d.bucket = w.bucket and d.id = w.document_id";

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
    priority: String,
    client_id: String,
    document_id: Uuid,
    blob_key: String,
    media_type: String,
    size_bytes: i64,
    model: String,
    model_version: Option<String>,
}

/// Who asks, and how.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Name of the worker, for the history.
    pub worker: &'a str,
    /// The token that the claim will carry. Asking again with the same one continues the claim.
    pub token: ClaimToken,
    /// Whether nothing else runs on this worker.
    pub alone: bool,
}

/// Asks for a job.
pub async fn claim(shards: &Shards, key: JobKey, asker: Asker<'_>) -> Result<Answer, StoreError> {
    let mut tx = shards.begin(key.bucket).await?;
    let query = tx
        .query_as::<Row>(CLAIM)
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(asker.token.0);
    let query = query
        .bind(asker.worker.to_owned())
        .bind(asker.alone)
        .bind(seconds(TAKEOVER_AFTER));
    let query = query
        .bind(SUSPECT_CRASHES)
        .bind(POISON_CRASHES)
        .bind(Event::Crashed.entry(None, None));
    let query = query
        .bind(Event::Claimed.entry(Some(asker.worker), None))
        .bind(Event::Postponed.entry(None, None));
    let row = query
        .fetch_optional(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    let answer = answer(&mut tx, key, asker, row).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Seconds that the database counted; what its clock turned back is nothing.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

async fn answer(tx: &mut FencedTx, key: JobKey, asker: Asker<'_>, row: Option<Row>) -> Result<Answer, StoreError> {
    let Some(row) = row else { return Ok(Answer::Ended) };
    if let (Some(attempt), Some(errors)) = (row.attempt, row.errors) {
        let undecodable = |error: crate::ids::InvalidName| tx.failed(sqlx::Error::Decode(error.into()));
        return Ok(Answer::Granted(Box::new(Claim {
            key,
            token: asker.token,
            attempt,
            errors,
            tried_for: duration(row.tried_for.unwrap_or_default()),
            awaited: duration(row.awaited),
            due: duration(row.due),
            priority: Priority::parse(&row.priority).unwrap_or_default(),
            client: row.client_id.parse().map_err(undecodable)?,
            document: DocumentId(row.document_id),
            blob: BlobKey::from_stored(row.blob_key),
            media_type: row.media_type,
            size_bytes: row.size_bytes,
            model: row.model.parse().map_err(undecodable)?,
            model_version: row
                .model_version
                .map(|version| version.parse())
                .transpose()
                .map_err(undecodable)?,
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

// The claims of $1 to $3 that are still their jobs' are alive, and those that are not are returned. A row that somebody has
// locked is passed over: its own result is being written, or somebody ends it or takes it over; a statement that waited for it
// would let this worker's other claims fall silent.
const HEARTBEAT: &str = "
with mine as (
    select * from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as m(bucket, job_id, token)
), alive as (
    select d.bucket, d.job_id from dispatch d
    join mine on d.bucket = mine.bucket and d.job_id = mine.job_id and d.claim_token = mine.token
    where d.state = 'running' order by d.bucket, d.job_id for update of d skip locked
), beaten as (
    update dispatch d set heartbeat_at = clock_timestamp() from alive
    where d.bucket = alive.bucket and d.job_id = alive.job_id
)
select mine.job_id from mine
where not exists (select 1 from dispatch d where d.bucket = mine.bucket and d.job_id = mine.job_id
                  and d.claim_token = mine.token and d.state = 'running')";

// Those of the claims of $1 to $3 that are no longer their jobs'.
const LOST: &str = "
select mine.job_id from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as mine(bucket, job_id, token)
where not exists (select 1 from dispatch d where d.bucket = mine.bucket and d.job_id = mine.job_id
                  and d.claim_token = mine.token and d.state = 'running')";

/// Says that claims are alive. Returns the jobs whose claim is no longer this one: taken over, cancelled, expired, ended. A job
/// whose bucket is just moving is not among them. At most [`super::fence::FENCE_BUCKETS_MAX`] buckets at a time.
pub async fn heartbeat(shard: &Database, claims: &[(JobKey, ClaimToken)]) -> Result<Vec<JobId>, StoreError> {
    ask(shard, claims, HEARTBEAT).await
}

/// The same without saying anything: nothing is written.
pub async fn lost(shard: &Database, claims: &[(JobKey, ClaimToken)]) -> Result<Vec<JobId>, StoreError> {
    ask(shard, claims, LOST).await
}

async fn ask(shard: &Database, claims: &[(JobKey, ClaimToken)], sql: &'static str) -> Result<Vec<JobId>, StoreError> {
    let keys: Vec<JobKey> = claims.iter().map(|(key, _)| *key).collect();
    let (mut tx, owned) = shard.begin_owned(&buckets_of(&keys)).await?;
    let here = || claims.iter().filter(|(key, _)| owned.contains(&key.bucket));
    let query = tx.query_scalar::<Uuid>(sql);
    let query = query
        .bind(here().map(|(key, _)| key.bucket.number()).collect::<Vec<_>>())
        .bind(here().map(|(key, _)| key.job.0).collect::<Vec<_>>())
        .bind(here().map(|(_, token)| token.0).collect::<Vec<_>>());
    let lost = query
        .fetch_all(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(lost.into_iter().map(JobId).collect())
}

/// Sets a job waiting again after an error that may pass. `false` when the claim is no longer the job's.
pub async fn wait_again(shards: &Shards, claim: &Claim, delay: Duration, reason: &str) -> Result<bool, StoreError> {
    let waiting = Leaving {
        to: JobState::Waiting,
        delay: Some(delay),
        attempts_back: 0,
        errors: 1,
        entry: Event::Errored.entry(None, Some(reason)),
    };
    leave(shards, claim.key, claim.token, waiting).await
}

/// Sets a job waiting again because something that it needs is overloaded or away: neither the attempt nor an error is
/// counted. `false` when the claim is no longer the job's.
pub async fn postpone(shards: &Shards, claim: &Claim, delay: Duration, reason: &str) -> Result<bool, StoreError> {
    let waiting = Leaving {
        to: JobState::Waiting,
        delay: Some(delay),
        attempts_back: 1,
        errors: 0,
        entry: Event::Postponed.entry(None, Some(reason)),
    };
    leave(shards, claim.key, claim.token, waiting).await
}

/// Gives a job back unharmed because its worker stops, or could not tell its shard what became of it: the attempt is not
/// counted. A worker that stops commits it before it returns the message, or the next claim would find the job running.
/// `false` when the claim is no longer the job's.
pub async fn give_back(shards: &Shards, key: JobKey, token: ClaimToken) -> Result<bool, StoreError> {
    let queued = Leaving {
        to: JobState::Queued,
        delay: None,
        attempts_back: 1,
        errors: 0,
        entry: Event::GivenBack.entry(None, None),
    };
    leave(shards, key, token, queued).await
}

/// How a claim leaves its job without ending it.
struct Leaving {
    /// Waiting, or queued when its message goes back to the queue.
    to: JobState,
    /// Until it is due; without one that stays as it is.
    delay: Option<Duration>,
    /// Attempts that are not counted.
    attempts_back: i32,
    /// Errors that are.
    errors: i32,
    /// For the history.
    entry: Value,
}

async fn leave(shards: &Shards, key: JobKey, token: ClaimToken, leaving: Leaving) -> Result<bool, StoreError> {
    let mut tx = shards.begin(key.bucket).await?;
    let query = tx.query(
        "update dispatch set state = $4, due_at = coalesce(now() + make_interval(secs => $5), due_at),
             attempt = attempt - $6, errors = errors + $7, claim_token = null, heartbeat_at = null,
             published_at = case when $4 = 'queued' then clock_timestamp() end,
             tried_since = case when $4 = 'waiting' then coalesce(tried_since, claimed_at) else tried_since end,
             history = docket_history(history, $8 || jsonb_build_object('at', clock_timestamp(), 'worker', worker, 'model', model))
         where bucket = $1 and job_id = $2 and claim_token = $3 and state = 'running'",
    );
    let query = query.bind(key.bucket.number()).bind(key.job.0).bind(token.0);
    let query = query
        .bind(leaving.to.as_str())
        .bind(leaving.delay.map(seconds))
        .bind(leaving.attempts_back)
        .bind(leaving.errors)
        .bind(leaving.entry);
    let done = query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}
