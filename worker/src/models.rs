//! Models in the bucket, as an operator handles them.

use std::path::Path;

use docket_shared::blob::{BlobError, BlobStore};
use docket_shared::model::{self, Current, MANIFEST_BYTES_MAX};

use crate::infer::manifest::{MANIFEST_FILE, Manifest};

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
