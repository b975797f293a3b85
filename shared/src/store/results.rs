//! Ending a job: its result or another ending, and the end of its dispatch row, in one statement; what a worker found only
//! under its claim.

use uuid::Uuid;

use super::claims::Claim;
use super::{Database, FencedTx, Shards, StoreError};
use crate::blob::BlobKey;
use crate::entity::Entity;
use crate::ids::{Bucket, ClaimToken, JobKey};
use crate::state::{Event, JobState};

/// What a worker found.
#[derive(Debug)]
pub struct Analysis {
    /// The version of the model that read the document.
    pub model_version: String,
    /// Where the extracted text is.
    pub text_key: BlobKey,
    /// SHA-256 of the extracted text.
    pub text_sha256: [u8; 32],
    /// Characters of the extracted text; all of them were read.
    pub text_chars: u64,
    /// Windows it was cut into.
    pub windows: usize,
    /// Tokens of the text, each counted once.
    pub tokens: u64,
    /// What was found, in the order of the text.
    pub entities: Vec<Entity>,
}

/// Why a job failed, for its caller. Never contains text of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A short stable word, for filters and metrics: one of [`crate::reason::words`].
    pub kind: &'static str,
    /// One sentence.
    pub detail: String,
}

impl Failure {
    /// The job crashed workers while nothing else ran on them.
    pub fn poison() -> Self {
        Self {
            kind: "poison",
            detail: "processing this document repeatedly ended the process that did it".to_owned(),
        }
    }
}

/// Every ending but success and a deadline that passed, to which many come at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It cannot be done.
    Failed(Failure),
    /// Nobody wants it any more; who said so.
    Cancelled(&'static str),
}

impl Ending {
    /// The state that the job is left in.
    pub fn state(&self) -> JobState {
        match self {
            Self::Failed(_) => JobState::Failed,
            Self::Cancelled(_) => JobState::Cancelled,
        }
    }

    fn event(&self) -> Event {
        match self {
            Self::Failed(_) => Event::Failed,
            Self::Cancelled(_) => Event::Cancelled,
        }
    }

    /// Why, for the history.
    fn reason(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.kind,
            Self::Cancelled(by) => by,
        }
    }

    /// Kind and detail of its error, as its caller sees them.
    fn error(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Failed(failure) => Some((failure.kind, failure.detail.clone())),
            Self::Cancelled(_) => None,
        }
    }
}

/// The kind of error of jobs that expired.
const EXPIRED_KIND: &str = "deadline_passed";

/// Entities that one statement writes: some hundred milliseconds of the shard's time, and megabytes of the worker's memory.
pub const CHUNK_ENTITIES_MAX: usize = 10_000;

// A chunk of the entities of job $2 that is still under claim $3; none of them otherwise. They come before the job's end, in
// the same transaction, and lock nothing of its dispatch row: heartbeats and a cancel pass meanwhile.
const INSERT_CHUNK: &str = "
insert into entities (bucket, job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score)
select $1, $2, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score
from unnest($4::int[], $5::text[], $6::text[], $7::int[], $8::int[], $9::int[], $10::int[], $11::int[], $12::real[])
    as e(ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score)
where exists (select 1 from dispatch
              where bucket = $1 and job_id = $2 and claim_token = $3 and state = 'running')";

