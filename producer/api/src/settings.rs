//! The limits of uploads and the default models.

use docket_contract::model_defaults::ModelDefaults;
use docket_process::settings::{ConfigError, Env, Setting};

use crate::backlog::{self, BacklogConfig};

/// Largest document, in bytes.
pub const DOCUMENT_BYTES_MAX: Setting = Setting::with_default(
    "DOCKET_DOCUMENT_BYTES_MAX",
    "52428800",
    "size of the largest document that is accepted, in bytes",
);
/// Models of uploads that name none.
pub const MODEL_DEFAULT: Setting = Setting::with_default(
    "DOCKET_MODEL_DEFAULT",
    "ner-legal",
    "model for uploads that name no model, as `name` or `name@version`; behind it, models for uploads that name a language, such as \
     `ner-legal,de=ner-german`",
);

/// Every setting of this crate.
pub const SETTINGS: &[&Setting] = &[
    &DOCUMENT_BYTES_MAX,
    &MODEL_DEFAULT,
    &backlog::CLIENT_MAX,
    &backlog::SHARD_MAX,
    &backlog::DEFERRED_MAX,
];

/// The highest limit that can be set, in bytes: one S3 object of 10,000 parts surely holds this much.
const DOCUMENT_BYTES_CEILING: u64 = 64 * 1024 * 1024 * 1024;

/// The settings of the callers' routes.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// Largest document, in bytes.
    pub document_bytes_max: u64,
    /// Models of uploads that name none.
    pub model_defaults: ModelDefaults,
    /// The limits of open jobs.
    pub backlog: BacklogConfig,
}

impl ApiConfig {
    /// Reads and checks the settings of this crate.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            document_bytes_max: env.within(&DOCUMENT_BYTES_MAX, 1..=DOCUMENT_BYTES_CEILING)?,
            model_defaults: env.get(&MODEL_DEFAULT)?,
            backlog: BacklogConfig::from_env(env)?,
        })
    }
}
