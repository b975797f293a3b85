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

use crate::admit::memory::{Contents, Room};
use crate::context::Context;
use crate::disposition::JobError;
use crate::limits::{DOCUMENT_BYTES_MAX, JOB_MAX};
use crate::serving::Loaded;
use crate::stage::stage;
use docket_contract::media_type::MediaType;
use docket_engine::decode::WindowScores;
use docket_engine::window::Windows;
use docket_engine::{decode, window};
use docket_extract as extract;
use docket_extract::{ExtractError, ExtractedText};

/// Fetches a document, finds its entities and stores its text. The caller writes the result.
pub async fn process(ctx: &Context, claim: &Claim) -> Result<Analysis, JobError> {
    let media_type = MediaType::parse(&claim.media_type).map_err(ExtractError::from)?;
    // The model before the memory: other jobs can use the memory while this job waits for its version to load.
    let getting = ctx
        .serving
        .get(&claim.client, &claim.model, claim.model_version.as_ref());
    let model = stage(Stage::Model, getting).await?;
    let mut room = stage(Stage::Memory, ctx.memory.room(claim.size_bytes.unsigned_abs())).await?;
    let done = tokio::time::timeout(JOB_MAX, read(ctx, claim, &model, media_type, &mut room)).await;
    done.unwrap_or(Err(JobError::TooLong(JOB_MAX)))
}

/// The steps that need room in memory.
async fn read(
    ctx: &Context,
    claim: &Claim,
    model: &Loaded,
    media_type: MediaType,
    room: &mut Room<'_>,
) -> Result<Analysis, JobError> {
    let bytes = stage(Stage::Fetch, ctx.blobs.get(&claim.blob, DOCUMENT_BYTES_MAX)).await?;
    failpoint!("worker.after_fetch");
    let extracted = stage(
        Stage::Extract,
        ctx.cpu.run(Stage::Extract, move || extract::text(media_type, bytes)),
    )
    .await??;
    let text = Arc::new(extracted);
    failpoint!("worker.after_extract", &text.text);
    let windows = Arc::new(stage(Stage::Window, window::split(&ctx.cpu, model.splitter(), &text)).await?);
    let cut = Cut { text, windows };
    room.fit(cut.contents(0)).await?;
    let scores = stage(Stage::Infer, model.batcher().score(&claim.client, &cut.windows)).await?;
    failpoint!("worker.after_infer");
    let entities = stage(Stage::Decode, entities(ctx, model, &cut, scores, room)).await?;
    let Cut { text, windows } = cut;
    let (text_key, text_sha256) = stage(Stage::StoreText, store_text(ctx, claim, &text.text)).await?;
    Ok(Analysis {
        model_version: model.manifest().about.version.to_string(),
        text_key,
        text_sha256,
        text_chars: text.text.chars().count() as u64,
        windows: windows.len(),
        tokens: windows.tokens().len() as u64,
        entities,
    })
}

/// A text and its windows. Clones share both.
#[derive(Clone)]
struct Cut {
    text: Arc<ExtractedText>,
    windows: Arc<Windows>,
}

impl Cut {
    fn contents(&self, entities: usize) -> Contents {
        Contents {
            text_bytes: self.text.text.len(),
            tokens: self.windows.tokens().len(),
            entities,
        }
    }
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

/// Stores the extracted text under a key with the text's hash, so that a superseded run overwrites nothing.
async fn store_text(ctx: &Context, claim: &Claim, text: &str) -> Result<(BlobKey, [u8; 32]), JobError> {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let hashed = bytes.clone();
    let sha256: [u8; 32] = ctx
        .cpu
        .run(Stage::StoreText, move || Sha256::digest(&hashed).into())
        .await?;
    let key = BlobKey::text(claim.key.bucket, &claim.client, claim.document, &hex(&sha256));
    ctx.blobs.put_bytes(&key, bytes).await?;
    Ok((key, sha256))
}
