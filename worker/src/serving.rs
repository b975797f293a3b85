//! Which models this worker serves: loaded at its start.

use std::time::{Duration, Instant};

use anyhow::Context;
use docket_shared::blob::{BlobError, BlobStore};
use docket_shared::{model, telemetry};

use crate::config::{EngineConfig, WorkerConfig};
use crate::fetch::fetch;
use crate::model::{Model, ModelSettings};

/// How long a worker waits at its start for a store that does not answer.
const STORE_WAIT_MAX: Duration = Duration::from_secs(60);
/// Pause between two tries.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Fetches the version of the configured model that holds, and loads it.
pub async fn load(blobs: &BlobStore, config: &WorkerConfig) -> anyhow::Result<Model> {
    let began = Instant::now();
    let folder = loop {
        match fetch_current(blobs, config).await {
            Err(error) if is_passing(&error) && began.elapsed() < STORE_WAIT_MAX => {
                tracing::warn!(error = telemetry::chain(error.as_ref()), "the model is not there yet");
                tokio::time::sleep(STORE_PAUSE).await;
            }
            fetched => break fetched.with_context(|| format!("fetch model {} (DOCKET_MODEL)", config.model))?,
        }
    };
    let model = Model::load(&folder, &settings(&config.engine)).await?;
    tracing::info!(model = %config.model, seconds = began.elapsed().as_secs_f64(), "model loaded");
    Ok(model)
}

fn settings(engine: &EngineConfig) -> ModelSettings {
    let mut settings = ModelSettings::for_cpu(engine.onnxruntime_lib.clone(), engine.sessions);
    settings.threads = engine.threads;
    settings.pass.rows_max = engine.batch_windows;
    settings.pass.tokens_max = engine.batch_tokens;
    settings
}

/// Whether another try may help: the store may be starting, or the model may just be being published.
fn is_passing(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<model::ModelError>(),
        Some(model::ModelError::Blob(
            BlobError::NotFound { .. } | BlobError::Unavailable { .. }
        ))
    )
}

async fn fetch_current(blobs: &BlobStore, config: &WorkerConfig) -> anyhow::Result<std::path::PathBuf> {
    let version = model::current(blobs, &config.model).await?.version;
    fetch(blobs, &config.model, &version, &config.model_cache_dir).await
}
