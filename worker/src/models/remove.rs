//! Out of the bucket.

use docket_shared::blob::BlobStore;
use docket_shared::model;

use super::stored;
use crate::infer::manifest::MANIFEST_FILE;
use crate::release::Release;

/// Removes a version unless it is the current one. The manifest goes first: without it the version is not there, and what
/// an interrupted removal leaves is removed by the next. Idempotent.
pub async fn remove(blobs: &BlobStore, model: &Release) -> anyhow::Result<String> {
    let Release { name, version } = model;
    if stored::current(blobs, name).await?.as_ref() == Some(version) {
        anyhow::bail!("{model} is the current version of {name}: make another one current first, by `models use`");
    }
    let files = stored::keys(blobs, &format!("{name}/{version}/")).await?;
    if files.is_empty() {
        return Ok(format!("{model} is not in the bucket"));
    }
    blobs.delete(&model::file_key(name, version, MANIFEST_FILE)).await?;
    for file in &files {
        blobs.delete(&model::file_key(name, version, file)).await?;
    }
    Ok(format!(
        "removed: {model}; jobs that ask for this version will fail, as for one that never was"
    ))
}
