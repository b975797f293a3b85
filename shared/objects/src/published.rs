//! Which models the bucket has. A name can be used once a version of it is current, a version once its manifest exists.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_contract::ids::{ModelName, ModelRef, ModelVersion};
use docket_contract::model::{self, MANIFEST_BYTES_MAX};
use docket_contract::object_key::BlobKey;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{BlobError, BlobStore, ModelError, current};

/// How long an answer is believed. A new model can be named in an upload after this time.
const BELIEVED: Duration = Duration::from_secs(5);
/// Most model references remembered. Callers make up unknown ones, so their number has no other bound.
const REFS_MAX: usize = 1_000;
/// Objects per listing: the most that S3 gives at once.
const PAGE: i32 = 1_000;
/// Most listings: ten thousand objects are more than a thousand versions.
const PAGES_MAX: usize = 10;
/// Manifests read at a time: enough to hide the store's latency.
const READS_MAX: usize = 8;
/// Prefix of all keys of models.
const PREFIX: &str = "models/";
/// Name of a version's manifest.
const MANIFEST_FILE: &str = "manifest.json";
/// Name of the object that names a model's current version.
const POINTER_FILE: &str = "current.json";

/// The outcome of looking a model up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// The model can be named in an upload.
    Published,
    /// The bucket has no model of this name.
    NoModel,
    /// The model exists, but not this version of it.
    NoVersion,
}

/// A model that can be named in an upload.
#[derive(Debug, Clone)]
pub struct Published {
    /// The model's name.
    pub name: ModelName,
    /// The current version; `None` when the pointer is missing or unreadable.
    pub current: Option<ModelVersion>,
    /// The model's versions, newest first.
    pub versions: Vec<ModelVersion>,
    /// What the manifest of the current version says; `None` without a readable manifest.
    pub about: Option<About>,
}

/// The part of a manifest that matters to callers.
#[derive(Debug, Clone, Deserialize)]
pub struct About {
    /// What the model is for, in one line.
    pub description: String,
    /// The languages that the model reads, as BCP 47 codes; empty when its author does not say.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Licence of the model.
    pub licence: String,
}

/// When the models were read, and all of them.
type Listing = (Instant, Arc<[Published]>);

/// A cached view of the models in the bucket; clones share the cache.
#[derive(Clone)]
pub struct Models {
    blobs: BlobStore,
    known: Arc<Mutex<HashMap<ModelRef, (Instant, Lookup)>>>,
    published: Arc<Mutex<Option<Listing>>>,
}

impl Models {
    /// A view of this bucket, with an empty cache.
    pub fn new(blobs: BlobStore) -> Self {
        Self {
            blobs,
            known: Arc::default(),
            published: Arc::default(),
        }
    }

    /// Whether a model is published, and the version that it names, if any.
    pub async fn lookup(&self, model: &ModelRef) -> Result<Lookup, BlobError> {
        if let Some((asked, found)) = self.known.lock().await.get(model)
            && asked.elapsed() < BELIEVED
        {
            return Ok(*found);
        }
        let found = self.look_up(model).await?;
        let mut known = self.known.lock().await;
        if known.len() >= REFS_MAX {
            known.clear();
        }
        known.insert(model.clone(), (Instant::now(), found));
        Ok(found)
    }

    async fn look_up(&self, model: &ModelRef) -> Result<Lookup, BlobError> {
        if let Some(version) = &model.version {
            let manifest = model::file_key(&model.name, version, MANIFEST_FILE);
            if self.exists(&manifest).await? {
                return Ok(Lookup::Published);
            }
        }
        let named = self.exists(&model::pointer_key(&model.name)).await?;
        Ok(match (&model.version, named) {
            (_, false) => Lookup::NoModel,
            (None, true) => Lookup::Published,
            (Some(_), true) => Lookup::NoVersion,
        })
    }

    /// Whether a pointer or a manifest exists. Its content is for the worker to judge, whose jobs then fail with the reason.
    async fn exists(&self, key: &BlobKey) -> Result<bool, BlobError> {
        match self.blobs.get(key, MANIFEST_BYTES_MAX).await {
            Ok(_) | Err(BlobError::TooLarge { .. }) => Ok(true),
            Err(BlobError::NotFound { .. }) => Ok(false),
            Err(error @ BlobError::Unavailable { .. }) => Err(error),
        }
    }

