//! The models that this worker serves: the current version of each model, and the versions that jobs insist on. A new current
//! version replaces the earlier version without a restart.

mod pinned;
mod turns;

use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use docket_contract::ids::{ClientId, ModelName, ModelVersion};
use docket_objects::BlobStore;
use docket_process::shutdown::Shutdown;
use docket_process::{metrics, telemetry};
use tokio::sync::OwnedSemaphorePermit;

use crate::cache::{Cache, InUse};
use crate::config::WorkerConfig;
use crate::fetch::{self, FetchError};
use docket_engine::model::{Model, ModelError, ModelSettings};
use docket_engine::release::Release;
use pinned::Pinned;

/// How long a starting worker waits for a store that does not answer, or for a model that is being published.
const STORE_WAIT_MAX: Duration = Duration::from_secs(60);
/// Pause between two tries of a starting worker.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Pause before a refused version is tried again: its files cannot change, but the machine's troubles pass.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

/// The models that this worker serves.
pub struct Serving {
    loader: Loader,
    poll: Duration,
    current: BTreeMap<ModelName, RwLock<Arc<Loaded>>>,
    pinned: Pinned,
}

/// A model that is ready to run. It stays loaded while a job holds it, whatever is published meanwhile.
pub struct Loaded {
    model: Model,
    /// How long fetching and loading took, without the wait for room.
    took: Duration,
    /// Keeps the model's files on disk, for the next worker to start.
    _files: InUse,
    _room: Room,
}

/// A version's place among the versions that jobs insist on; `None` for a current version.
type Room = Option<OwnedSemaphorePermit>;

impl Deref for Loaded {
    type Target = Model;
    fn deref(&self) -> &Model {
        &self.model
    }
}

/// Why a job gets no model.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// This worker does not serve the model.
    #[error("this worker does not serve {0}")]
    NotServed(ModelName),
    /// The version is not on this machine.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The version is on this machine and cannot be used.
    #[error(transparent)]
    Load(#[from] ModelError),
    /// The version is not loaded, and cannot be loaded just now.
    #[error("{0} is not loaded yet, or other versions have their turn (DOCKET_MODEL_VERSIONS)")]
    Busy(Release),
    /// Loading failed; every job that waits for the version gets this error.
    #[error(transparent)]
    Shared(Arc<Self>),
}

impl ServeError {
    /// Whether another try some seconds later would most likely fail in the same way.
    fn is_lasting(&self) -> bool {
        match self {
            Self::NotServed(_) | Self::Load(_) => true,
            Self::Fetch(FetchError::Manifest(_) | FetchError::Pointer(_)) => true,
            Self::Fetch(
                FetchError::NotPublished { .. }
                | FetchError::Store(_)
                | FetchError::TooSlow { .. }
                | FetchError::Cache(_)
                | FetchError::Panicked,
            )
            | Self::Busy(_) => false,
            Self::Shared(error) => error.is_lasting(),
        }
    }
}

/// Brings a version from the bucket into memory.
pub(crate) struct Loader {
    blobs: BlobStore,
    cache: Cache,
    settings: ModelSettings,
}

impl Loader {
    /// Fetches a version, waits until `room` gives it a place in memory, and loads it.
    async fn load(&self, release: &Release, room: impl Future<Output = Room>) -> Result<Loaded, ServeError> {
        let loaded = self.fetch_and_load(release, room).await;
        let Release { name, version } = release;
        metrics::model_loaded(name.as_str(), loaded.as_ref().ok().map(|loaded| loaded.took));
        let loaded = loaded?;
        tracing::info!(model = %name, %version, seconds = loaded.took.as_secs_f64(), "model loaded");
        Ok(loaded)
    }

    async fn fetch_and_load(&self, release: &Release, room: impl Future<Output = Room>) -> Result<Loaded, ServeError> {
        let began = Instant::now();
        let files = fetch::fetch(&self.blobs, release, &self.cache).await?;
        let fetching = began.elapsed();
        let room = room.await;
        let began = Instant::now();
        let model = Model::load(files.folder(), &self.settings).await?;
        Ok(Loaded {
            model,
            took: fetching + began.elapsed(),
            _files: files,
            _room: room,
        })
    }

    async fn load_current(&self, name: &ModelName) -> Result<Loaded, ServeError> {
        let version = fetch::current(&self.blobs, name).await;
        let version = version.inspect_err(|_| metrics::model_loaded(name.as_str(), None))?;
        let name = name.clone();
        self.load(&Release { name, version }, async { None }).await
    }
}

impl Serving {
    /// Loads the current version of each model.
    pub async fn start(blobs: &BlobStore, config: &WorkerConfig) -> anyhow::Result<Self> {
        let loader = Loader {
            blobs: blobs.clone(),
            cache: config.model_cache.clone(),
            settings: config.engine.clone(),
        };
        let mut current = BTreeMap::new();
        for name in config.models.iter() {
            let loading = until_there(|| loader.load_current(name)).await;
            let model = loading.with_context(|| format!("load model {name} (DOCKET_MODELS)"))?;
            metrics::model_serving(name.as_str(), model.manifest().about.version.as_str(), true);
            current.insert(name.clone(), RwLock::new(Arc::new(model)));
        }
        Ok(Self {
            loader,
            poll: config.model_poll,
            current,
            pinned: Pinned::new(config.model_versions, config.places()),
        })
    }

