//! The producer's settings, checked as a whole at start.

use docket_shared::blob::{self, BlobConfig};
use docket_shared::config::{ConfigError, Env, Setting};
use docket_shared::queue::{self, QueueConfig};
use docket_shared::store::{self, StoreConfig};
use docket_shared::telemetry;

use crate::http::{self, HttpConfig};

/// Everything that is configured.
#[derive(Debug, Clone)]
pub struct ProducerConfig {
    /// Databases.
    pub store: StoreConfig,
    /// Broker.
    pub queue: QueueConfig,
    /// Objects.
    pub blob: BlobConfig,
    /// HTTP and tokens.
    pub http: HttpConfig,
}

impl ProducerConfig {
    /// Reads and checks every setting.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: StoreConfig::from_env(env)?,
            queue: QueueConfig::from_env(env)?,
            blob: BlobConfig::from_env(env)?,
            http: HttpConfig::from_env(env)?,
        })
    }
}

/// Every setting of the producer.
pub fn settings() -> Vec<&'static Setting> {
    [
        store::SETTINGS,
        queue::SETTINGS,
        blob::SETTINGS,
        http::SETTINGS,
        telemetry::SETTINGS,
    ]
    .concat()
}