    /// All models, by name.
    pub async fn published(&self) -> Result<Arc<[Published]>, BlobError> {
        let mut published = self.published.lock().await; // Held while they are read, so that others wait for the same answer.
        match &*published {
            Some((read, models)) if read.elapsed() < BELIEVED => Ok(models.clone()),
            Some(_) | None => {
                let models: Arc<[Published]> = self.read_all().await?.into();
                *published = Some((Instant::now(), models.clone()));
                Ok(models)
            }
        }
    }

    async fn read_all(&self) -> Result<Vec<Published>, BlobError> {
        let models = stream::iter(self.versions().await?);
        let models = models.map(|(name, versions)| self.describe(name, versions));
        models.buffered(READS_MAX).try_collect().await
    }

    /// The names, each with its versions, from the keys of pointers and manifests.
    async fn versions(&self) -> Result<BTreeMap<ModelName, Vec<(i64, ModelVersion)>>, BlobError> {
        let mut found = BTreeMap::<_, Vec<_>>::new();
        let mut after = None;
        for _ in 0..PAGES_MAX {
            let page = self.blobs.list(PREFIX, after.as_ref(), PAGE).await?;
            for object in &page {
                match named_by(&object.key) {
                    Some((name, Some(version))) => found.entry(name).or_default().push((object.stored_at, version)),
                    Some((name, None)) => drop(found.entry(name).or_default()),
                    None => {}
                }
            }
            after = page.last().map(|object| object.key.clone());
            if page.len() < PAGE as usize {
                return Ok(found);
            }
        }
        tracing::warn!(
            objects = PAGES_MAX * PAGE as usize,
            "there are more models than are listed"
        );
        Ok(found)
    }

    async fn describe(&self, name: ModelName, mut versions: Vec<(i64, ModelVersion)>) -> Result<Published, BlobError> {
        versions.sort_by_key(|(stored_at, _)| std::cmp::Reverse(*stored_at));
        let current = match current(&self.blobs, &name).await {
            Ok(current) => Some(current.version),
            // The model is being published, or workers will refuse it. Its versions can be named all the same.
            Err(
                ModelError::Blob(BlobError::NotFound { .. } | BlobError::TooLarge { .. })
                | ModelError::Malformed { .. },
            ) => None,
            Err(ModelError::Blob(error @ BlobError::Unavailable { .. })) => return Err(error),
        };
        let about = match &current {
            Some(version) => self.about(&model::file_key(&name, version, MANIFEST_FILE)).await?,
            None => None,
        };
        Ok(Published {
            name,
            current,
            versions: versions.into_iter().map(|(_, version)| version).collect(),
            about,
        })
    }

    async fn about(&self, manifest: &BlobKey) -> Result<Option<About>, BlobError> {
        match self.blobs.get(manifest, MANIFEST_BYTES_MAX).await {
            Ok(json) => Ok(serde_json::from_slice(&json).ok()),
            Err(BlobError::NotFound { .. } | BlobError::TooLarge { .. }) => Ok(None),
            Err(error @ BlobError::Unavailable { .. }) => Err(error),
        }
    }
}

/// The name and version that an object's key makes known: `models/<name>/current.json` or
/// `models/<name>/<version>/manifest.json`.
fn named_by(key: &BlobKey) -> Option<(ModelName, Option<ModelVersion>)> {
    let mut parts = key.as_str().strip_prefix(PREFIX)?.split('/');
    let name = parts.next()?.parse().ok()?;
    match (parts.next()?, parts.next(), parts.next()) {
        (POINTER_FILE, None, None) => Some((name, None)),
        (version, Some(MANIFEST_FILE), None) => Some((name, Some(version.parse().ok()?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pointers_and_manifests_make_models_known() {
        let named = |key: &str| {
            let (name, version) = named_by(&BlobKey::from_stored(key.to_owned()))?;
            Some(ModelRef { name, version }.to_string())
        };
        assert_eq!(named("models/ner/current.json").as_deref(), Some("ner"));
        assert_eq!(named("models/ner/2/manifest.json").as_deref(), Some("ner@2"));
        for other in [
            "models/ner/2/model.onnx",
            "models/ner/2/x/manifest.json",
            "models/current.json",
            "texts/ner/current.json",
            "models/ner/ä/manifest.json",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
