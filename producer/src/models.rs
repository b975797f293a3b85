//! Which models exist, as the bucket says: a name is there when a version of it is published as current, a version when its
//! manifest is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_shared::blob::{BlobError, BlobKey, BlobStore};
use docket_shared::ids::{ModelName, ModelRef, ModelVersion};
use docket_shared::model::{self, MANIFEST_BYTES_MAX, ModelError};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use tokio::sync::Mutex;

/// How long an answer is believed: a model published now can be named in an upload after this time.
const BELIEVED: Duration = Duration::from_secs(5);
/// Models remembered at most: unknown ones come from callers, so their number has no bound of its own.
const REFS_MAX: usize = 1_000;
/// Objects of one listing: what S3 gives at most.
const PAGE: i32 = 1_000;
/// Listings at most: ten thousand objects are more than a thousand versions.
const PAGES_MAX: usize = 10;
/// Models whose manifests are read at a time: enough to hide the store's latency.
const READS_MAX: usize = 8;
/// Where all models are.
const PREFIX: &str = "models/";
/// Name of a version's manifest.
const MANIFEST_FILE: &str = "manifest.json";
/// Name of the pointer to the version that holds.
const POINTER_FILE: &str = "current.json";

/// What became of looking a model up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// It can be named.
    Published,
    /// There is no model of this name.
    NoModel,
    /// There is, but not this version of it.
    NoVersion,
}

/// A model that can be named.
#[derive(Debug, Clone)]
pub struct Published {
    /// Its name.
    pub name: ModelName,
    /// The version that holds.
    pub current: Option<ModelVersion>,
    /// Its versions, the one published last first.
    pub versions: Vec<ModelVersion>,
    /// What is said about the version that holds.
    pub about: Option<About>,
}

/// What a manifest says about a model, as far as callers are concerned.
#[derive(Debug, Clone, Deserialize)]
pub struct About {
    /// What it is for, in a line.
    pub description: String,
    /// Under which terms it may be used.
    pub licence: String,
}

/// All models, and when they were read.
type Listing = (Instant, Arc<[Published]>);

/// A cached view of the models in the bucket; clones share the cache.
#[derive(Clone)]
pub struct Models {
    blobs: BlobStore,
    known: Arc<Mutex<HashMap<ModelRef, (Instant, Lookup)>>>,
    published: Arc<Mutex<Option<Listing>>>,
}

impl Models {
    /// A view of this bucket.
    pub fn new(blobs: BlobStore) -> Self {
        Self {
            blobs,
            known: Arc::default(),
            published: Arc::default(),
        }
    }

    /// Whether a model is published, and this version of it when one is named.
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

    /// Whether a pointer or a manifest is there. What is in it is for the worker to judge: a job says so then.
    async fn exists(&self, key: &BlobKey) -> Result<bool, BlobError> {
        match self.blobs.get(key, MANIFEST_BYTES_MAX).await {
            Ok(_) | Err(BlobError::TooLarge { .. }) => Ok(true),
            Err(BlobError::NotFound { .. }) => Ok(false),
            Err(error @ BlobError::Unavailable { .. }) => Err(error),
        }
    }

    /// All models, by name.
    pub async fn published(&self) -> Result<Arc<[Published]>, BlobError> {
        let mut published = self.published.lock().await; // Held while they are read: who comes meanwhile gets them too.
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

    /// The versions of every name, by the keys of their manifests.
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
        let current = match model::current(&self.blobs, &name).await {
            Ok(current) => Some(current.version),
            // It is being published, or a worker will refuse it: its versions can be named all the same.
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

/// The name, and the version, that an object makes known: `models/<name>/current.json` or
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
