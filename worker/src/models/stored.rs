//! What the bucket has of models.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use docket_shared::blob::{BlobError, BlobStore};
use docket_shared::ids::{ModelName, ModelRef, ModelVersion};
use docket_shared::model::{self, ModelError};

use crate::fetch::{self, FetchError};
use crate::infer::manifest::Manifest;
use crate::release::Release;

/// What the keys of models begin with.
const PREFIX: &str = "models/";
/// Keys of one listing: as many as S3 gives at once.
const LISTING_KEYS_MAX: i32 = 1000;

/// The version that a name means.
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

/// The current version of a model; none if there is no such model, or none of its versions is current.
pub(super) async fn current(blobs: &BlobStore, name: &ModelName) -> anyhow::Result<Option<ModelVersion>> {
    match model::current(blobs, name).await {
        Ok(current) => Ok(Some(current.version)),
        Err(ModelError::Blob(BlobError::NotFound { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The manifest of a version; none if there is no such version.
pub(super) async fn manifest(blobs: &BlobStore, model: &Release) -> anyhow::Result<Option<Manifest>> {
    match fetch::manifest(blobs, model).await {
        Ok((manifest, _)) => Ok(Some(manifest)),
        Err(FetchError::NotPublished { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Keys that begin with `models/` and then `prefix`, without what they begin with.
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

/// Every model with the versions that have files, whole or not.
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
