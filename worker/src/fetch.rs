//! Models from the bucket to this machine's disk.

use std::path::{Path, PathBuf};

use anyhow::Context;
use docket_shared::blob::{BlobKey, BlobStore};
use docket_shared::ids::ModelName;
use docket_shared::model::{self, MANIFEST_BYTES_MAX};
use tokio::io::AsyncWriteExt;

use crate::infer::manifest::{MANIFEST_FILE, Manifest};

/// Brings a version's files into the cache, and gives their folder; those that are there already are kept, and all are checked when it is loaded.
pub async fn fetch(blobs: &BlobStore, name: &ModelName, version: &str, cache: &Path) -> anyhow::Result<PathBuf> {
    let key = model::file_key(name, version, MANIFEST_FILE);
    let bytes = blobs
        .get(&key, MANIFEST_BYTES_MAX)
        .await
        .map_err(model::ModelError::Blob)?;
    let manifest = Manifest::from_json(&bytes)?;
    let folder = cache.join(name.as_str()).join(version);
    let made = tokio::fs::create_dir_all(&folder).await;
    made.with_context(|| format!("make {} (DOCKET_MODEL_CACHE_DIR)", folder.display()))?;
    for (file, entry) in &manifest.files {
        let path = folder.join(file);
        let there = tokio::fs::metadata(&path)
            .await
            .is_ok_and(|found| found.len() == entry.bytes);
        if !there {
            download(blobs, &model::file_key(name, version, file), &path).await?;
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
async fn download(blobs: &BlobStore, key: &BlobKey, path: &Path) -> anyhow::Result<()> {
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