// The jobs of $1 to $3 that are still under these claims end, each with its row of $5 to $11 and its entities of $12 to
// $21, which name their claim: a job may be there twice, under an earlier claim of the same worker too. Rows are locked in
// the order of their keys, as everywhere.
const SUCCEED: &str = "
with results as (
    select * from unnest($1::smallint[], $2::uuid[], $3::uuid[], $5::text[], $6::text[], $7::bytea[], $8::bigint[],
                         $9::int[], $10::bigint[], $11::int[])
        as r(bucket, job_id, token, model_version, text_key, text_sha256, text_chars, windows, tokens, entities)
), locked as (
    select d.bucket, d.job_id, r.token from dispatch d
    join results r on r.bucket = d.bucket and r.job_id = d.job_id and r.token = d.claim_token
    where d.state = 'running' order by d.bucket, d.job_id for update of d
), ended as (
    delete from dispatch d using locked l where d.bucket = l.bucket and d.job_id = l.job_id
    returning d.bucket, d.job_id, l.token, d.attempt, d.claimed_at, d.worker, d.history
), job as (
    update jobs j set state = 'succeeded', attempts = e.attempt, started_at = e.claimed_at, ended_at = greatest(clock_timestamp(), e.claimed_at),
        history = docket_history(e.history, $4 || jsonb_build_object(
            'at', clock_timestamp(), 'worker', e.worker, 'model', j.model || '@' || r.model_version)),
        model_version = r.model_version, text_key = r.text_key, text_sha256 = r.text_sha256, text_chars = r.text_chars,
        windows = r.windows, tokens = r.tokens, entities = r.entities
    from ended e join results r on r.bucket = e.bucket and r.job_id = e.job_id and r.token = e.token
    where j.bucket = e.bucket and j.id = e.job_id
    returning j.bucket, j.id, r.token
), found as (
    insert into entities (bucket, job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score)
    select job.bucket, job.id, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score
    from job join unnest($12::uuid[], $13::int[], $14::text[], $15::text[], $16::int[], $17::int[], $18::int[],
                         $19::int[], $20::int[], $21::real[])
        as e(token, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score) on e.token = job.token
)
select token from job";

/// A job's result, and the claim it is written under.
pub type Finished<'a> = (&'a Claim, &'a Analysis);

/// What became of one of several results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// Written.
    Yes,
    /// The claim is no longer the job's; nothing was written.
    Superseded,
    /// This shard does not own the job's bucket, or the bucket is just moving; nothing was written.
    Elsewhere,
}

/// Some entities of a job, one after the other.
#[derive(Debug, Clone, Copy)]
struct Chunk<'a> {
    /// Ordinal of the first one, counted from 1.
    first: i32,
    entities: &'a [Entity],
}

impl<'a> Chunk<'a> {
    /// The entities of a result; one empty chunk when there are none.
    fn all(entities: &'a [Entity]) -> Vec<Self> {
        let firsts = (1..).step_by(CHUNK_ENTITIES_MAX);
        let chunks = firsts.zip(entities.chunks(CHUNK_ENTITIES_MAX));
        let chunks: Vec<Self> = chunks.map(|(first, entities)| Self { first, entities }).collect();
        if chunks.is_empty() {
            vec![Self { first: 1, entities }]
        } else {
            chunks
        }
    }

    fn rows(self) -> impl Iterator<Item = (i32, &'a Entity)> {
        (self.first..).zip(self.entities)
    }
}

/// A job's result, and those of its entities that are written with its end.
struct Last<'a> {
    claim: &'a Claim,
    analysis: &'a Analysis,
    chunk: Chunk<'a>,
}

impl<'a> Last<'a> {
    fn whole(claim: &'a Claim, analysis: &'a Analysis) -> Self {
        let (first, entities) = (1, analysis.entities.as_slice());
        let chunk = Chunk { first, entities };
        Self { claim, analysis, chunk }
    }
}

