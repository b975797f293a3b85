//! Removes a version from the bucket.

use docket_contract::model;
use docket_objects::BlobStore;

use crate::models::stored;
use docket_engine::infer::manifest::MANIFEST_FILE;
use docket_engine::release::Release;

/// Removes a version unless it is current. The manifest goes first, which ends the version's existence. The next call removes
/// what an interrupted one left. Idempotent.
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
