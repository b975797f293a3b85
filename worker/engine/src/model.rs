//! A model that is ready to run: loaded from its folder, checked, warmed and tried out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use docket_process::failpoint;
use docket_process::metrics::Passes;
use tokio::sync::oneshot;

use crate::batch::{Batcher, PassLimits};
use crate::cpu::cores;
use crate::infer::InferError;
use crate::infer::engine::{self, Engine, Shapes};
use crate::infer::labels::{Labels, ModelConfig};
use crate::infer::manifest::{CONFIG_FILE, MODEL_FILE, Manifest, ManifestError, TOKENIZER_FILE};
use crate::infer::session::{LoadError, ModelSession, Provider, Runtime, Threads};
use crate::window::{Splitter, TextTokenizer, TokenizeError};

/// Longest time a model may take to load, in seconds: about two hundred times what the default model takes, to tell a library
/// that hangs from a slow one. Short enough that an operator does not lose patience.
pub const LOAD_SECONDS_MAX: u64 = 120;

/// Most tokens of a pass on a GPU, which small passes leave idle: the default of text-embeddings-inference's
/// `--max-batch-tokens`, some eighty windows of the default model.
const CUDA_PASS_TOKENS: usize = 16_384;

/// How to run models on this machine.
#[derive(Debug, Clone)]
pub struct ModelSettings {
    /// Path of onnxruntime's shared library.
    pub onnxruntime: PathBuf,
    /// Device that models run on.
    pub provider: Provider,
    /// Passes that may run at once, each with a session and a thread of its own. On a CPU one per core is fastest.
    pub sessions: usize,
    /// Threads of each session. More than one makes a pass faster and all passes together slower.
    pub threads: usize,
    /// How large a pass may be.
    pub pass: PassLimits,
    /// Longest time to load a model.
    pub load_max: Duration,
}

