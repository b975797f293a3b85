//! The steps of a document's analysis, in order. Steps do not call one another.

use std::sync::Arc;

use bytes::Bytes;
use docket_contract::entity::Entity;
use docket_contract::hex::hex;
use docket_contract::object_key::BlobKey;
use docket_contract::outcome::Stage;
use docket_process::failpoint;
use docket_store::work::claims::Claim;
use docket_store::work::results::Analysis;
use sha2::{Digest, Sha256};

use crate::admit::memory::Room;
use crate::children;
use crate::context::Context;
use crate::cut::Cut;
use crate::disposition::JobError;
use crate::extraction::{self, Extracted};
use crate::language;
use crate::limits::{DOCUMENT_BYTES_MAX, JOB_MAX};
use crate::serving::Loaded;
use crate::stage::stage;
use crate::understanding::understood;
use docket_engine::batch::ReadSoFar;
use docket_engine::decode::WindowScores;
use docket_engine::{decode, window};
use tokio::sync::OwnedSemaphorePermit;

/// Fetches a document, finds its entities and stores its text, and counts in `so_far` what the model has read. The caller writes the
/// result.
pub async fn process(ctx: &Context, claim: &Claim, so_far: &ReadSoFar) -> Result<Analysis, JobError> {
    // The model before the memory: other jobs can use the memory while this job waits for its version to load.
    let getting = ctx
        .serving
        .get(&claim.client, &claim.model, claim.model_version.as_ref());
    let model = stage(Stage::Model, getting).await?;
    // A document that is known to be a scan is not fetched before its turn.
    let place = claim.is_scan.then(|| ctx.scans.place(&claim.client)).transpose()?;
    let mut room = stage(Stage::Memory, extraction::room(ctx, claim)).await?;
    let job = Job {
        claim,
        model: &model,
        so_far,
    };
    let done = tokio::time::timeout(JOB_MAX, read(ctx, job, &mut room, place)).await;
    done.unwrap_or(Err(JobError::TooLong(JOB_MAX)))
}

/// A claimed job, its model, and how much of its text the model has read.
struct Job<'a> {
    claim: &'a Claim,
    model: &'a Loaded,
    so_far: &'a ReadSoFar,
}

/// The steps that need room in memory.
async fn read(
    ctx: &Context,
    Job { claim, model, so_far }: Job<'_>,
    room: &mut Room<'_>,
    place: Option<OwnedSemaphorePermit>,
) -> Result<Analysis, JobError> {
    let bytes = stage(Stage::Fetch, ctx.blobs.get(&claim.blob, DOCUMENT_BYTES_MAX)).await?;
    failpoint!("worker.after_fetch");
    let extracting = extraction::text(ctx, claim, bytes, room, place);
    let Extracted { text, map, files } = stage(Stage::Extract, extracting).await?;
    let text = Arc::new(text);
    let language = stage(Stage::Language, language::told(ctx, model, &text)).await?;
    // The files first: their memory is needed no longer than it takes to store them.
    let children = if files.is_empty() {
        Vec::new()
    } else {
        stage(Stage::StoreText, children::store(ctx, claim, files)).await?
    };
    failpoint!("worker.after_extract", &text.text);
    let windows = Arc::new(stage(Stage::Window, window::split(&ctx.cpu, model.splitter(), &text)).await?);
    let cut = Cut { text, windows };
    room.fit(cut.contents(0)).await?;
    let batcher = model.batcher();
    let scoring = batcher.score_and_count(&claim.client, &cut.windows, so_far.clone());
    let scores = stage(Stage::Infer, scoring).await?;
    failpoint!("worker.after_infer");
    let entities = stage(Stage::Decode, entities(ctx, model, &cut, scores, room)).await?;
    // The windows are not needed any more, and they are large.
    let Cut { text, windows } = cut;
    let (window_count, token_count) = (windows.len(), windows.tokens().len());
    drop(windows);
    let entities = stage(Stage::Understand, understood(ctx, &text, entities, room)).await?;
    let stored = stage(Stage::StoreText, store(ctx, claim, &text.text, map)).await?;
    Ok(Analysis {
        model_version: model.manifest().about.version.to_string(),
        text_key: stored.text,
        text_sha256: stored.text_sha256,
        map_key: stored.map,
        coverage: text.coverage.clone().in_language(language),
        children,
        text_chars: text.text.chars().count() as u64,
        windows: window_count,
        tokens: token_count as u64,
        entities,
    })
}

/// The entities of a text. They are counted first, and built once there is room for them.
async fn entities(
    ctx: &Context,
    model: &Loaded,
    cut: &Cut,
    scores: Vec<WindowScores>,
    room: &mut Room<'_>,
) -> Result<Vec<Entity>, JobError> {
    let (read, labels) = (cut.clone(), model.labels().clone());
    let finding = move || decode::find(&read.text, &read.windows, scores, &labels);
    let findings = ctx.cpu.run(Stage::Decode, finding).await?;
    let (found, max) = (findings.len(), ctx.entities_max);
    if found > max {
        return Err(JobError::TooManyEntities { found, max });
    }
    room.fit(cut.contents(found)).await?;
    let (read, labels) = (cut.clone(), model.labels().clone());
    let placing = move || decode::place(&read.text, &read.windows, &findings, &labels);
    Ok(ctx.cpu.run(Stage::Decode, placing).await?)
}

/// Where a text and its map are stored.
struct StoredText {
    text: BlobKey,
    text_sha256: [u8; 32],
    map: Option<BlobKey>,
}

/// Stores the extracted text and its map, each under a key with its own hash, so that a superseded run overwrites nothing.
async fn store(ctx: &Context, claim: &Claim, text: &str, map: Option<Bytes>) -> Result<StoredText, JobError> {
    let (bucket, client, document) = (claim.key.bucket, &claim.client, claim.document);
    let text = Bytes::copy_from_slice(text.as_bytes());
    let text_sha256 = sha256(ctx, text.clone()).await?;
    let key = BlobKey::text(bucket, client, document, &hex(&text_sha256));
    ctx.blobs.put_bytes(&key, text).await?;
    let mut map_key = None;
    if let Some(map) = map {
        let key = BlobKey::text_map(bucket, client, document, &hex(&sha256(ctx, map.clone()).await?));
        ctx.blobs.put_bytes(&key, map).await?;
        map_key = Some(key);
    }
    Ok(StoredText {
        text: key,
        text_sha256,
        map: map_key,
    })
}

async fn sha256(ctx: &Context, bytes: Bytes) -> Result<[u8; 32], JobError> {
    Ok(ctx
        .cpu
        .run(Stage::StoreText, move || Sha256::digest(&bytes).into())
        .await?)
}
