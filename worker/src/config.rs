//! The worker's settings, all checked at start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use docket_contract::ids::ModelName;
use docket_engine::cpu::cores;
use docket_extract::ParseSettings;
use docket_extract::limits::Limits;
use docket_extract::sandbox::OcrSettings;
use docket_objects::BlobConfig;
use docket_process::settings::{ConfigError, Env, Setting};
use docket_process::{telemetry, tls};
use docket_queue::QueueConfig;
use docket_store::StoreConfig;

use crate::cache::Cache;
use crate::limits::JOB_MAX;
use crate::other_language::OtherLanguage;
use docket_engine::infer::session::Provider;
use docket_engine::model::ModelSettings;

/// Address of the worker's probes and metrics.
pub const HTTP_ADDR: Setting = Setting::with_default(
    "DOCKET_WORKER_HTTP_ADDR",
    "0.0.0.0:8081",
    "address and port of the worker's probes and metrics",
);
/// Models that the worker serves.
pub const MODELS: Setting = Setting::with_default(
    "DOCKET_MODELS",
    "ner-legal",
    "names of the models that this worker serves, separated by commas; each model has its own queue",
);
/// Versions in memory beside the current versions.
pub const MODEL_VERSIONS: Setting = Setting::with_default(
    "DOCKET_MODEL_VERSIONS",
    "2",
    "most versions in memory beside the current version of each model, for jobs that name another version; all models \
     share this number",
);
/// How often the worker looks for new current versions.
pub const MODEL_POLL_SECONDS: Setting = Setting::with_default(
    "DOCKET_MODEL_POLL_SECONDS",
    "10",
    "seconds between two looks for a new current version of each model",
);
/// Path of onnxruntime's library.
pub const ONNXRUNTIME_LIB: Setting = Setting::required(
    "DOCKET_ONNXRUNTIME_LIB",
    "path of `libonnxruntime.so`, version 1.31 or later",
);
/// Folder of the models on disk.
pub const MODEL_CACHE_DIR: Setting = Setting::with_default(
    "DOCKET_MODEL_CACHE_DIR",
    "/var/cache/docket/models",
    "folder that keeps models between starts",
);
/// Most bytes of the models on disk.
pub const MODEL_CACHE_BYTES: Setting = Setting::with_default(
    "DOCKET_MODEL_CACHE_BYTES",
    "8589934592",
    "most bytes in `DOCKET_MODEL_CACHE_DIR`: the default has room for two models of the largest size, or for some 350 \
     versions of the default model; the version used longest ago is removed first",
);
/// Deliveries in hand at a time, for each model.
pub const PREFETCH: Setting = Setting::with_default(
    "DOCKET_PREFETCH",
    "16",
    "deliveries of each model that the worker works on at the same time; more deliveries fill batches better",
);
/// Memory for documents.
pub const MEMORY_BYTES: Setting = Setting::with_default(
    "DOCKET_MEMORY_BYTES",
    "536870912",
    "memory for the documents in work, in bytes, beside the memory of models; a document needs 2 bytes per byte of \
     text, plus the larger of 28 per token and 16 per token + 320 per entity; a document that needs more than seven \
     eighths of this memory fails, since one eighth is for small documents",
);
/// Path of pdfium's library.
pub const PDFIUM_LIB: Setting = Setting::required(
    "DOCKET_PDFIUM_LIB",
    "path of `libpdfium.so`, which reads PDFs, as the wheel `pypdfium2` 5.15 has it",
);
/// Documents that are parsed at a time.
pub const PARSERS: Setting = Setting::optional(
    "DOCKET_PARSERS",
    "documents that are parsed at the same time, each in a process of its own; without this setting, 1 per core that the \
     worker may use",
);
/// Memory of the process that parses a document.
pub const PARSE_MEMORY_BYTES: Setting = Setting::with_default(
    "DOCKET_PARSE_MEMORY_BYTES",
    "536870912",
    "most memory of the process that parses a document, in bytes of address space; a document that needs more fails \
     (`parser_out_of_memory`)",
);
/// CPU time of the process that parses a document.
pub const PARSE_CPU_SECONDS: Setting = Setting::with_default(
    "DOCKET_PARSE_CPU_SECONDS",
    "60",
    "most CPU time for parsing a document, in seconds; a document that needs more fails (`parser_timeout`)",
);
/// Time of the process that parses a document.
pub const PARSE_SECONDS: Setting = Setting::with_default(
    "DOCKET_PARSE_SECONDS",
    "180",
    "most time for parsing a document, in seconds: longer than its CPU time, since the machine may be busy",
);
/// Most pages of a document.
pub const PAGES_MAX: Setting = Setting::with_default(
    "DOCKET_PAGES_MAX",
    "10000",
    "most pages of a document; a document with more pages fails (`too_many_pages`)",
);
/// Most bytes of a document's text.
pub const TEXT_BYTES_MAX: Setting = Setting::with_default(
    "DOCKET_TEXT_BYTES_MAX",
    "67108864",
    "most bytes of a document's text in UTF-8; a document with more text fails (`text_too_large`)",
);
/// Most bytes that what is compressed in a document may become.
pub const INFLATED_BYTES_MAX: Setting = Setting::with_default(
    "DOCKET_INFLATED_BYTES_MAX",
    "268435456",
    "most bytes that the compressed parts of a document may have together; a document with more fails \
     (`decompressed_too_large`)",
);
/// Whether documents are parsed only in a full sandbox.
pub const SANDBOX_REQUIRED: Setting = Setting::with_default(
    "DOCKET_SANDBOX_REQUIRED",
    "false",
    "`true`: the worker does not start where the kernel, or the container, does not allow the whole sandbox of its parsers",
);
/// Whether pages without text are read by OCR.
pub const OCR: Setting = Setting::with_default(
    "DOCKET_OCR",
    "true",
    "whether scans, which are pages without text, are read by OCR; without OCR a document says which of its pages have no text",
);
/// Path of Tesseract's program.
pub const TESSERACT: Setting = Setting::with_default(
    "DOCKET_TESSERACT",
    "/usr/bin/tesseract",
    "path of Tesseract, version 5, which reads scans; its libraries and languages must lie below `/usr`",
);
/// Languages of scans.
pub const OCR_LANGUAGES: Setting = Setting::with_default(
    "DOCKET_OCR_LANGUAGES",
    "eng",
    "languages of scans, as Tesseract names them, separated by commas, the most usual first; each must be installed, and each makes \
     OCR slower",
);
/// Pictures that OCR reads at a time.
pub const OCR_PROCESSES: Setting = Setting::optional(
    "DOCKET_OCR_PROCESSES",
    "pages that OCR reads at the same time, each in a process of about 100 MB, and scans that are in work at the same time; without \
     this setting, 1 per core that the worker may use",
);
/// Time for OCR of a document.
pub const OCR_SECONDS: Setting = Setting::with_default(
    "DOCKET_OCR_SECONDS",
    "600",
    "seconds for OCR of one document; pages that are left are told as `ocr_limit`, and the rest of the document is read",
);
/// Most entities of one job.
pub const ENTITIES_MAX: Setting = Setting::with_default(
    "DOCKET_ENTITIES_MAX",
    "1000000",
    "most entities of one job; a document with more entities fails (`too_many_entities`)",
);
/// Least score of an entity of the model.
pub const SCORE_MIN: Setting = Setting::with_default(
    "DOCKET_SCORE_MIN",
    "0.2",
    "entities of the model with a lower score are left out, unless the name is sure elsewhere in the document; 0 keeps all. Of those \
     below 0.2 four in five are wrong (InLegalNER, development set)",
);
/// What becomes of documents in other languages than their models read.
pub const OTHER_LANGUAGE: Setting = Setting::with_default(
    "DOCKET_OTHER_LANGUAGE",
    "warn",
    "what becomes of a document whose text is in another language than its model reads: `warn` reads it all the same, and its result \
     says so; with `refuse` it fails (`other_language`)",
);
/// Device that models run on.
pub const PROVIDER: Setting = Setting::with_default(
    "DOCKET_PROVIDER",
    "cpu",
    "`cpu`, or `cuda` in a worker built with that feature; without a usable GPU, the model runs on the CPU",
);
/// Model calls that run at a time.
pub const SESSIONS: Setting = Setting::optional(
    "DOCKET_SESSIONS",
    "model calls that run at the same time, for each model; without this setting, 1 per core that the process may use, \
     or 2 on a GPU",
);
/// Threads of one model call.
pub const THREADS: Setting = Setting::with_default("DOCKET_THREADS", "1", "threads of one model call");
/// Most windows of one model call.
pub const BATCH_WINDOWS: Setting = Setting::optional(
    "DOCKET_BATCH_WINDOWS",
    "most windows in one model call, of any jobs; without this setting, no limit on a GPU, and 1 on a CPU: more \
     windows save no time there, and change the answers of a quantized model slightly",
);
/// Most tokens of one model call.
pub const BATCH_TOKENS: Setting = Setting::optional(
    "DOCKET_BATCH_TOKENS",
    "most tokens in one model call, padding included; without this setting, no limit on a CPU, and 16384 on a GPU",
);
/// How long running jobs may go on after the worker is told to stop.
pub const DRAIN_SECONDS: Setting = Setting::with_default(
    "DOCKET_DRAIN_SECONDS",
    "20",
    "seconds that running jobs have to end when the worker is stopped; unfinished jobs are then given back, which \
     costs them no attempt",
);

