//! The worker's settings, checked as a whole at start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use docket_shared::blob::BlobConfig;
use docket_shared::config::{self, ConfigError, Env, Setting};
use docket_shared::ids::ModelName;
use docket_shared::queue::QueueConfig;
use docket_shared::store::StoreConfig;

/// Probes and metrics.
pub const HTTP_ADDR: Setting = Setting::with_default(
    "DOCKET_WORKER_HTTP_ADDR",
    "0.0.0.0:8081",
    "address of the worker's probes and metrics",
);
/// What it serves.
pub const MODEL: Setting = Setting::with_default("DOCKET_MODEL", "ner-legal", "the model that this worker serves");
/// The inference library.
pub const ONNXRUNTIME_LIB: Setting = Setting::required(
    "DOCKET_ONNXRUNTIME_LIB",
    "path of `libonnxruntime.so`, version 1.31 or later",
);
/// Models on disk.
pub const MODEL_CACHE_DIR: Setting = Setting::with_default(
    "DOCKET_MODEL_CACHE_DIR",
    "/var/cache/docket/models",
    "where models are kept between starts",
);
/// Deliveries at a time.
pub const PREFETCH: Setting = Setting::with_default(
    "DOCKET_PREFETCH",
    "16",
    "deliveries that are worked on at a time; more fill batches better",
);
/// Memory.
pub const MEMORY_BYTES: Setting = Setting::with_default(
    "DOCKET_MEMORY_BYTES",
    "536870912",
    "memory for documents being worked on, in bytes, beside the model's own; larger documents run alone",
);
/// Batches.
pub const BATCH_WINDOWS: Setting = Setting::with_default(
    "DOCKET_BATCH_WINDOWS",
    "1",
    "windows of one model call, of any jobs; on a CPU more gain nothing, and a quantized model answers a little otherwise",
);
/// Batches.
pub const BATCH_TOKENS: Setting = Setting::with_default(
    "DOCKET_BATCH_TOKENS",
    "8192",
    "tokens of one model call, padding counted",
);
/// Sessions.
pub const SESSIONS: Setting = Setting::with_default(
    "DOCKET_SESSIONS",
    "1",
    "model calls that run at the same time, each on threads of its own",
);
/// Threads of a session.
pub const THREADS: Setting = Setting::with_default("DOCKET_THREADS", "1", "threads of one model call");
/// Grace at the end.
pub const DRAIN_SECONDS: Setting = Setting::with_default(
    "DOCKET_DRAIN_SECONDS",
    "20",
    "how long running jobs may end when the worker is stopped; then they are given back, unharmed",
);

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[
    &HTTP_ADDR,
    &MODEL,
    &ONNXRUNTIME_LIB,
    &MODEL_CACHE_DIR,
    &PREFETCH,
    &MEMORY_BYTES,
    &BATCH_WINDOWS,
    &BATCH_TOKENS,
    &SESSIONS,
    &THREADS,
    &DRAIN_SECONDS,
];

/// Everything that is configured.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Databases.
    pub store: StoreConfig,
    /// Broker.
    pub queue: QueueConfig,
    /// Objects.
    pub blob: BlobConfig,
    /// Address of probes and metrics.
    pub http_addr: SocketAddr,
    /// The model that is served.
    pub model: ModelName,
    /// Where models are kept.
    pub model_cache_dir: PathBuf,
    /// How the model is run.
    pub engine: EngineConfig,
    /// Deliveries at a time.
    pub prefetch: u16,
    /// Memory for documents, in bytes.
    pub memory_bytes: u64,
    /// How long running jobs may end.
    pub drain: Duration,
}

/// How models are run.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Path of the inference library.
    pub onnxruntime_lib: PathBuf,
    /// Windows of one model call.
    pub batch_windows: usize,
    /// Tokens of one model call, padding counted.
    pub batch_tokens: usize,
    /// Model calls at the same time.
    pub sessions: usize,
    /// Threads of one model call.
    pub threads: usize,
}

impl WorkerConfig {
    /// Reads and checks every setting.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: StoreConfig::from_env(env)?,
            queue: QueueConfig::from_env(env)?,
            blob: BlobConfig::from_env(env)?,
            http_addr: env.get(&HTTP_ADDR)?,
            model: env.get(&MODEL)?,
            model_cache_dir: env.get(&MODEL_CACHE_DIR)?,
            engine: EngineConfig::from_env(env)?,
            prefetch: env.within(&PREFETCH, 1..=1_000)?,
            // Below 64 MiB not even one document of the largest size fits.
            memory_bytes: env.within(&MEMORY_BYTES, (64 << 20)..=(1 << 40))?,
            drain: Duration::from_secs(env.within(&DRAIN_SECONDS, 0..=3_600)?),
        })
    }
}

impl EngineConfig {
    /// Reads and checks the settings of the model's engine.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let onnxruntime_lib: PathBuf = env.get(&ONNXRUNTIME_LIB)?;
        if !onnxruntime_lib.is_file() {
            return Err(ONNXRUNTIME_LIB.invalid("there is no such file"));
        }
        Ok(Self {
            onnxruntime_lib,
            batch_windows: env.within(&BATCH_WINDOWS, 1..=1_024)?,
            batch_tokens: env.within(&BATCH_TOKENS, 64..=1_000_000)?,
            sessions: env.within(&SESSIONS, 1..=256)?,
            threads: env.within(&THREADS, 1..=256)?,
        })
    }
}

/// Every setting of the worker.
pub fn settings() -> Vec<&'static Setting> {
    [config::common(), SETTINGS.to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use docket_shared::config::table;

    use super::*;

    #[test]
    fn the_readme_has_every_setting_of_the_worker() {
        let table = table(SETTINGS);
        assert!(
            include_str!("../../README.md").contains(&table),
            "the README lacks:\n{table}"
        );
    }
}
