//! Ending a job: one statement writes the result or another ending and deletes the dispatch row. A worker's result is
//! written only under its claim.

use serde::Serialize;
use uuid::Uuid;

use crate::rows::column;
use crate::sql::{Statement, sql};
use crate::work::children::{self, Child};
use crate::work::granted_claim::Claim;
use crate::{Database, FencedTx, Shards, StoreError};
use docket_contract::coverage::Coverage;
use docket_contract::entity::{Entity, Source};
use docket_contract::ids::{Bucket, ClaimToken, JobKey};
use docket_contract::object_key::BlobKey;
use docket_contract::place::Region;
use docket_contract::state::{Event, JobState};

/// What a worker found.
#[derive(Debug)]
pub struct Analysis {
    /// The version of the model that read the document.
    pub model_version: String,
    /// Where the extracted text is stored.
    pub text_key: BlobKey,
    /// SHA-256 of the extracted text.
    pub text_sha256: [u8; 32],
    /// Characters of the extracted text. The model read all of them.
    pub text_chars: u64,
    /// Windows that the text was cut into.
    pub windows: usize,
    /// Where the map of the text is stored, for a document that has one.
    pub map_key: Option<BlobKey>,
    /// What of the document was read.
    pub coverage: Coverage,
    /// The files within the document, which become documents of their own.
    pub children: Vec<Child>,
    /// Tokens of the text. A token that lies in two windows counts once.
    pub tokens: u64,
    /// The entities, in the order of the text.
    pub entities: Vec<Entity>,
}

/// Why a job failed, for its caller. It never contains text of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A short stable word, for filters and metrics: one of [`docket_contract::reason::Reason`].
    pub kind: &'static str,
    /// One sentence.
    pub detail: String,
}

impl Failure {
    /// The failure of a job that crashed workers while nothing else ran on them.
    pub fn poison() -> Self {
        Self {
            kind: "poison",
            detail: "processing this document repeatedly ended the process that did it".to_owned(),
        }
    }
}

/// How a single job ends, if not by success. Jobs whose deadline passed end many at a time, in `expire`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The job cannot be done.
    Failed(Failure),
    /// Nobody wants the result any more; holds who said so.
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

    /// Kind and detail of the error that the caller sees.
    fn error(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Failed(failure) => Some((failure.kind, failure.detail.clone())),
            Self::Cancelled(_) => None,
        }
    }
}

/// Kind of the error of jobs that expired.
const EXPIRED_KIND: &str = "deadline_passed";

/// Entities that one statement writes: they take some hundred milliseconds of the shard's time and some megabytes of
/// the worker's memory.
pub const CHUNK_ENTITIES_MAX: usize = 10_000;

/// A job's result, and the claim it is written under.
pub type Finished<'a> = (&'a Claim, &'a Analysis);

/// What became of one of several results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// The result was written.
    Yes,
    /// The claim is no longer the job's; nothing was written.
    Superseded,
    /// This shard does not own the job's bucket, or the bucket is just moving; nothing was written.
    Elsewhere,
}

/// Consecutive entities of a result.
#[derive(Debug, Clone, Copy)]
struct Chunk<'a> {
    /// Ordinal of the first of them. The first entity of a result has 1.
    first: i32,
    entities: &'a [Entity],
}

