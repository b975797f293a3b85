//! What is done with a document, in order. Steps do not call one another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use docket_shared::blob::{BlobKey, hex};
use docket_shared::entity::Entity;
use docket_shared::store::claims::Claim;
use docket_shared::store::results::Analysis;
use docket_shared::{failpoint, metrics};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::decode::WindowScores;
use crate::extract::{self, ExtractedText, MediaType};
use crate::memory::{Contents, Room};
use crate::outcome::JobError;
use crate::run::Context;
use crate::serving::Loaded;
use crate::window::Windows;
use crate::{decode, window};

/// Longest time of a job, from when it has room to its result: below RabbitMQ's acknowledgement timeout of 30 min by more
/// than the waits before and after it. One core with VNNI reads 60 million characters in it (`bench soak`).
pub const JOB_MAX: Duration = Duration::from_secs(25 * 60);
/// Largest document that is fetched, in bytes: ten times what the producer takes unless it is configured otherwise.
pub const DOCUMENT_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Fetches a document, finds its entities and stores its text. Writing the result is the caller's.
pub async fn process(ctx: &Context, claim: &Claim) -> Result<Analysis, JobError> {
    let media_type = MediaType::parse(&claim.media_type)?;
    // Before the memory, which others have work for while a version that this job insists on is loaded.
    let getting = ctx
        .serving
        .get(&claim.client, &claim.model, claim.model_version.as_ref());
    let model = stage("model", getting).await?;
    let mut room = stage("memory", ctx.memory.room(claim.size_bytes.unsigned_abs())).await?;
    let done = tokio::time::timeout(JOB_MAX, read(ctx, claim, &model, media_type, &mut room)).await;
    done.unwrap_or(Err(JobError::TooLong(JOB_MAX)))
}

/// What is done once there is room.
async fn read(
    ctx: &Context,
    claim: &Claim,
    model: &Loaded,
    media_type: MediaType,
    room: &mut Room<'_>,
) -> Result<Analysis, JobError> {
    let bytes = stage("fetch", ctx.blobs.get(&claim.blob, DOCUMENT_BYTES_MAX)).await?;
    failpoint!("worker.after_fetch");
    let extracted = stage(
        "extract",
        ctx.cpu.run("extract", move || extract::text(media_type, bytes)),
    )
    .await??;
    let text = Arc::new(extracted);
    failpoint!("worker.after_extract", &text.text);
    let windows = Arc::new(stage("window", window::split(&ctx.cpu, model.splitter(), &text)).await?);
    let cut = Cut { text, windows };
    room.fit(cut.contents(0)).await?;
    let scores = stage("infer", model.batcher().score(&claim.client, &cut.windows)).await?;
    failpoint!("worker.after_infer");
    let entities = stage("decode", entities(ctx, model, &cut, scores, room)).await?;
    let Cut { text, windows } = cut;
    let (text_key, text_sha256) = stage("store_text", store_text(ctx, claim, &text.text)).await?;
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

/// A text and how it is cut; clones share both.
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

/// The entities of a text. They are counted first, and made when there is room for them.
async fn entities(
    ctx: &Context,
    model: &Loaded,
    cut: &Cut,
    scores: Vec<WindowScores>,
    room: &mut Room<'_>,
) -> Result<Vec<Entity>, JobError> {
    let (read, labels) = (cut.clone(), model.labels().clone());
    let finding = move || decode::find(&read.text, &read.windows, scores, &labels);
    let findings = ctx.cpu.run("decode", finding).await?;
    let (found, max) = (findings.len(), ctx.entities_max);
    if found > max {
        return Err(JobError::TooManyEntities { found, max });
    }
    room.fit(cut.contents(found)).await?;
    let (read, labels) = (cut.clone(), model.labels().clone());
    let placing = move || decode::place(&read.text, &read.windows, &findings, &labels);
    Ok(ctx.cpu.run("decode", placing).await?)
}

/// Stores the extracted text under a key with its own hash, so that a superseded run overwrites nothing.
async fn store_text(ctx: &Context, claim: &Claim, text: &str) -> Result<(BlobKey, [u8; 32]), JobError> {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let hashed = bytes.clone();
    let sha256: [u8; 32] = ctx
        .cpu
        .run("store_text", move || Sha256::digest(&hashed).into())
        .await?;
    let key = BlobKey::text(claim.key.bucket, &claim.client, claim.document, &hex(&sha256));
    ctx.blobs.put_bytes(&key, bytes).await?;
    Ok((key, sha256))
}

/// A step of a job, as metrics and traces show it.
pub(crate) async fn stage<T>(name: &'static str, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = work.instrument(tracing::debug_span!("stage", otel.name = name)).await;
    metrics::stage(name, began.elapsed());
    done
}
