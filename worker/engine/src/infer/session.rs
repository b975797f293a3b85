//! onnxruntime. No other file knows the library.
//!
//! The library is loaded once per process, from the path of the configuration, and stays until the process ends.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use docket_process::failpoint;
use ort::environment::Environment;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, TensorRef};

use crate::infer::InferError;

/// The library that this process has loaded. The crate `ort` allows one per process and keeps it in a static of its own.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

const IDS: &str = "input_ids";
const MASK: &str = "attention_mask";
const TYPES: &str = "token_type_ids";
const LOGITS: &str = "logits";

/// The loaded library, and the provider that models run on.
#[derive(Debug, Clone)]
pub struct Runtime {
    library: PathBuf,
    environment: Environment,
    provider: Provider,
}

/// What models run on: an execution provider, in onnxruntime's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Provider {
    /// The machine's CPU cores.
    #[default]
    Cpu,
    /// An NVIDIA GPU. Needs a worker with the feature `cuda`, an onnxruntime with CUDA, its libraries and a device.
    Cuda,
}

/// The threads of one pass on a CPU, the calling thread included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// Number of threads.
    pub count: usize,
    /// Whether idle threads spin for a while, keeping their cores busy, to start the next work at once.
    pub spinning: bool,
}

impl Threads {
    /// This many threads, which sleep when idle. Spinning threads take cores from all other work: where every core is taken, a
    /// pass takes up to twice as long (`bench threads`).
    pub fn of(count: usize) -> Self {
        Self { count, spinning: false }
    }
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            _ => Err(format!("{name:?} is neither cpu nor cuda")),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        })
    }
}

/// Why the library or a model cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The library is missing, broken or too old.
    #[error("load onnxruntime from {library}")]
    Library {
        /// Path of the library.
        library: PathBuf,
        /// What the loader said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// This process has already loaded another library.
    #[error("onnxruntime is loaded from {loaded} already, not from {asked}")]
    OtherLibrary {
        /// Path of the loaded library.
        loaded: PathBuf,
        /// Path of the library asked for.
        asked: PathBuf,
    },
    /// onnxruntime refuses the model.
    #[error("load the model {model}")]
    Model {
        /// Path of the model's graph.
        model: PathBuf,
        /// What onnxruntime said.
        #[source]
        source: ort::Error,
    },
    /// The model's inputs or outputs are not those of a token classifier.
    #[error("the model {model} {reason}")]
    Signature {
        /// Path of the model's graph.
        model: PathBuf,
        /// What is wrong with the model's inputs or outputs.
        reason: String,
    },
}

/// A model ready to run. A session runs one pass at a time, so each engine thread owns one.
#[derive(Debug)]
pub struct ModelSession {
    session: Session,
    provider: Provider,
    output: String,
    takes_types: bool,
    pad_id: i64,
    ids: Vec<i64>,
    mask: Vec<i64>,
    types: Vec<i64>,
}

/// Raw scores of one pass: rows x tokens x labels.
#[derive(Debug)]
pub struct Logits {
    scores: Vec<f32>,
    tokens: usize,
    labels: usize,
}

impl Runtime {
    /// Loads the library, or returns the loaded one. A broken library may hang, so call it where a hang can be borne.
    pub fn load(library: &Path) -> Result<Self, LoadError> {
        let refuse = |source| LoadError::Library {
            library: library.to_owned(),
            source,
        };
        let library = library.canonicalize().map_err(|error| refuse(error.into()))?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*loaded {
            return if runtime.library == library {
                Ok(runtime.clone())
            } else {
                Err(LoadError::OtherLibrary {
                    loaded: runtime.library.clone(),
                    asked: library,
                })
            };
        }
        let builder = ort::init_from(&library).map_err(|error| refuse(error.to_string().into()))?;
        let environment = builder
            .with_telemetry(false)
            .build()
            .map_err(|error| refuse(error.into()))?;
        let runtime = Self {
            library,
            environment,
            provider: Provider::default(),
        };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// The same library, with another provider to run models on.
    pub fn on(self, provider: Provider) -> Self {
        Self { provider, ..self }
    }
}

impl ModelSession {
    /// Loads a model for the runtime's provider. Where that provider cannot be used, the model runs on the CPU, and a line is
    /// logged.
    pub fn load(runtime: &Runtime, model: &Path, threads: Threads, pad_id: u32) -> Result<Self, LoadError> {
        let (session, provider) = build_or_fall_back(runtime, model, threads).map_err(|source| LoadError::Model {
            model: model.to_owned(),
            source,
        })?;
        let refuse = |reason: String| LoadError::Signature {
            model: model.to_owned(),
            reason,
        };
        let names: Vec<&str> = session.inputs().iter().map(Outlet::name).collect();
        if let Some(unknown) = names.iter().find(|name| ![IDS, MASK, TYPES].contains(name)) {
            return Err(refuse(format!("wants the input {unknown}, which is not known here")));
        }
        if let Some(missing) = [IDS, MASK].iter().find(|name| !names.contains(name)) {
            return Err(refuse(format!("does not take the input {missing}")));
        }
        let takes_types = names.contains(&TYPES);
        let outputs: Vec<&str> = session.outputs().iter().map(Outlet::name).collect();
        let output = match outputs[..] {
            [only] => only.to_owned(),
            _ if outputs.contains(&LOGITS) => LOGITS.to_owned(),
            _ => return Err(refuse(format!("has the outputs {outputs:?}, none of them {LOGITS}"))),
        };
        Ok(Self {
            session,
            provider,
            output,
            takes_types,
            pad_id: i64::from(pad_id),
            ids: Vec::new(),
            mask: Vec::new(),
            types: Vec::new(),
        })
    }

