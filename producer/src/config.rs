//! The producer's settings, checked as a whole at start.

use docket_api::ApiConfig;
use docket_api::settings::MODEL_DEFAULT;
use docket_http::settings::HttpConfig;
use docket_identity::AuthConfig;
use docket_objects::BlobConfig;
use docket_operator::doctor::settings::OfProgram;
use docket_process::settings::{ConfigError, Env, Setting};
use docket_process::{telemetry, tls};
use docket_queue::QueueConfig;
use docket_store::StoreConfig;

use crate::role::Role;

/// All settings of a producer.
#[derive(Debug, Clone)]
pub struct ProducerConfig {
    /// Databases.
    pub store: StoreConfig,
    /// Broker.
    pub queue: QueueConfig,
    /// Objects.
    pub blob: BlobConfig,
    /// Where HTTP is served.
    pub http: HttpConfig,
    /// The limits of uploads and the default model.
    pub api: ApiConfig,
    /// Which tokens are good; `None` where the process does not serve the API.
    pub auth: Option<AuthConfig>,
}

impl ProducerConfig {
    /// Reads and checks every setting of a process with every role.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Self::of_roles(env, &Role::ALL)
    }

    /// Reads and checks every setting of a process with these roles: only the API must have a key for tokens.
    pub fn of_roles(env: &Env, roles: &[Role]) -> Result<Self, ConfigError> {
        let serves_api = roles.contains(&Role::Api);
        Ok(Self {
            store: StoreConfig::from_env(env)?,
            queue: QueueConfig::from_env(env)?,
            blob: BlobConfig::from_env(env)?,
            http: HttpConfig::from_env(env)?,
            api: ApiConfig::from_env(env)?,
            auth: serves_api.then(|| AuthConfig::from_env(env)).transpose()?,
        })
    }
}

/// Every setting of the producer.
pub fn settings() -> Vec<&'static Setting> {
    [common(), own()].concat()
}

/// The settings that workers have too.
fn common() -> Vec<&'static Setting> {
    let services = [docket_store::SETTINGS, docket_queue::SETTINGS, docket_objects::SETTINGS];
    [&services.concat(), tls::SETTINGS, telemetry::SETTINGS].concat()
}

fn own() -> Vec<&'static Setting> {
    let served = docket_http::settings::SETTINGS;
    [served, docket_api::settings::SETTINGS, docket_identity::SETTINGS].concat()
}

/// The settings that the doctor is told, since it does not read them itself.
pub fn of_program(env: &Env) -> OfProgram {
    let errors = [
        HttpConfig::from_env(env).err(),
        ApiConfig::from_env(env).err(),
        AuthConfig::if_set(env).err(),
    ];
    OfProgram {
        model_defaults: env.get(&MODEL_DEFAULT).ok(),
        errors: errors.into_iter().flatten().collect(),
    }
}

#[cfg(test)]
mod tests {
    use docket_process::settings::table;

    use super::*;

    #[test]
    fn the_page_of_settings_has_every_setting() {
        for table in [table(&common()), table(&own())] {
            assert!(
                include_str!("../../deploy/docs/SETTINGS.md").contains(&table),
                "deploy/docs/SETTINGS.md lacks:\n{table}"
            );
        }
    }
}
