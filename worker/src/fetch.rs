//! Models from the bucket to this machine's disk.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use docket_shared::blob::{BlobError, BlobKey, BlobStore};
use docket_shared::ids::ModelName;
use docket_shared::model::{self, MANIFEST_BYTES_MAX};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use crate::infer::manifest::{MANIFEST_FILE, Manifest, ManifestError};

/// How files end that are not whole yet.
const PART: &str = ".part";
/// Age from which such a file is what a killed worker left: no model takes that long to fetch.
const PART_AGE_MAX: Duration = Duration::from_secs(3600);

/// Why a version of a model is not on this machine.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There is no such model, or no such version of it.
    #[error("{model} is not published")]
    NotPublished {
        /// Its name, with the version when one was asked for.
        model: String,
    },
    /// The bucket did not give it; it may later.
    #[error(transparent)]
    Store(BlobError),
    /// The pointer to the version that holds is unreadable.
    #[error(transparent)]
    Pointer(model::ModelError),
    /// What came is not what the manifest says, or that is no good itself.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The cache cannot be written.
    #[error("write {path} (DOCKET_MODEL_CACHE_DIR)")]
    Cache {
        /// A file or a folder in it.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Checking ended without a result, by a panic.
    #[error("checking the model's files panicked")]
    Panicked,
}

/// The version of a model that holds.
pub async fn current(blobs: &BlobStore, name: &ModelName) -> Result<String, FetchError> {
    match model::current(blobs, name).await {
        Ok(current) => Ok(current.version),
        Err(model::ModelError::Blob(error)) => Err(absent(name.to_string(), error)),
        Err(error @ model::ModelError::Malformed { .. }) => Err(FetchError::Pointer(error)),
    }
}

/// Brings a version's files into the cache, and gives their folder; those that are there already are kept, and all are
/// checked.
pub async fn fetch(blobs: &BlobStore, name: &ModelName, version: &str, cache: &Path) -> Result<PathBuf, FetchError> {
    let key = model::file_key(name, version, MANIFEST_FILE);
    let manifest = blobs.get(&key, MANIFEST_BYTES_MAX).await;
    let bytes = manifest.map_err(|error| absent(format!("{name}@{version}"), error))?;
    let manifest = Manifest::from_json(&bytes)?;
    let folder = cache.join(name.as_str()).join(version);
    let made = tokio::fs::create_dir_all(&folder).await;
    made.map_err(|source| unwritable(&folder, source))?;
    let swept = sweep(&folder).await;
    swept.map_err(|source| unwritable(&folder, source))?;
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
    let written = write_whole(&manifest_path, &bytes).await;
    written.map_err(|source| unwritable(&manifest_path, source))?;
    let checked = (manifest, folder.clone());
    let verified = tokio::task::spawn_blocking(move || checked.0.verify(&checked.1)).await;
    let verified = verified.map_err(|_| FetchError::Panicked)?;
    if verified.is_err() {
        // What a crash or a disk spoiled is fetched anew by the next try.
        let removed = tokio::fs::remove_dir_all(&folder).await;
        removed.map_err(|source| unwritable(&folder, source))?;
    }
    verified?;
    Ok(folder)
}

fn absent(model: String, error: BlobError) -> FetchError {
    match error {
        BlobError::NotFound { .. } => FetchError::NotPublished { model },
        error @ (BlobError::TooLarge { .. } | BlobError::Unavailable { .. }) => FetchError::Store(error),
    }
}

fn unwritable(path: &Path, source: std::io::Error) -> FetchError {
    let path = path.to_owned();
    FetchError::Cache { path, source }
}

/// Streams an object into a file that appears only when it is whole: workers of one machine may share the cache.
async fn download(blobs: &BlobStore, key: &BlobKey, path: &Path) -> Result<(), FetchError> {
    let (mut body, _) = blobs.open(key).await.map_err(FetchError::Store)?;
    let cut = |source| BlobError::Unavailable {
        action: "read",
        key: key.clone(),
        source,
    };
    let unwritable = |source| unwritable(path, source);
    let (file, temporary) = temporary(path).map_err(unwritable)?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| FetchError::Store(cut(error.into())))?;
        file.write_all(&chunk).await.map_err(unwritable)?;
    }
    file.sync_all().await.map_err(unwritable)?;
    temporary.persist(path).map_err(|error| unwritable(error.error))
}

async fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let (_, temporary) = temporary(path)?.into_parts();
    tokio::fs::write(&temporary, bytes).await?;
    Ok(temporary.persist(path)?)
}

/// Removes what killed workers left in a folder.
async fn sweep(folder: &Path) -> std::io::Result<()> {
    let mut files = tokio::fs::read_dir(folder).await?;
    while let Some(file) = files.next_entry().await? {
        let is_part = file.file_name().to_string_lossy().ends_with(PART);
        let age = file.metadata().await?.modified()?.elapsed().unwrap_or_default();
        if is_part && age > PART_AGE_MAX {
            tokio::fs::remove_file(file.path()).await?;
        }
    }
    Ok(())
}

/// A file beside another one, of a name that nobody else has; gone when it is not kept. Others may read it: the cache may be
/// shared by workers of different users.
fn temporary(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let readable = Permissions::from_mode(0o644);
    tempfile::Builder::new()
        .suffix(PART)
        .permissions(readable)
        .tempfile_in(folder)
}