    /// Names of the served models.
    pub fn names(&self) -> impl Iterator<Item = &ModelName> {
        self.current.keys()
    }

    /// The current version of a model.
    pub fn current(&self, name: &ModelName) -> Result<Arc<Loaded>, ServeError> {
        let served = self.current.get(name);
        let served = served.ok_or_else(|| ServeError::NotServed(name.clone()))?;
        Ok(served.read().expect("no holder panics").clone())
    }

    /// The version that a job insists on, or else the current version. May wait some seconds until the version is loaded.
    pub async fn get(
        &self,
        client: &ClientId,
        name: &ModelName,
        version: Option<&ModelVersion>,
    ) -> Result<Arc<Loaded>, ServeError> {
        let current = self.current(name)?;
        match version {
            Some(version) if *version != current.manifest().about.version => {
                let (name, version) = (name.clone(), version.clone());
                self.pinned.get(client, &Release { name, version }).await
            }
            Some(_) | None => Ok(current),
        }
    }

    /// Loads the versions that jobs insist on, until the shutdown begins.
    pub async fn load_pinned(self: Arc<Self>, shutdown: Shutdown) {
        self.pinned.load_orders(&self.loader, &shutdown).await;
    }

    /// Every loaded version of a model, the current version last.
    pub fn loaded(&self, name: &ModelName) -> Vec<Arc<Loaded>> {
        let mut loaded = self.pinned.loaded(name);
        loaded.extend(self.current(name).ok());
        loaded
    }

    /// Windows that the loaded versions have read since they were loaded.
    pub fn windows(&self) -> u64 {
        let loaded = self.names().flat_map(|name| self.loaded(name));
        loaded.map(|model| model.batcher().progress().windows).sum()
    }

    /// Looks every few seconds for a new current version of each model. The worker changes to the new version once the version is
    /// loaded and tried out. Running jobs keep the earlier version until they end. A version that cannot be used is refused, and
    /// the earlier version stays.
    pub async fn watch(self: Arc<Self>, shutdown: Shutdown) {
        let mut refused = HashMap::new();
        while shutdown.sleep(self.poll).await {
            for name in self.current.keys() {
                let changed = shutdown.until_soft(self.follow(name, &mut refused)).await;
                if let Some(Err(error)) = changed {
                    let error = telemetry::chain(&error);
                    tracing::warn!(model = %name, error, "the current version is not known");
                }
            }
            self.pinned.forget_idle();
        }
    }

    async fn follow(&self, name: &ModelName, refused: &mut HashMap<ModelName, Refused>) -> Result<(), ServeError> {
        let held = self.current(name)?;
        let version = fetch::current(&self.loader.blobs, name).await?;
        let is_refused = refused.get(name).is_some_and(|refused| refused.holds(&version));
        if version == held.manifest().about.version || is_refused {
            return Ok(());
        }
        let name = name.clone();
        let release = Release { name, version };
        match self.loader.load(&release, async { None }).await {
            Ok(loaded) => self.change(&release.name, loaded),
            Err(error) => {
                let Release { name, version } = release;
                let (error, going_on) = (telemetry::chain(&error), &held.manifest().about.version);
                tracing::error!(model = %name, %version, %going_on, error, "a published version is refused");
                metrics::model_refused(name.as_str());
                refused.insert(name, Refused::now(version));
            }
        }
        Ok(())
    }

    fn change(&self, name: &ModelName, loaded: Loaded) {
        let version = loaded.manifest().about.version.clone();
        let mut current = self.current[name].write().expect("no holder panics");
        let earlier = std::mem::replace(&mut *current, Arc::new(loaded));
        let earlier = &earlier.manifest().about.version;
        metrics::model_serving(name.as_str(), earlier.as_str(), false);
        metrics::model_serving(name.as_str(), version.as_str(), true);
        tracing::info!(model = %name, %earlier, %version, "the current version changed");
    }
}

/// A version that could not be used, and when it was refused.
struct Refused {
    version: ModelVersion,
    at: Instant,
}

impl Refused {
    fn now(version: ModelVersion) -> Self {
        let at = Instant::now();
        Self { version, at }
    }

    fn holds(&self, version: &ModelVersion) -> bool {
        self.version == *version && self.at.elapsed() < REFUSED_PAUSE
    }
}

/// Tries again for a while when that may help: the store may be starting, or the model being published.
async fn until_there<F>(load: impl Fn() -> F) -> Result<Loaded, ServeError>
where
    F: Future<Output = Result<Loaded, ServeError>>,
{
    let began = Instant::now();
    loop {
        match load().await {
            Err(ServeError::Fetch(error @ (FetchError::NotPublished { .. } | FetchError::Store(_))))
                if began.elapsed() < STORE_WAIT_MAX =>
            {
                tracing::warn!(error = telemetry::chain(&error), "the model is not there yet");
                tokio::time::sleep(STORE_PAUSE).await;
            }
            loaded => return loaded,
        }
    }
}