/// A model that is ready to run. Dropping the model stops its engines; [`Model::stop`] also waits for them.
#[derive(Debug)]
pub struct Model {
    manifest: Manifest,
    labels: Arc<Labels>,
    splitter: Arc<Splitter>,
    batcher: Batcher,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The folder differs from its manifest, or the manifest is invalid.
    #[error("check the model's folder")]
    Manifest(#[from] ManifestError),
    /// The tokenizer cannot be used.
    #[error("load the model's tokenizer")]
    Tokenizer(#[from] TokenizeError),
    /// onnxruntime or the model cannot be loaded.
    #[error("load the model")]
    Load(#[from] LoadError),
    /// The model was loaded and then failed its trial.
    #[error("try the model out")]
    Trial(#[from] InferError),
    /// The model's parts do not fit each other.
    #[error("the model cannot be used: {0}")]
    Unfit(String),
    /// The engines' threads cannot be started.
    #[error("start the model's threads")]
    Threads(#[source] std::io::Error),
    /// Loading took too long: most likely the library hangs.
    #[error("the model was not loaded within {0:?}")]
    TooSlow(Duration),
    /// Loading panicked.
    #[error("loading the model panicked")]
    Panicked,
}

impl ModelSettings {
    /// For CPUs: one session per core, and each window in a pass of its own.
    ///
    /// Several rows gain nothing on a CPU, and one row has no padding. Measured with the default model: 192 tokens run as fast
    /// alone as in eight rows, and only windows under 64 tokens lose a tenth. Single rows also give the same answer every time. A
    /// dynamically quantized model, as the default one is, scales by the largest value *in the pass*, so its answers depend on
    /// the other rows and on padding: of eleven thousand tokens 17 got another label.
    pub fn for_cpu(onnxruntime: PathBuf, cores: usize) -> Self {
        Self {
            onnxruntime,
            provider: Provider::Cpu,
            sessions: cores.max(1),
            threads: 1,
            pass: PassLimits {
                tokens_max: usize::MAX,
                rows_max: 1,
            },
            load_max: Duration::from_secs(LOAD_SECONDS_MAX),
        }
    }

    /// For a GPU: as many windows in a pass as the limit of tokens allows. Each session holds the model in the GPU's memory; with
    /// two sessions one pass is prepared while the other runs.
    pub fn for_cuda(onnxruntime: PathBuf, sessions: usize) -> Self {
        Self {
            provider: Provider::Cuda,
            pass: PassLimits {
                tokens_max: CUDA_PASS_TOKENS,
                rows_max: usize::MAX,
            },
            ..Self::for_cpu(onnxruntime, sessions)
        }
    }

    /// These settings if models run on the provider asked for, else those for a CPU: on a CPU a GPU's large passes would keep
    /// everybody waiting for seconds.
    fn on(&self, provider: Provider) -> Self {
        if provider == self.provider {
            return self.clone();
        }
        Self {
            load_max: self.load_max,
            ..Self::for_cpu(self.onnxruntime.clone(), cores())
        }
    }
}

/// Makes `count` things at once: the first on this thread, each other on a thread of its own.
fn all_at_once<T: Send>(
    count: usize,
    first: impl FnOnce() -> Result<T, ModelError>,
    other: impl Fn() -> Result<T, ModelError> + Sync,
) -> Result<Vec<T>, ModelError> {
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..count).map(|_| scope.spawn(&other)).collect();
        let others = others
            .into_iter()
            .map(|other| other.join().unwrap_or(Err(ModelError::Panicked)));
        std::iter::once_with(first).chain(others).collect()
    })
}

impl Model {
    /// Loads the model of a folder, on a thread of its own and under a deadline. A library that hangs keeps only that thread.
    pub async fn load(folder: &Path, settings: &ModelSettings) -> Result<Self, ModelError> {
        let (reply, loaded) = oneshot::channel();
        let work = {
            let (folder, settings) = (folder.to_owned(), settings.clone());
            move || {
                let _ = reply.send(Self::load_now(&folder, &settings)); // Nobody waits after the deadline.
            }
        };
        std::thread::Builder::new()
            .name("model-load".into())
            .spawn(work)
            .map_err(ModelError::Threads)?;
        match tokio::time::timeout(settings.load_max, loaded).await {
            Err(_elapsed) => Err(ModelError::TooSlow(settings.load_max)),
            Ok(Err(_closed)) => Err(ModelError::Panicked),
            Ok(Ok(model)) => model,
        }
    }

    /// Name, version, licence and files of the model.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Meaning of the model's labels, for `decode::entities`.
    pub fn labels(&self) -> &Arc<Labels> {
        &self.labels
    }

    /// Cuts texts for this model, for `window::split`.
    pub fn splitter(&self) -> &Arc<Splitter> {
        &self.splitter
    }

    /// Hands windows to the model's engines.
    pub fn batcher(&self) -> &Batcher {
        &self.batcher
    }

    /// Stops the engines and waits until each has ended its pass.
    pub async fn stop(self) {
        self.batcher.stop().await;
    }

    /// Loads and warms the model, with as many threads as there will be engines.
    fn load_now(folder: &Path, settings: &ModelSettings) -> Result<Self, ModelError> {
        failpoint!("worker.model_load");
        let manifest = Manifest::from_folder(folder)?;
        manifest.verify(folder)?;
        let config = ModelConfig::from_file(&folder.join(CONFIG_FILE))?;
        let labels = Arc::new(Labels::of(&config, manifest.about.label_scheme)?);
        let tokenizer = TextTokenizer::from_file(&folder.join(TOKENIZER_FILE))?;
        let window_tokens = manifest.about.window_tokens;
        if config
            .max_position_embeddings
            .is_some_and(|positions| positions < window_tokens)
        {
            return Err(ModelError::Unfit(format!(
                "it has no positions for windows of {window_tokens} tokens"
            )));
        }
        let runtime = Runtime::load(&settings.onnxruntime)?.on(settings.provider);
        let (file, threads) = (folder.join(MODEL_FILE), Threads::of(settings.threads.max(1)));
        let session = || ModelSession::load(&runtime, &file, threads, config.pad_token_id);
        let first = session()?;
        let settings = settings.on(first.provider());
        let warmed = |session| {
            let shapes = Shapes {
                window_tokens,
                limits: settings.pass,
            };
            let mut engine = Engine::new(session, Arc::clone(&labels), &tokenizer, shapes);
            engine.warm()?;
            Ok(engine)
        };
        let engines = all_at_once(settings.sessions, || warmed(first), || warmed(session()?))?;
        let specials = tokenizer.before().len() + tokenizer.after().len();
        let mut batcher = Batcher::new(settings.pass, specials, Passes::of(manifest.about.name.as_str()));
        for (number, engine) in engines.into_iter().enumerate() {
            let thread = engine::spawn(number, engine, batcher.queue()).map_err(ModelError::Threads)?;
            batcher.attach(thread);
        }
        let splitter = Arc::new(Splitter::new(tokenizer, window_tokens, manifest.about.overlap_tokens));
        Ok(Self {
            manifest,
            labels,
            splitter,
            batcher,
        })
    }
}