/// Sessions on a GPU: one pass is prepared while the other runs.
const CUDA_SESSIONS: usize = 2;

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[
    &HTTP_ADDR,
    &MODELS,
    &MODEL_VERSIONS,
    &MODEL_POLL_SECONDS,
    &ONNXRUNTIME_LIB,
    &MODEL_CACHE_DIR,
    &MODEL_CACHE_BYTES,
    &PREFETCH,
    &MEMORY_BYTES,
    &PDFIUM_LIB,
    &PARSERS,
    &PARSE_MEMORY_BYTES,
    &PARSE_CPU_SECONDS,
    &PARSE_SECONDS,
    &PAGES_MAX,
    &TEXT_BYTES_MAX,
    &INFLATED_BYTES_MAX,
    &SANDBOX_REQUIRED,
    &OCR,
    &TESSERACT,
    &OCR_LANGUAGES,
    &OCR_PROCESSES,
    &OCR_SECONDS,
    &ENTITIES_MAX,
    &SCORE_MIN,
    &OTHER_LANGUAGE,
    &PROVIDER,
    &SESSIONS,
    &THREADS,
    &BATCH_WINDOWS,
    &BATCH_TOKENS,
    &DRAIN_SECONDS,
];

/// All of the worker's settings.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Settings of the databases.
    pub store: StoreConfig,
    /// Settings of the broker.
    pub queue: QueueConfig,
    /// Settings of the bucket.
    pub blob: BlobConfig,
    /// Address of probes and metrics.
    pub http_addr: SocketAddr,
    /// The models that this worker serves.
    pub models: ModelNames,
    /// Versions kept in memory beside the current versions, 1 to 64.
    pub model_versions: usize,
    /// How often the worker looks for new current versions, 1 s to 1 h.
    pub model_poll: Duration,
    /// The cache of models on disk.
    pub model_cache: Cache,
    /// How models are run: library, device, sessions and batches.
    pub engine: ModelSettings,
    /// Deliveries in hand at a time, of each model, 1 to 1,000.
    pub prefetch: u16,
    /// Memory for documents, in bytes, beside the models' own.
    pub memory_bytes: u64,
    /// How documents are parsed.
    pub parsing: ParseSettings,
    /// Most entities of one job.
    pub entities_max: usize,
    /// Least score of an entity of the model, 0 to 1.
    pub score_min: f32,
    /// What becomes of documents in other languages than their models read.
    pub other_language: OtherLanguage,
    /// How long running jobs may go on after the worker is told to stop.
    pub drain: Duration,
}

