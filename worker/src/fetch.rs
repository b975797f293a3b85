//! Fetches models from the bucket to this machine's disk. Writers of the bucket are trusted with models only: a name becomes a
//! path only if it is plain, and no more is fetched than the manifest says and a model may have.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use docket_contract::hex::hex;
use docket_contract::ids::{ModelName, ModelVersion};
use docket_contract::model::{self, MANIFEST_BYTES_MAX};
use docket_contract::object_key::BlobKey;
use docket_objects::{BlobError, BlobStore};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use crate::cache::{Cache, CacheError, InUse, unless_gone};
use docket_engine::infer::manifest::{FileEntry, MANIFEST_FILE, Manifest, ManifestError, PART_FILE_END};
use docket_engine::release::Release;

/// Longest time to fetch a version: the largest model then arrives at 7 MB/s. A store that is slower is as good as away. Whoever
/// starts workers should wait a little longer than this.
const FETCH_MAX: Duration = Duration::from_secs(10 * 60);
/// Age from which an incomplete file is taken for a killed worker's: no fetch takes so long.
const PART_AGE_MAX: Duration = Duration::from_secs(3600);

/// Why a version of a model is not on this machine.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The bucket has no such model, or no such version.
    #[error("{model} is not published")]
    NotPublished {
        /// The model's name, with the version if one was asked for.
        model: String,
    },
    /// The bucket did not give the file, but may do so later.
    #[error(transparent)]
    Store(BlobError),
    /// The pointer to the model's current version is unreadable.
    #[error(transparent)]
    Pointer(docket_objects::ModelError),
    /// A file is not what the manifest says, or the manifest itself is invalid.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The cache cannot keep the version.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Fetching took longer than ten minutes.
    #[error("{release} was not fetched within {FETCH_MAX:?}")]
    TooSlow {
        /// The version that was fetched.
        release: Release,
    },
    /// Checking the files panicked.
    #[error("checking the model's files panicked")]
    Panicked,
}

/// The current version of a model.
pub async fn current(blobs: &BlobStore, name: &ModelName) -> Result<ModelVersion, FetchError> {
    match docket_objects::current(blobs, name).await {
        Ok(current) => Ok(current.version),
        Err(docket_objects::ModelError::Blob(BlobError::NotFound { .. })) => Err(FetchError::NotPublished {
            model: name.to_string(),
        }),
        Err(docket_objects::ModelError::Blob(error @ BlobError::Unavailable { .. })) => Err(FetchError::Store(error)),
        Err(
            error @ (docket_objects::ModelError::Blob(BlobError::TooLarge { .. })
            | docket_objects::ModelError::Malformed { .. }),
        ) => Err(FetchError::Pointer(error)),
    }
}

/// The manifest of a version: checked, and as stored.
pub async fn manifest(blobs: &BlobStore, release: &Release) -> Result<(Manifest, Bytes), FetchError> {
    let key = model::file_key(&release.name, &release.version, MANIFEST_FILE);
    let bytes = blobs.get(&key, MANIFEST_BYTES_MAX).await.map_err(|error| match error {
        BlobError::NotFound { .. } => FetchError::NotPublished {
            model: release.to_string(),
        },
        BlobError::TooLarge { .. } => ManifestError::Invalid(error.to_string()).into(),
        BlobError::Unavailable { .. } => FetchError::Store(error),
    })?;
    Ok((Manifest::of(release, &bytes)?, bytes))
}

/// Brings a version's files into the cache, and keeps their folder from being removed. Unspoiled files that are there stay. Each
/// other file appears by one rename, once it is whole and matches the manifest. So any number of workers may fetch at once
/// without spoiling what another one reads.
pub async fn fetch(blobs: &BlobStore, release: &Release, cache: &Cache) -> Result<InUse, FetchError> {
    let fetched = tokio::time::timeout(FETCH_MAX, fetch_into(blobs, release, cache)).await;
    fetched.unwrap_or_else(|_elapsed| {
        let release = release.clone();
        Err(FetchError::TooSlow { release })
    })
}

