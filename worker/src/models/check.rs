//! Checks whether a version in the bucket would work.

use std::time::Instant;

use anyhow::Context as _;
use docket_contract::ids::ModelRef;
use docket_objects::BlobStore;
use docket_process::settings::Env;

use crate::cache::Cache;
use crate::fetch::fetch;
use crate::models::stored::{self, release_of};
use crate::models::{gate, settings};
use docket_engine::infer::manifest::MODEL_BYTES_MAX;
use docket_engine::model::Model;

/// Fetches a version into a folder of its own, since a cache would hide what the bucket has lost. Then checks every file's hash,
/// loads and runs the model, and holds it against its gate.
pub async fn check(blobs: &BlobStore, env: &Env, model: &ModelRef) -> anyhow::Result<String> {
    let settings = settings(env)?;
    let version = release_of(blobs, model).await?;
    let manifest = stored::manifest(blobs, &version).await?;
    let manifest = manifest.with_context(|| format!("{version} is not in the bucket"))?;
    let cache = tempfile::tempdir().context("make a temporary folder")?;
    let fetched = fetch(blobs, &version, &Cache::new(cache.path().to_owned(), MODEL_BYTES_MAX)).await?;
    let (began, bytes) = (Instant::now(), manifest.bytes());
    let loaded = Model::load(fetched.folder(), &settings).await?;
    let load = began.elapsed();
    let verdict = gate::judge(&loaded, fetched.folder()).await?;
    loaded.stop().await;
    let judged = match verdict {
        None => "it has no gate".to_owned(),
        Some(verdict) if verdict.is_pass() => verdict.to_string(),
        Some(verdict) => anyhow::bail!("{version} is not accurate enough: {verdict}"),
    };
    Ok(format!(
        "{version} works: {} files of {bytes} bytes are as the manifest says; loaded and tried out in {:.1} s; {judged}",
        manifest.files.len(),
        load.as_secs_f64(),
    ))
}
