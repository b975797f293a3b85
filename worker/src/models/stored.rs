//! What the bucket has of models, and how they are named on a command line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use anyhow::Context as _;
use docket_shared::blob::{BlobError, BlobStore};
use docket_shared::ids::{InvalidName, ModelName, ModelRef};
use docket_shared::model::{self, MANIFEST_BYTES_MAX, ModelError};

use crate::infer::manifest::{MANIFEST_FILE, Manifest};

/// What the keys of models begin with.
const PREFIX: &str = "models/";
/// Keys of one listing: as many as S3 gives at once.
const LISTING_KEYS_MAX: i32 = 1000;

/// A version of a model: `NAME@VERSION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The model.
    pub name: ModelName,
    /// Its version.
    pub version: String,
}

impl FromStr for Release {
    type Err = String;
    fn from_str(raw: &str) -> Result<Self, String> {
        let ModelRef { name, version } = raw.parse().map_err(|error: InvalidName| error.to_string())?;
        let version = version.ok_or("name the version too, as NAME@VERSION")?.into();
        Ok(Self { name, version })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// The version that a name means.
pub async fn version_of(blobs: &BlobStore, model: &ModelRef) -> anyhow::Result<String> {
    match &model.version {
        Some(version) => Ok(version.as_str().to_owned()),
        None => {
            let current = current(blobs, &model.name).await?;
            current.with_context(|| format!("no version of {} is current in the bucket: name one", model.name))
        }
    }
}

/// The current version of a model; none if there is no such model, or none of its versions is current.
pub(super) async fn current(blobs: &BlobStore, name: &ModelName) -> anyhow::Result<Option<String>> {
    match model::current(blobs, name).await {
        Ok(current) => Ok(Some(current.version)),
        Err(ModelError::Blob(BlobError::NotFound { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The manifest of a version; none if there is no such version.
pub(super) async fn manifest(blobs: &BlobStore, model: &Release) -> anyhow::Result<Option<Manifest>> {
    let key = model::file_key(&model.name, &model.version, MANIFEST_FILE);
    match blobs.get(&key, MANIFEST_BYTES_MAX).await {
        Ok(bytes) => Ok(Some(Manifest::from_json(&bytes)?)),
        Err(BlobError::NotFound { .. }) => Ok(None),
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
pub(super) async fn versions(blobs: &BlobStore) -> anyhow::Result<BTreeMap<ModelName, BTreeSet<String>>> {
    let mut versions: BTreeMap<ModelName, BTreeSet<String>> = BTreeMap::new();
    for key in keys(blobs, "").await? {
        let mut parts = key.splitn(3, '/');
        if let (Some(name), Some(version), Some(_file)) = (parts.next(), parts.next(), parts.next())
            && let Ok(name) = name.parse()
        {
            versions.entry(name).or_default().insert(version.to_owned());
        }
    }
    Ok(versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_a_name_and_a_version() {
        let release: Release = "ner-legal@2.1".parse().expect("it is one");
        assert_eq!(release.to_string(), "ner-legal@2.1");
        let error = "ner-legal".parse::<Release>().expect_err("the version is missing");
        assert!(error.contains("NAME@VERSION"), "{error}");
        assert!("m@a/b".parse::<Release>().is_err());
    }
}
