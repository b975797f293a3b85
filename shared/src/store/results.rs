//! Ending a job: its result or its failure, and the end of its dispatch row, in one statement and only under the claim.

use uuid::Uuid;

use super::claims::Claim;
use super::history::Event;
use super::{FencedTx, Shards, StoreError};
use crate::blob::BlobKey;
use crate::entity::Entity;
use crate::ids::{ClaimToken, JobKey};

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

const SUCCEED: &str = "
with ended as (
    delete from dispatch where bucket = $1 and job_id = $2 and claim_token = $3 and state = 'running'
    returning bucket, job_id, attempt, claimed_at, worker, history
), job as (
    update jobs j set state = 'succeeded', attempts = e.attempt, started_at = e.claimed_at, ended_at = now(),
        history = docket_history(e.history, $4 || jsonb_build_object('at', now(), 'worker', e.worker)),
        model_version = $5, text_key = $6, text_sha256 = $7, text_chars = $8, windows = $9, tokens = $10,
        entities = cardinality($11::text[])
    from ended e where j.bucket = e.bucket and j.id = e.job_id
    returning j.bucket, j.id
), found as (
    insert into entities (bucket, job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, page, score)
    select job.bucket, job.id, ordinality, label, text, start_char, end_char, start_byte, end_byte, page, score
    from job cross join unnest($11::text[], $12::text[], $13::int[], $14::int[], $15::int[], $16::int[], $17::int[], $18::real[])
        with ordinality as e(label, text, start_char, end_char, start_byte, end_byte, page, score, ordinality)
)
select count(*) from job";

/// Writes a job's result. `false`: the claim is no longer the job's, and nothing was written.
pub async fn save(shards: &Shards, claim: &Claim, analysis: &Analysis) -> Result<bool, StoreError> {
    let mut tx = shards.begin(claim.key.bucket).await?;
    let found = &analysis.entities;
    let numbers = |number: fn(&Entity) -> u32| found.iter().map(|e| number(e).cast_signed()).collect::<Vec<i32>>();
    let query = tx.query_scalar::<i64>(SUCCEED);
    let query = query
        .bind(claim.key.bucket.number())
        .bind(claim.key.job.0)
        .bind(claim.token.0);
    let query = query
        .bind(Event::Ended.entry(None, None))
        .bind(analysis.model_version.clone());
    let query = query
        .bind(analysis.text_key.to_string())
        .bind(analysis.text_sha256.to_vec());
    let query = query
        .bind(analysis.text_chars as i64)
        .bind(analysis.windows as i32)
        .bind(analysis.tokens as i64);
    let query = query.bind(found.iter().map(|e| e.label.clone()).collect::<Vec<_>>());
    let query = query.bind(found.iter().map(|e| e.text.clone()).collect::<Vec<_>>());
    let query = query.bind(numbers(|e| e.span.start)).bind(numbers(|e| e.span.end));
    let query = query
        .bind(numbers(|e| e.span.start_byte))
        .bind(numbers(|e| e.span.end_byte));
    let query = query.bind(
        found
            .iter()
            .map(|e| e.page.map(u32::cast_signed))
            .collect::<Vec<Option<i32>>>(),
    );
    let query = query.bind(found.iter().map(|e| e.score).collect::<Vec<f32>>());
    let ended = query
        .fetch_one(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(ended == 1)
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
