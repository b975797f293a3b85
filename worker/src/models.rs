//! Models between the bucket and this machine: published from a folder, fetched into the cache, loaded from there.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use docket_shared::blob::{BlobError, BlobStore};
use docket_shared::ids::ModelName;
use docket_shared::model::{self, Current};
use docket_shared::telemetry;
use tokio::io::AsyncWriteExt;

use crate::config::{EngineConfig, WorkerConfig};
use crate::infer::manifest::{MANIFEST_FILE, Manifest};
use crate::model::{Model, ModelSettings};

/// A manifest is a list of a few files; more is not one, in bytes.
const MANIFEST_BYTES_MAX: u64 = 256 * 1024;
/// How long a worker waits at its start for a store that does not answer.
const STORE_WAIT_MAX: Duration = Duration::from_secs(60);
/// Pause between two tries.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Checks a model's folder, puts it into the bucket and makes its version the one that holds. The pointer is written last,
/// so that a version is either there as a whole or not named. Idempotent.
pub async fn publish(blobs: &BlobStore, folder: &Path) -> anyhow::Result<()> {
    let manifest = Manifest::from_folder(folder)?;
    let checked = (manifest.clone(), folder.to_owned());
    tokio::task::spawn_blocking(move || checked.0.verify(&checked.1)).await??;
    let (name, version) = (&manifest.about.name, manifest.about.version.as_str());
    let manifest_key = model::file_key(name, version, MANIFEST_FILE);
    let published = match blobs.get(&manifest_key, MANIFEST_BYTES_MAX).await {
        Ok(bytes) => Some(Manifest::from_json(&bytes)?),
        Err(BlobError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    match published {
        Some(published) if published.files == manifest.files => {}
        Some(_) => {
            anyhow::bail!("version {version} of {name} is published with other files: give this one another version")
        }
        None => {
            for file in manifest.files.keys() {
                blobs
                    .put_file(&model::file_key(name, version, file), &folder.join(file))
                    .await?;
            }
            blobs.put_bytes(&manifest_key, manifest.to_json().into()).await?;
        }
    }
    model::set_current(
        blobs,
        name,
        &Current {
            version: version.to_owned(),
        },
    )
    .await?;
    println!("published: {name}@{version}");
    Ok(())
}

/// Fetches the version of the configured model that holds, and loads it.
pub async fn load(blobs: &BlobStore, config: &WorkerConfig) -> anyhow::Result<Model> {
    let began = Instant::now();
    let folder = loop {
        match fetch(blobs, &config.model, &config.model_cache_dir).await {
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

/// Brings a model's files into the cache; those that are there already are kept, and all are checked when it is loaded.
async fn fetch(blobs: &BlobStore, name: &ModelName, cache: &Path) -> anyhow::Result<PathBuf> {
    let version = model::current(blobs, name).await?.version;
    let key = model::file_key(name, &version, MANIFEST_FILE);
    let bytes = blobs
        .get(&key, MANIFEST_BYTES_MAX)
        .await
        .map_err(model::ModelError::Blob)?;
    let manifest = Manifest::from_json(&bytes)?;
    let folder = cache.join(name.as_str()).join(&version);
    let made = tokio::fs::create_dir_all(&folder).await;
    made.with_context(|| format!("make {} (DOCKET_MODEL_CACHE_DIR)", folder.display()))?;
    for (file, entry) in &manifest.files {
        let path = folder.join(file);
        let there = tokio::fs::metadata(&path)
            .await
            .is_ok_and(|found| found.len() == entry.bytes);
        if !there {
            download(blobs, &model::file_key(name, &version, file), &path).await?;
        }
    }
    let manifest_path = folder.join(MANIFEST_FILE);
    write_whole(&manifest_path, &bytes).await?;
    let checked = (manifest, folder.clone());
    let verified = tokio::task::spawn_blocking(move || checked.0.verify(&checked.1)).await?;
    if verified.is_err() {
        // What a crash or a disk spoiled is fetched anew by the next start, or by the next try of this one.
        tokio::fs::remove_dir_all(&folder).await?;
    }
    verified?;
    Ok(folder)
}

/// Streams an object into a file that appears only when it is whole: workers of one machine may share the cache.
async fn download(blobs: &BlobStore, key: &docket_shared::blob::BlobKey, path: &Path) -> anyhow::Result<()> {
    let (mut body, _) = blobs.open(key).await.map_err(model::ModelError::Blob)?;
    let temporary = temporary(path);
    let mut file = tokio::fs::File::create(&temporary).await?;
    while let Some(chunk) = body.next().await {
        file.write_all(&chunk.with_context(|| format!("read object {key}"))?)
            .await?;
    }
    file.sync_all().await?;
    tokio::fs::rename(&temporary, path).await?;
    Ok(())
}

async fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = temporary(path);
    tokio::fs::write(&temporary, bytes).await?;
    tokio::fs::rename(&temporary, path).await
}

fn temporary(path: &Path) -> PathBuf {
    path.with_extension(format!("{}.part", std::process::id()))
}
