//! What the bucket holds of models.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use docket_contract::ids::{ModelName, ModelRef, ModelVersion};
use docket_objects::ModelError;
use docket_objects::{BlobError, BlobStore};

use crate::fetch::{self, FetchError};
use docket_engine::infer::manifest::Manifest;
use docket_engine::release::Release;

/// Prefix of all keys of models.
const PREFIX: &str = "models/";
/// Keys per listing: the most that S3 gives at once.
const LISTING_KEYS_MAX: i32 = 1000;

/// The version that a reference means: the named version, or else the current version.
pub async fn release_of(blobs: &BlobStore, model: &ModelRef) -> anyhow::Result<Release> {
    let name = model.name.clone();
    let version = match &model.version {
        Some(version) => version.clone(),
        None => {
            let current = current(blobs, &name).await?;
            current.with_context(|| format!("no version of {name} is current in the bucket: name one"))?
        }
    };
    Ok(Release { name, version })
}

/// The current version of a model; `None` if there is no such model or no version of it is current.
pub(super) async fn current(blobs: &BlobStore, name: &ModelName) -> anyhow::Result<Option<ModelVersion>> {
    match docket_objects::current(blobs, name).await {
        Ok(current) => Ok(Some(current.version)),
        Err(ModelError::Blob(BlobError::NotFound { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The manifest of a version; `None` if there is no such version.
pub(super) async fn manifest(blobs: &BlobStore, model: &Release) -> anyhow::Result<Option<Manifest>> {
    match fetch::manifest(blobs, model).await {
        Ok((manifest, _)) => Ok(Some(manifest)),
        Err(FetchError::NotPublished { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The rest of each key that begins with `models/` and `prefix`.
pub(super) async fn keys(blobs: &BlobStore, prefix: &str) -> anyhow::Result<Vec<String>> {
    let prefix = format!("{PREFIX}{prefix}");
    let mut keys = Vec::new();
    let mut last = None;
    loop {
        let listed = blobs.list(&prefix, last.as_ref(), LISTING_KEYS_MAX).await?;
        let Some(end) = listed.last() else {
            return Ok(keys);
        };
        last = Some(end.key.clone());
        let rest = listed
            .iter()
            .filter_map(|object| object.key.as_str().strip_prefix(&prefix));
        keys.extend(rest.map(str::to_owned));
    }
}

/// Every model and its versions that have any file, complete or not.
pub(super) async fn versions(blobs: &BlobStore) -> anyhow::Result<BTreeMap<ModelName, BTreeSet<ModelVersion>>> {
    let mut versions: BTreeMap<ModelName, BTreeSet<ModelVersion>> = BTreeMap::new();
    for key in keys(blobs, "").await? {
        let mut parts = key.splitn(3, '/');
        if let (Some(name), Some(version), Some(_file)) = (parts.next(), parts.next(), parts.next())
            && let (Ok(name), Ok(version)) = (name.parse(), version.parse())
        {
            versions.entry(name).or_default().insert(version);
        }
    }
    Ok(versions)
}