    /// What the model runs on.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Scores rows of token ids, special ones included. Shorter rows are padded, and the padding is masked.
    pub fn run(&mut self, rows: &[Vec<u32>], labels: usize) -> Result<Logits, InferError> {
        failpoint!("worker.infer");
        let tokens = rows.iter().map(Vec::len).max().unwrap_or(0);
        self.fill(rows, tokens);
        let expected = [rows.len(), tokens, labels];
        let shape = [rows.len(), tokens];
        let tensor = |data| TensorRef::from_array_view((shape, data)).map(SessionInputValue::from);
        let mut inputs = vec![
            (IDS, tensor(&self.ids[..]).map_err(failed)?),
            (MASK, tensor(&self.mask[..]).map_err(failed)?),
        ];
        if self.takes_types {
            inputs.push((TYPES, tensor(&self.types[..]).map_err(failed)?));
        }
        let outputs = self.session.run(inputs).map_err(failed)?;
        let (got, scores) = outputs[self.output.as_str()]
            .try_extract_tensor::<f32>()
            .map_err(failed)?;
        if !got.iter().copied().eq(expected.iter().map(|&size| size as i64)) {
            return Err(InferError::Shape {
                expected,
                got: got.to_vec(),
            });
        }
        Ok(Logits {
            scores: scores.to_vec(),
            tokens,
            labels,
        })
    }

    fn fill(&mut self, rows: &[Vec<u32>], tokens: usize) {
        self.ids.clear();
        self.mask.clear();
        for row in rows {
            let end = self.ids.len() + tokens;
            self.ids.extend(row.iter().map(|&id| i64::from(id)));
            self.mask.resize(self.ids.len(), 1);
            self.ids.resize(end, self.pad_id);
            self.mask.resize(end, 0);
        }
        self.types.resize(self.ids.len(), 0);
    }
}

impl Logits {
    /// The scores of one token for each label.
    pub fn at(&self, row: usize, token: usize) -> &[f32] {
        let start = (row * self.tokens + token) * self.labels;
        &self.scores[start..start + self.labels]
    }
}

/// Falls back to the CPU where the GPU is missing or cannot take the model: reading late is better than not at all.
fn build_or_fall_back(runtime: &Runtime, model: &Path, threads: Threads) -> Result<(Session, Provider), ort::Error> {
    let wanted = runtime.provider;
    match build(runtime, model, threads, wanted) {
        Ok(session) => Ok((session, wanted)),
        Err(error) if wanted != Provider::Cpu => {
            tracing::warn!(provider = %wanted, %error, "the provider cannot be used: the model runs on the CPU");
            Ok((build(runtime, model, threads, Provider::Cpu)?, Provider::Cpu))
        }
        Err(error) => Err(error),
    }
}

/// Graph rewriting that slows the model down on a CPU: onnxruntime's own kernel for a sum and its layer norm works an element at
/// a time. Without the fusion the default model runs 9 to 11% faster at every window length (onnxruntime 1.32, one core with
/// AVX512-VNNI). The same model in 32-bit floats runs as fast as with the fusion.
const SLOWER_ON_CPU: &str = "SkipLayerNormFusion";

/// Builds a session without the memory pattern, which would keep a plan and a block for every length of window ever seen. With
/// the pattern off and the arena on, memory is constant after warm-up; at most two percent of the speed is lost (measured on a
/// CPU).
fn build(runtime: &Runtime, model: &Path, threads: Threads, provider: Provider) -> Result<Session, ort::Error> {
    let builder = Session::builder(&runtime.environment)?
        .with_optimization_level(GraphOptimizationLevel::Level3)?
        .with_intra_threads(threads.count)?
        .with_intra_op_spinning(threads.spinning)?
        .with_memory_pattern(false)?;
    let mut builder = match provider {
        Provider::Cpu => builder.with_disabled_optimizers(SLOWER_ON_CPU)?,
        Provider::Cuda => with_cuda(builder)?,
    };
    builder.commit_from_file(model)
}

#[cfg(feature = "cuda")]
fn with_cuda(builder: SessionBuilder) -> Result<SessionBuilder, ort::Error> {
    Ok(builder.with_execution_providers([ort::ep::CUDA::default().build().error_on_failure()])?)
}

#[cfg(not(feature = "cuda"))]
fn with_cuda(_builder: SessionBuilder) -> Result<SessionBuilder, ort::Error> {
    Err(ort::Error::new("this worker was built without the feature `cuda`"))
}

fn failed(error: ort::Error) -> InferError {
    InferError::Run(Arc::new(error))
}