/// Names of models: at least one, and no name twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelNames(Vec<ModelName>);

impl ModelNames {
    /// The names, in the order of the setting.
    pub fn iter(&self) -> impl Iterator<Item = &ModelName> {
        self.0.iter()
    }
}

impl FromStr for ModelNames {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let mut names: Vec<ModelName> = Vec::new();
        for name in list.split(',').map(str::trim) {
            let name = name.parse().map_err(|error| format!("{name:?}: {error}"))?;
            if names.contains(&name) {
                return Err(format!("{name} stands twice"));
            }
            names.push(name);
        }
        Ok(Self(names))
    }
}

/// Languages as Tesseract names them: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Languages(Vec<String>);

impl FromStr for Languages {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let is_name = |name: &str| {
            let mut letters = name.chars();
            letters.clone().count() > 0 && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let names: Vec<&str> = list.split(',').map(str::trim).collect();
        match names.iter().find(|name| !is_name(name)) {
            Some(bad) => Err(format!("{bad:?} is no name of a language")),
            None => Ok(Self(names.into_iter().map(str::to_owned).collect())),
        }
    }
}

impl WorkerConfig {
    /// Deliveries in hand at a time, of all models together.
    pub fn places(&self) -> usize {
        usize::from(self.prefetch) * self.models.iter().count()
    }