/// Writes a job's result in one transaction, [`CHUNK_ENTITIES_MAX`] entities a statement. `false`: the claim is no longer the
/// job's, and nothing was written.
pub async fn save(shards: &Shards, claim: &Claim, analysis: &Analysis) -> Result<bool, StoreError> {
    let mut tx = shards.begin(claim.key.bucket).await?;
    let chunks = Chunk::all(&analysis.entities);
    let (&chunk, before) = chunks.split_last().expect("there is at least one chunk");
    for &chunk in before {
        if !insert(&mut tx, claim, chunk).await? {
            tx.roll_back().await?;
            return Ok(false);
        }
    }
    let last = Last { claim, analysis, chunk };
    if write(&mut tx, &[last]).await?.is_empty() {
        tx.roll_back().await?;
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}

/// Writes the results of several jobs of a shard in one transaction, at most [`super::fence::FENCE_BUCKETS_MAX`]. A job
/// that lost its claim or its bucket changes nothing for the others. None has more than [`CHUNK_ENTITIES_MAX`] entities: larger
/// ones are for [`save`].
pub async fn save_together(shard: &Database, finished: &[Finished<'_>]) -> Result<Vec<Saved>, StoreError> {
    let buckets: Vec<Bucket> = finished.iter().map(|(claim, _)| claim.key.bucket).collect();
    let (mut tx, owned) = shard.begin_owned(&buckets).await?;
    let is_here = |claim: &Claim| owned.contains(&claim.key.bucket);
    let here = finished.iter().filter(|(claim, _)| is_here(claim));
    let here: Vec<Last<'_>> = here.map(|(claim, analysis)| Last::whole(claim, analysis)).collect();
    let written = write(&mut tx, &here).await?;
    tx.commit().await?;
    let saved = finished.iter().map(|(claim, _)| match is_here(claim) {
        false => Saved::Elsewhere,
        true if written.contains(&claim.token.0) => Saved::Yes,
        true => Saved::Superseded,
    });
    Ok(saved.collect())
}

/// Writes a chunk of a job's entities ahead of its end. `false`: the claim is no longer the job's.
async fn insert(tx: &mut FencedTx, claim: &Claim, chunk: Chunk<'_>) -> Result<bool, StoreError> {
    let found: Vec<(i32, &Entity)> = chunk.rows().collect();
    let query = tx.query(INSERT_CHUNK);
    let query = query
        .bind(claim.key.bucket.number())
        .bind(claim.key.job.0)
        .bind(claim.token.0)
        .bind(column(&found, |(ordinal, _)| *ordinal))
        .bind(column(&found, |(_, entity)| entity.label.as_str()))
        .bind(column(&found, |(_, entity)| entity.text.as_str()))
        .bind(column(&found, |(_, entity)| entity.span.start.cast_signed()))
        .bind(column(&found, |(_, entity)| entity.span.end.cast_signed()))
        .bind(column(&found, |(_, entity)| entity.span.start_byte.cast_signed()))
        .bind(column(&found, |(_, entity)| entity.span.end_byte.cast_signed()))
        .bind(column(&found, |(_, entity)| entity.page.map(u32::cast_signed)))
        .bind(column(&found, |(_, entity)| entity.score));
    let written = query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    Ok(written.rows_affected() > 0)
}

/// Ends jobs whose buckets are fenced with their results; the claims that still were their jobs'.
async fn write(tx: &mut FencedTx, finished: &[Last<'_>]) -> Result<Vec<Uuid>, StoreError> {
    let found: Vec<(Uuid, i32, &Entity)> = finished
        .iter()
        .flat_map(|last| {
            last.chunk
                .rows()
                .map(|(ordinal, entity)| (last.claim.token.0, ordinal, entity))
        })
        .collect();
    let query = tx.query_scalar::<Uuid>(SUCCEED);
    let query = query
        .bind(column(finished, |last| last.claim.key.bucket.number()))
        .bind(column(finished, |last| last.claim.key.job.0))
        .bind(column(finished, |last| last.claim.token.0))
        .bind(Event::Succeeded.entry(None, None))
        .bind(column(finished, |last| last.analysis.model_version.clone()))
        .bind(column(finished, |last| last.analysis.text_key.to_string()))
        .bind(column(finished, |last| last.analysis.text_sha256.to_vec()))
        .bind(column(finished, |last| last.analysis.text_chars as i64))
        .bind(column(finished, |last| last.analysis.windows as i32))
        .bind(column(finished, |last| last.analysis.tokens as i64))
        .bind(column(finished, |last| last.analysis.entities.len() as i32));
    let query = query
        .bind(column(&found, |(token, _, _)| *token))
        .bind(column(&found, |(_, ordinal, _)| *ordinal))
        .bind(column(&found, |(_, _, entity)| entity.label.as_str()))
        .bind(column(&found, |(_, _, entity)| entity.text.as_str()))
        .bind(column(&found, |(_, _, entity)| entity.span.start.cast_signed()))
        .bind(column(&found, |(_, _, entity)| entity.span.end.cast_signed()))
        .bind(column(&found, |(_, _, entity)| entity.span.start_byte.cast_signed()))
        .bind(column(&found, |(_, _, entity)| entity.span.end_byte.cast_signed()))
        .bind(column(&found, |(_, _, entity)| entity.page.map(u32::cast_signed)))
        .bind(column(&found, |(_, _, entity)| entity.score));
    let written = query.fetch_all(tx.connection()).await;
    written.map_err(|error| tx.failed(error))
}

/// One column of rows, as `unnest` takes it.
fn column<'a, Row, T>(rows: &'a [Row], value: impl Fn(&'a Row) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// Ends a claimed job as failed: its row is the dead letter. `false`: the claim is no longer the job's.
pub async fn save_failure(shards: &Shards, claim: &Claim, failure: &Failure) -> Result<bool, StoreError> {
    let mut tx = shards.begin(claim.key.bucket).await?;
    let failed = Ending::Failed(failure.clone());
    let done = end(&mut tx, claim.key, Some(claim.token), &failed).await?;
    tx.commit().await?;
    Ok(done)
}

// The jobs of the rows that were just deleted end: state, entry of the history, kind and detail of the error are $3 to $6.
macro_rules! end_jobs {
    ($deleted:literal) => {
        concat!(
            $deleted,
            "
update jobs j set state = $3, attempts = e.attempt, started_at = e.claimed_at, ended_at = greatest(clock_timestamp(), e.claimed_at),
    history = docket_history(e.history, $4 || jsonb_build_object(
        'at', clock_timestamp(), 'worker', e.worker, 'model', j.model || coalesce('@' || j.model_version, ''))),
    error_kind = $5, error_detail = $6
from ended e where j.bucket = e.bucket and j.id = e.job_id"
        )
    };
}

// With $7 only a job that runs under this claim ends, without it any that is live.
const END: &str = end_jobs!(
    "
with ended as (
    delete from dispatch where bucket = $1 and job_id = $2 and ($7::uuid is null or (claim_token = $7 and state = 'running'))
    returning bucket, job_id, attempt, claimed_at, worker, history
)"
);

/// Ends a job within a transaction: the one that runs under the claim or, without one, whatever it is doing. `false` when
/// there was nothing to end.
pub(super) async fn end(
    tx: &mut FencedTx,
    key: JobKey,
    claim: Option<ClaimToken>,
    ending: &Ending,
) -> Result<bool, StoreError> {
    let query = tx.query(END).bind(key.bucket.number()).bind(key.job.0);
    let (kind, detail) = ending.error().unzip();
    let query = query
        .bind(ending.state().as_str())
        .bind(ending.event().entry(None, Some(ending.reason())))
        .bind(kind)
        .bind(detail)
        .bind(claim.map(|token| token.0));
    let ended = query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    Ok(ended.rows_affected() == 1)
}

const EXPIRE: &str = end_jobs!(
    "
with late as (
    select bucket, job_id from dispatch
    where (bucket, job_id) in (select * from unnest($1::smallint[], $2::uuid[])) and deadline <= now()
    order by bucket, job_id for update
), ended as (
    delete from dispatch d using late l where d.bucket = l.bucket and d.job_id = l.job_id
    returning d.bucket, d.job_id, d.attempt, d.claimed_at, d.worker, d.history
)"
);

/// Ends those of these jobs whose deadline passed, within a transaction that has fenced their buckets, whatever they are
/// doing. Returns how many.
pub(super) async fn expire(tx: &mut FencedTx, keys: &[JobKey]) -> Result<u64, StoreError> {
    let query = tx
        .query(EXPIRE)
        .bind(column(keys, |key| key.bucket.number()))
        .bind(column(keys, |key| key.job.0))
        .bind(JobState::Expired.as_str())
        .bind(Event::Expired.entry(None, Some(EXPIRED_KIND)))
        .bind(EXPIRED_KIND)
        .bind("the job was not done before its deadline");
    let expired = query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    Ok(expired.rows_affected())
}
