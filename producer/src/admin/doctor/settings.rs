//! The settings: a wrong one is a finding, and keeps only its own part from being looked at.

use docket_shared::blob::BlobConfig;
use docket_shared::config::{ConfigError, Env};
use docket_shared::ids::ModelRef;
use docket_shared::queue::QueueConfig;
use docket_shared::store::StoreConfig;

use super::report::Finding;
use crate::http::auth::AuthConfig;
use crate::http::{HttpConfig, MODEL_DEFAULT};

/// What could be read.
pub struct Settings {
    /// Databases.
    pub store: Option<StoreConfig>,
    /// Broker.
    pub queue: Option<QueueConfig>,
    /// Objects.
    pub blob: Option<BlobConfig>,
    /// The model that reads documents whose upload names none.
    pub model: Option<ModelRef>,
}

/// Reads them.
pub fn read(env: &Env) -> (Settings, Vec<Finding>) {
    let mut findings = Vec::new();
    let settings = Settings {
        store: usable(StoreConfig::from_env(env), &mut findings),
        queue: usable(QueueConfig::from_env(env), &mut findings),
        blob: usable(BlobConfig::from_env(env), &mut findings),
        model: env.get(&MODEL_DEFAULT).ok(),
    };
    usable(HttpConfig::from_env(env, false), &mut findings);
    usable(AuthConfig::if_set(env), &mut findings);
    if findings.is_empty() {
        findings.push(Finding::ok("settings", "all that are required are there and usable"));
    }
    (settings, findings)
}

fn usable<T>(read: Result<T, ConfigError>, findings: &mut Vec<Finding>) -> Option<T> {
    match read {
        Ok(config) => Some(config),
        Err(error) => {
            let finding = Finding::fail("settings", error.to_string());
            let finding = finding.means("a producer does not start with it, and its part is not looked at below");
            findings.push(finding.remedy("correct the variable; `docket-producer settings` lists them all"));
            None
        }
    }
}
