//! Ending a job: its result or its failure, and the end of its dispatch row, in one statement and only under the claim.

use uuid::Uuid;

use super::claims::Claim;
use super::history::Event;
use super::{Database, FencedTx, Shards, StoreError};
use crate::blob::BlobKey;
use crate::entity::Entity;
use crate::ids::{Bucket, ClaimToken, JobKey};

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
    /// A short stable word, for filters and metrics.
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

// The jobs of $1 to $3 that are still under these claims end, each with its row of $5 to $11 and its entities of $12 to
// $21, which name their job. Rows are locked in the order of their keys, as everywhere.
const SUCCEED: &str = "
with results as (
    select * from unnest($1::smallint[], $2::uuid[], $3::uuid[], $5::text[], $6::text[], $7::bytea[], $8::bigint[],
                         $9::int[], $10::bigint[], $11::int[])
        as r(bucket, job_id, token, model_version, text_key, text_sha256, text_chars, windows, tokens, entities)
), locked as (
    select d.bucket, d.job_id from dispatch d
    join results r on r.bucket = d.bucket and r.job_id = d.job_id and r.token = d.claim_token
    where d.state = 'running' order by d.bucket, d.job_id for update of d
), ended as (
    delete from dispatch d using locked l where d.bucket = l.bucket and d.job_id = l.job_id
    returning d.bucket, d.job_id, d.attempt, d.claimed_at, d.worker, d.history
), job as (
    update jobs j set state = 'succeeded', attempts = e.attempt, started_at = e.claimed_at, ended_at = now(),
        history = docket_history(e.history, $4 || jsonb_build_object('at', now(), 'worker', e.worker)),
        model_version = r.model_version, text_key = r.text_key, text_sha256 = r.text_sha256, text_chars = r.text_chars,
        windows = r.windows, tokens = r.tokens, entities = r.entities
    from ended e join results r on r.bucket = e.bucket and r.job_id = e.job_id
    where j.bucket = e.bucket and j.id = e.job_id
    returning j.bucket, j.id
), found as (
    insert into entities (bucket, job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score)
    select job.bucket, job.id, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score
    from job join unnest($12::uuid[], $13::int[], $14::text[], $15::text[], $16::int[], $17::int[], $18::int[],
                         $19::int[], $20::int[], $21::real[])
        as e(job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score) on e.job_id = job.id
)
select id from job";

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

/// Writes a job's result. `false`: the claim is no longer the job's, and nothing was written.
pub async fn save(shards: &Shards, claim: &Claim, analysis: &Analysis) -> Result<bool, StoreError> {
    let mut tx = shards.begin(claim.key.bucket).await?;
    let written = write(&mut tx, &[(claim, analysis)]).await?;
    tx.commit().await?;
    Ok(!written.is_empty())
}

/// Writes the results of several jobs of a shard in one transaction, at most [`super::fence::FENCE_BUCKETS_MAX`]. A job
/// that lost its claim or its bucket changes nothing for the others.
pub async fn save_together(shard: &Database, finished: &[Finished<'_>]) -> Result<Vec<Saved>, StoreError> {
    let buckets: Vec<Bucket> = finished.iter().map(|(claim, _)| claim.key.bucket).collect();
    let (mut tx, owned) = shard.begin_owned(&buckets).await?;
    let is_here = |claim: &Claim| owned.contains(&claim.key.bucket);
    let here: Vec<Finished<'_>> = finished.iter().filter(|(claim, _)| is_here(claim)).copied().collect();
    let written = write(&mut tx, &here).await?;
    tx.commit().await?;
    let saved = finished.iter().map(|(claim, _)| match is_here(claim) {
        false => Saved::Elsewhere,
        true if written.contains(&claim.key.job.0) => Saved::Yes,
        true => Saved::Superseded,
    });
    Ok(saved.collect())
}

/// Writes results whose buckets are fenced; the ids of the jobs that were still under their claims.
async fn write(tx: &mut FencedTx, finished: &[Finished<'_>]) -> Result<Vec<Uuid>, StoreError> {
    let found: Vec<(Uuid, i32, &Entity)> = finished
        .iter()
        .flat_map(|(claim, analysis)| (1..).zip(&analysis.entities).map(|(n, e)| (claim.key.job.0, n, e)))
        .collect();
    let query = tx.query_scalar::<Uuid>(SUCCEED);
    let query = query
        .bind(column(finished, |(claim, _)| claim.key.bucket.number()))
        .bind(column(finished, |(claim, _)| claim.key.job.0))
        .bind(column(finished, |(claim, _)| claim.token.0))
        .bind(Event::Ended.entry(None, None))
        .bind(column(finished, |(_, analysis)| analysis.model_version.clone()))
        .bind(column(finished, |(_, analysis)| analysis.text_key.to_string()))
        .bind(column(finished, |(_, analysis)| analysis.text_sha256.to_vec()))
        .bind(column(finished, |(_, analysis)| analysis.text_chars as i64))
        .bind(column(finished, |(_, analysis)| analysis.windows as i32))
        .bind(column(finished, |(_, analysis)| analysis.tokens as i64))
        .bind(column(finished, |(_, analysis)| analysis.entities.len() as i32));
    let query = query
        .bind(column(&found, |(job, _, _)| *job))
        .bind(column(&found, |(_, ordinal, _)| *ordinal))
        .bind(column(&found, |(_, _, entity)| entity.label.clone()))
        .bind(column(&found, |(_, _, entity)| entity.text.clone()))
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
fn column<Row, T>(rows: &[Row], value: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// Ends a claimed job as failed: its row is the dead letter. `false`: the claim is no longer the job's.
pub async fn save_failure(shards: &Shards, claim: &Claim, failure: &Failure) -> Result<bool, StoreError> {
    let mut tx = shards.begin(claim.key.bucket).await?;
    let done = fail(&mut tx, claim.key, Some(claim.token), failure).await?;
    tx.commit().await?;
    Ok(done)
}

/// Ends a running job as failed within a transaction, if `token` is its last claim's.
pub(super) async fn fail(
    tx: &mut FencedTx,
    key: JobKey,
    token: Option<ClaimToken>,
    failure: &Failure,
) -> Result<bool, StoreError> {
    let query = tx.query(
        "with ended as (
             delete from dispatch where bucket = $1 and job_id = $2 and claim_token is not distinct from $3
                 and state = 'running'
             returning bucket, job_id, attempt, claimed_at, worker, history
         )
         update jobs j set state = 'failed', attempts = e.attempt, started_at = e.claimed_at, ended_at = now(),
             history = docket_history(e.history, $4 || jsonb_build_object('at', now(), 'worker', e.worker)),
             error_kind = $5, error_detail = $6
         from ended e where j.bucket = e.bucket and j.id = e.job_id",
    );
    let query = query
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(token.map(|token| token.0) as Option<Uuid>);
    let query = query.bind(Event::Ended.entry(None, Some(failure.kind)));
    let query = query.bind(failure.kind).bind(failure.detail.clone());
    let ended = query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    Ok(ended.rows_affected() == 1)
}
