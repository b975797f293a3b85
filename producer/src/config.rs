//! The producer's settings, checked as a whole at start.

use docket_shared::blob::BlobConfig;
use docket_shared::config::{self, ConfigError, Env, Setting};
use docket_shared::queue::QueueConfig;
use docket_shared::store::StoreConfig;

use crate::http::{self, HttpConfig};
use crate::serve::Role;

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
    /// Reads and checks every setting of a process with every role.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Self::of_roles(env, &Role::ALL)
    }

    /// Reads and checks every setting of a process with these roles: only the API must have a key of tokens.
    pub fn of_roles(env: &Env, roles: &[Role]) -> Result<Self, ConfigError> {
        Ok(Self {
            store: StoreConfig::from_env(env)?,
            queue: QueueConfig::from_env(env)?,
            blob: BlobConfig::from_env(env)?,
            http: HttpConfig::from_env(env, roles.contains(&Role::Api))?,
        })
    }
}

/// Every setting of the producer.
pub fn settings() -> Vec<&'static Setting> {
    [config::common(), http::settings()].concat()
}

#[cfg(test)]
mod tests {
    use docket_shared::config::table;

    use super::*;

    #[test]
    fn the_readme_has_every_setting_of_the_producer() {
        let table = table(&http::settings());
        assert!(
            include_str!("../../README.md").contains(&table),
            "the README lacks:\n{table}"
        );
    }
}