    /// Reads and checks every setting.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: StoreConfig::from_env(env)?,
            queue: QueueConfig::from_env(env)?,
            blob: BlobConfig::from_env(env)?,
            http_addr: env.get(&HTTP_ADDR)?,
            models: env.get(&MODELS)?,
            model_versions: env.within(&MODEL_VERSIONS, 1..=64)?,
            model_poll: Duration::from_secs(env.within(&MODEL_POLL_SECONDS, 1..=3_600)?),
            model_cache: model_cache(env)?,
            engine: model_settings(env)?,
            prefetch: env.within(&PREFETCH, 1..=1_000)?,
            // Below 64 MiB not even one document of the largest size fits.
            memory_bytes: env.within(&MEMORY_BYTES, (64 << 20)..=(1 << 40))?,
            parsing: parsing(env)?,
            // A shard cannot take more than three million entities in one transaction of half a minute.
            entities_max: env.within(&ENTITIES_MAX, 1..=3_000_000)?,
            score_min: score_min(env)?,
            other_language: env.get(&OTHER_LANGUAGE)?,
            drain: Duration::from_secs(env.within(&DRAIN_SECONDS, 0..=3_600)?),
        })
    }
}

/// Reads and checks the least score of an entity of the model.
pub fn score_min(env: &Env) -> Result<f32, ConfigError> {
    env.within(&SCORE_MIN, 0.0..=1.0)
}

/// Reads and checks where models are kept on this machine.
pub fn model_cache(env: &Env) -> Result<Cache, ConfigError> {
    // Below one MiB not even a toy model fits; more than one TiB is a mistake.
    let bytes_max = env.within(&MODEL_CACHE_BYTES, (1 << 20)..=(1 << 40))?;
    Ok(Cache::new(env.get(&MODEL_CACHE_DIR)?, bytes_max))
}

/// Reads and checks how documents are parsed.
fn parsing(env: &Env) -> Result<ParseSettings, ConfigError> {
    let wall = Duration::from_secs(env.within(&PARSE_SECONDS, 1..=1_200)?);
    let ocr = ocr(env)?;
    let ocr_max = ocr.as_ref().map_or(Duration::ZERO, |ocr| ocr.document_max);
    if wall + ocr_max > READING_MAX {
        let both = format!("with DOCKET_PARSE_SECONDS it is more than {READING_MAX:?}, and a job may take {JOB_MAX:?}");
        return Err(OCR_SECONDS.invalid(&both));
    }
    Ok(ParseSettings {
        pdfium: library(env, &PDFIUM_LIB)?,
        parsers: env.optional_within(&PARSERS, 1..=256)?.unwrap_or_else(cores),
        // Below 256 MiB the worker's own program and pdfium hardly fit.
        memory_bytes: env.within(&PARSE_MEMORY_BYTES, (256 << 20)..=(1 << 40))?,
        cpu_seconds: env.within(&PARSE_CPU_SECONDS, 1..=900)?,
        wall,
        limits: Limits {
            pages: env.within(&PAGES_MAX, 1..=1_000_000)?,
            // Offsets have 32 bits, and half a gibibyte of text is larger than any document that is fetched.
            text_bytes: env.within(&TEXT_BYTES_MAX, (1 << 10)..=(1 << 29))?,
            inflated_bytes: env.within(&INFLATED_BYTES_MAX, (1 << 20)..=(1 << 40))?,
        },
        sandbox_required: env.get(&SANDBOX_REQUIRED)?,
        ocr,
    })
}

