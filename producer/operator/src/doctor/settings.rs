//! The settings: a wrong setting is a finding, and prevents only the examination of its own part.

use docket_contract::model_defaults::ModelDefaults;
use docket_objects::BlobConfig;
use docket_process::settings::{ConfigError, Env};
use docket_queue::QueueConfig;
use docket_store::StoreConfig;

use crate::doctor::report::Finding;

/// The settings that could be read; `None` where one is wrong.
pub struct Settings {
    /// Addresses of the catalog and the shards.
    pub store: Option<StoreConfig>,
    /// Address of the broker.
    pub queue: Option<QueueConfig>,
    /// Address of the bucket.
    pub blob: Option<BlobConfig>,
    /// The models that read documents whose upload names none.
    pub models: Option<ModelDefaults>,
}

/// What only the whole program knows of its settings.
#[derive(Debug, Default)]
pub struct OfProgram {
    /// The models that read documents whose upload names none.
    pub model_defaults: Option<ModelDefaults>,
    /// Errors of the settings that are not read here.
    pub errors: Vec<ConfigError>,
}

/// Reads the settings of every part.
pub fn read(env: &Env, of_program: OfProgram) -> (Settings, Vec<Finding>) {
    let mut findings = Vec::new();
    let settings = Settings {
        store: usable(StoreConfig::from_env(env), &mut findings),
        queue: usable(QueueConfig::from_env(env), &mut findings),
        blob: usable(BlobConfig::from_env(env), &mut findings),
        models: of_program.model_defaults,
    };
    for error in of_program.errors {
        usable::<()>(Err(error), &mut findings);
    }
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