impl<'a> Chunk<'a> {
    /// All entities of a result in chunks; one empty chunk when there are none.
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

/// A job's result, with those of its entities that are written together with the job's end.
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

/// Writes a job's result in one transaction, [`CHUNK_ENTITIES_MAX`] entities in each statement. `false`: the claim is
/// no longer the job's, and nothing was written.
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
    children::accept(&mut tx, claim, &analysis.children).await?;
    let last = Last { claim, analysis, chunk };
    if write(&mut tx, &[last]).await?.is_empty() {
        tx.roll_back().await?;
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}

/// Writes the results of several jobs of a shard in one transaction, at most
/// [`crate::shards::fence::FENCE_BUCKETS_MAX`] jobs. A job that lost its claim or its bucket changes nothing for the
/// others. No result may have more than [`CHUNK_ENTITIES_MAX`] entities, or children; [`save`] writes such results.
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

/// Binds the entities' columns, as both statements that write entities have them.
fn bind(statement: Statement, entities: &[&Entity]) -> Statement {
    statement
        .bind(column(entities, |entity| entity.label.as_str()))
        .bind(column(entities, |entity| entity.text.as_str()))
        .bind(column(entities, |entity| entity.span.start.cast_signed()))
        .bind(column(entities, |entity| entity.span.end.cast_signed()))
        .bind(column(entities, |entity| entity.span.start_byte.cast_signed()))
        .bind(column(entities, |entity| entity.span.end_byte.cast_signed()))
        .bind(column(entities, |entity| entity.page.map(u32::cast_signed)))
        .bind(column(entities, |entity| entity.score))
        .bind(column(entities, |entity| {
            Some(entity.region.as_str()).filter(|_| entity.region != Region::Body)
        }))
        .bind(column(entities, |entity| entity.place.as_ref().map(json)))
        .bind(column(entities, |entity| {
            (!entity.boxes.is_empty()).then(|| json(&entity.boxes))
        }))
        .bind(column(entities, |entity| entity.span.start_utf16.map(u32::cast_signed)))
        .bind(column(entities, |entity| {
            Some(entity.source.as_str()).filter(|_| entity.source != Source::Model)
        }))
        .bind(column(entities, |entity| entity.recogniser.as_deref()))
        .bind(column(entities, |entity| entity.value.as_deref()))
        .bind(column(entities, |entity| entity.canonical.map(u32::cast_signed)))
        .bind(column(entities, |entity| entity.carried_from.map(u32::cast_signed)))
        .bind(column(entities, |entity| entity.thing.as_deref().map(json)))
}

/// Writes a chunk of a job's entities ahead of its end. `false`: the claim is no longer the job's.
async fn insert(tx: &mut FencedTx, claim: &Claim, chunk: Chunk<'_>) -> Result<bool, StoreError> {
    let (ordinals, found): (Vec<i32>, Vec<&Entity>) = chunk.rows().unzip();
    let query = sql!("work/result_chunk")
        .bind(claim.key.bucket.number())
        .bind(claim.key.job.0)
        .bind(claim.token.0)
        .bind(ordinals);
    Ok(tx.execute(bind(query, &found)).await? > 0)
}

/// Ends jobs whose buckets are fenced with their results. Returns the claims that still were their jobs'.
async fn write(tx: &mut FencedTx, finished: &[Last<'_>]) -> Result<Vec<Uuid>, StoreError> {
    let query = sql!("work/succeed")
        .bind(column(finished, |last| last.claim.key.bucket.number()))
        .bind(column(finished, |last| last.claim.key.job.0))
        .bind(column(finished, |last| last.claim.token.0))
        .bind(Event::Succeeded.entry(None, None))
        .bind(column(finished, |last| last.analysis.model_version.as_str()))
        .bind(column(finished, |last| last.analysis.text_key.to_string()))
        .bind(column(finished, |last| last.analysis.text_sha256.as_slice()))
        .bind(column(finished, |last| last.analysis.text_chars as i64))
        .bind(column(finished, |last| last.analysis.windows as i32))
        .bind(column(finished, |last| last.analysis.tokens as i64))
        .bind(column(finished, |last| last.analysis.entities.len() as i32))
        .bind(column(finished, |last| json(&last.analysis.coverage)))
        .bind(column(finished, |last| {
            last.analysis.map_key.as_ref().map(ToString::to_string)
        }));
    let rows = finished.iter().flat_map(|last| {
        let token = last.claim.token.0;
        last.chunk
            .rows()
            .map(move |(ordinal, entity)| (token, (ordinal, entity)))
    });
    let (tokens, rows): (Vec<Uuid>, Vec<(i32, &Entity)>) = rows.unzip();
    let (ordinals, found): (Vec<i32>, Vec<&Entity>) = rows.into_iter().unzip();
    tx.scalars(bind(query.bind(tokens).bind(ordinals), &found)).await
}

/// A value of ours as JSON.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("numbers, words and lists of them have a form in JSON")
}

/// Ends a claimed job as failed: its row is the dead letter. `false`: the claim is no longer the job's.
pub async fn save_failure(shards: &Shards, claim: &Claim, failure: &Failure) -> Result<bool, StoreError> {
    let mut tx = shards.begin(claim.key.bucket).await?;
    let failed = Ending::Failed(failure.clone());
    let done = end(&mut tx, claim.key, Some(claim.token), &failed).await?;
    tx.commit().await?;
    Ok(done)
}

/// Ends a job within a transaction: the one that runs under the claim or, without a claim, whatever the job is doing.
/// `false` when there was nothing to end.
pub(super) async fn end(
    tx: &mut FencedTx,
    key: JobKey,
    claim: Option<ClaimToken>,
    ending: &Ending,
) -> Result<bool, StoreError> {
    let (kind, detail) = ending.error().unzip();
    let query = sql!("work/end")
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(ending.state().as_str())
        .bind(ending.event().entry(None, Some(ending.reason())))
        .bind(kind)
        .bind(detail)
        .bind(claim.map(|token| token.0));
    Ok(tx.execute(query).await? == 1)
}

/// Ends those of these jobs whose deadline passed, whatever they are doing, within a transaction that has fenced their
/// buckets. Returns how many.
pub(super) async fn expire(tx: &mut FencedTx, keys: &[JobKey]) -> Result<u64, StoreError> {
    let query = sql!("work/expire")
        .bind(column(keys, |key| key.bucket.number()))
        .bind(column(keys, |key| key.job.0))
        .bind(JobState::Expired.as_str())
        .bind(Event::Expired.entry(None, Some(EXPIRED_KIND)))
        .bind(EXPIRED_KIND)
        .bind("the job was not done before its deadline");
    tx.execute(query).await
}