/// Most time for parsing and OCR together: the model needs some minutes of a job's time.
const READING_MAX: Duration = JOB_MAX.saturating_sub(Duration::from_secs(5 * 60));

/// Reads and checks how pages without text are read; `None` where they are not.
fn ocr(env: &Env) -> Result<Option<OcrSettings>, ConfigError> {
    // All are checked, in use or not.
    let settings = OcrSettings {
        tesseract: env.get(&TESSERACT)?,
        languages: env.get::<Languages>(&OCR_LANGUAGES)?.0,
        processes: env.optional_within(&OCR_PROCESSES, 1..=256)?.unwrap_or_else(cores),
        document_max: Duration::from_secs(env.within(&OCR_SECONDS, 1..=1_200)?),
    };
    Ok(env.get::<bool>(&OCR)?.then_some(settings))
}

/// Reads and checks how models are run on this machine.
pub fn model_settings(env: &Env) -> Result<ModelSettings, ConfigError> {
    let library = onnxruntime(env)?;
    let sessions = env.optional_within(&SESSIONS, 1..=256)?;
    let mut settings = match env.get(&PROVIDER)? {
        Provider::Cpu => ModelSettings::for_cpu(library, sessions.unwrap_or_else(cores)),
        Provider::Cuda => ModelSettings::for_cuda(library, sessions.unwrap_or(CUDA_SESSIONS)),
    };
    settings.threads = env.within(&THREADS, 1..=256)?;
    if let Some(windows) = env.optional_within(&BATCH_WINDOWS, 1..=1_024)? {
        settings.pass.rows_max = windows;
    }
    if let Some(tokens) = env.optional_within(&BATCH_TOKENS, 64..=1_000_000)? {
        settings.pass.tokens_max = tokens;
    }
    Ok(settings)
}

/// Path of onnxruntime's library, checked to exist.
pub fn onnxruntime(env: &Env) -> Result<PathBuf, ConfigError> {
    library(env, &ONNXRUNTIME_LIB)
}

/// Path of a library, checked to exist.
fn library(env: &Env, setting: &Setting) -> Result<PathBuf, ConfigError> {
    let library: PathBuf = env.get(setting)?;
    if library.is_file() {
        Ok(library)
    } else {
        Err(setting.invalid("there is no such file"))
    }
}

/// Every setting of the worker.
pub fn settings() -> Vec<&'static Setting> {
    [
        docket_store::SETTINGS,
        docket_queue::SETTINGS,
        docket_objects::SETTINGS,
        tls::SETTINGS,
        telemetry::SETTINGS,
        SETTINGS,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use docket_process::settings::table;

    use super::*;

    #[test]
    fn models_are_named_once_each() {
        let names = |list: &str| list.parse::<ModelNames>().map(|names| names.0.len());
        assert_eq!((names("a"), names("a, b-2")), (Ok(1), Ok(2)));
        for bad in ["", "a,", "a,a", "a b"] {
            assert!(names(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn languages_are_names_and_at_least_one() {
        let languages = |list: &str| list.parse::<Languages>().map(|languages| languages.0.len());
        assert_eq!((languages("eng"), languages("eng, chi_sim")), (Ok(1), Ok(2)));
        for bad in ["", "eng,", "eng+deu", "--psm", "../eng"] {
            assert!(languages(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_page_of_settings_has_every_one_of_the_worker() {
        let table = table(SETTINGS);
        assert!(
            include_str!("../../deploy/docs/SETTINGS.md").contains(&table),
            "deploy/docs/SETTINGS.md lacks:\n{table}"
        );
    }
}