async fn fetch_into(blobs: &BlobStore, release: &Release, cache: &Cache) -> Result<InUse, FetchError> {
    let (manifest, bytes) = manifest(blobs, release).await?;
    let in_use = cache.enter(release).await?;
    // The manifest first: it tells the cache that the folder is a version, whole or not.
    let path = in_use.folder().join(MANIFEST_FILE);
    keep(&path, &bytes).await.map_err(CacheError::of(&path))?;
    if missing(&manifest, in_use.folder()).await?.is_empty() {
        return Ok(in_use);
    }
    let _filling = cache.filling().await?;
    let making_room = (cache.clone(), release.clone(), manifest.bytes());
    let made = tokio::task::spawn_blocking(move || making_room.0.make_room(&making_room.1, making_room.2)).await;
    made.map_err(|_| FetchError::Panicked)??;
    let swept = sweep(in_use.folder()).await;
    swept.map_err(CacheError::of(in_use.folder()))?;
    for file in missing(&manifest, in_use.folder()).await? {
        let source = model::file_key(&release.name, &release.version, &file);
        let entry = (file.as_str(), &manifest.files[&file]);
        download(blobs, &source, entry, &in_use.folder().join(&file)).await?;
    }
    Ok(in_use)
}

/// The files that are missing in a folder, or differ from the manifest.
async fn missing(manifest: &Manifest, folder: &Path) -> Result<Vec<String>, FetchError> {
    let (manifest, folder) = (manifest.clone(), folder.to_owned());
    let looked = tokio::task::spawn_blocking(move || {
        let files = manifest.files.iter();
        let missing = files.filter(|(file, entry)| !holds(&folder.join(file), entry));
        missing.map(|(file, _)| file.clone()).collect()
    });
    looked.await.map_err(|_| FetchError::Panicked)
}

/// Whether the file matches the manifest. An unreadable file does not match, and is replaced. Nor does a link or a pipe, since no
/// worker puts one there.
fn holds(path: &Path, entry: &FileEntry) -> bool {
    let found = std::fs::symlink_metadata(path);
    found.is_ok_and(|found| found.is_file() && found.len() == entry.bytes)
        && FileEntry::of(path).is_ok_and(|found| found == *entry)
}

/// Streams an object into a file. The file appears, or replaces a spoiled one, once it is whole and matches the manifest.
async fn download(
    blobs: &BlobStore,
    key: &BlobKey,
    (name, entry): (&str, &FileEntry),
    path: &Path,
) -> Result<(), FetchError> {
    let (mut body, announced) = blobs.open(key).await.map_err(|error| match error {
        BlobError::NotFound { .. } => entry.differs(name, "it is not in the bucket").into(),
        error @ (BlobError::TooLarge { .. } | BlobError::Unavailable { .. }) => FetchError::Store(error),
    })?;
    if announced != entry.bytes {
        return Err(entry.differs(name, &format!("{announced} bytes")).into());
    }
    let cut = |source| BlobError::Unavailable {
        action: "read",
        key: key.clone(),
        source,
    };
    let unwritable = CacheError::of(path);
    let (file, temporary) = temporary(path).map_err(unwritable)?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| FetchError::Store(cut(error.into())))?;
        hash.update(&chunk);
        bytes += chunk.len() as u64;
        if bytes > entry.bytes {
            return Err(entry.differs(name, "more bytes than it has").into());
        }
        file.write_all(&chunk).await.map_err(unwritable)?;
    }
    let sha256 = hex(&hash.finalize());
    entry.compare(name, &FileEntry { sha256, bytes })?;
    file.sync_all().await.map_err(unwritable)?;
    temporary.persist(path).map_err(|error| unwritable(error.error))?;
    Ok(())
}

/// Writes the manifest into the folder, unless it is there: the folder may belong to another user and be complete.
async fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if tokio::fs::read(path).await.is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let (_, temporary) = temporary(path)?.into_parts();
    tokio::fs::write(&temporary, bytes).await?;
    Ok(temporary.persist(path)?)
}

/// Removes incomplete files of killed workers. Other workers rename files and sweep at the same time, so any file may vanish
/// meanwhile.
async fn sweep(folder: &Path) -> std::io::Result<()> {
    let mut files = tokio::fs::read_dir(folder).await?;
    while let Some(file) = files.next_entry().await? {
        let is_part = file.file_name().to_string_lossy().ends_with(PART_FILE_END);
        if is_part && unless_gone(is_left(&file).await)?.unwrap_or(false) {
            unless_gone(tokio::fs::remove_file(file.path()).await)?;
        }
    }
    Ok(())
}

async fn is_left(file: &tokio::fs::DirEntry) -> std::io::Result<bool> {
    let written = file.metadata().await?.modified()?;
    Ok(written.elapsed().unwrap_or_default() > PART_AGE_MAX)
}

/// A file with a unique name in the same folder, removed unless it is kept. Other users may read the file, since their workers
/// may share the cache.
fn temporary(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let readable = Permissions::from_mode(0o644);
    tempfile::Builder::new()
        .suffix(PART_FILE_END)
        .permissions(readable)
        .tempfile_in(folder)
}
