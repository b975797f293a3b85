//! Publishes a model: from a folder into the bucket.

use std::path::Path;

use anyhow::Context as _;
use docket_contract::model::{self, Current};
use docket_objects::BlobStore;
use docket_process::settings::Env;

use crate::models::{gate, settings, stored};
use docket_engine::infer::manifest::{MANIFEST_FILE, Manifest};
use docket_engine::model::Model;
use docket_engine::release::Release;

/// How to publish.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether the current version stays current. If there is none, the published version becomes current.
    pub keep_current: bool,
}

/// Checks a model's folder, holds the model against its gate and puts it into the bucket. Idempotent: a version that the bucket
/// has already, exactly as in the folder, is not tried again.
pub async fn publish(blobs: &BlobStore, env: &Env, folder: &Path, options: Options) -> anyhow::Result<String> {
    let manifest = Manifest::from_folder(folder)?;
    let checked = (manifest.clone(), folder.to_owned());
    tokio::task::spawn_blocking(move || checked.0.verify(&checked.1)).await??;
    let version = manifest.release();
    match stored::manifest(blobs, &version).await? {
        Some(published) if published == manifest => {}
        Some(_) => {
            anyhow::bail!("{version} is in the bucket already, and not as in the folder: give it another version")
        }
        None => {
            try_out(env, folder, &version).await?;
            upload(blobs, folder, &manifest, &version).await?;
        }
    }
    if options.keep_current
        && let Some(current) = stored::current(blobs, &version.name).await?
    {
        return Ok(format!("published: {version}; current is {current}"));
    }
    let current = Current {
        version: version.version.clone(),
    };
    docket_objects::set_current(blobs, &version.name, &current).await?;
    Ok(format!("published: {version}"))
}

/// Loads the model, runs it and holds it against its gate.
async fn try_out(env: &Env, folder: &Path, version: &Release) -> anyhow::Result<()> {
    let settings = settings(env).context("a model is tried out before it is published")?;
    let model = Model::load(folder, &settings).await?;
    let verdict = gate::judge(&model, folder).await?;
    model.stop().await;
    match verdict {
        None => eprintln!("warning: {version} has no gate in its manifest: how accurate it is has not been checked"),
        Some(verdict) if verdict.is_pass() => println!("gate passed: {verdict}"),
        Some(verdict) => anyhow::bail!("{version} is not accurate enough to be published: {verdict}"),
    }
    Ok(())
}

/// Uploads the files, then the manifest, which makes the version exist.
async fn upload(blobs: &BlobStore, folder: &Path, manifest: &Manifest, version: &Release) -> anyhow::Result<()> {
    let Release { name, version } = version;
    for file in manifest.files.keys() {
        let key = model::file_key(name, version, file);
        blobs.put_file(&key, &folder.join(file)).await?;
    }
    let key = model::file_key(name, version, MANIFEST_FILE);
    blobs.put_bytes(&key, manifest.to_json().into()).await?;
    Ok(())
}
