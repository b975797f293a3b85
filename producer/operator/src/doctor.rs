//! `docket-producer doctor`: looks at a deployment from inside, each dependency in a file of its own, and says in plain words
//! what is wrong and what to do.
//!
//! The doctor changes nothing: each trial is rolled back or removed, and nothing missing is made. A wrong setting or an absent
//! part is a finding. All other parts are looked at all the same, each under a deadline.

mod autoscaler;
mod broker;
mod clock;
mod database;
mod dispatch;
mod map;
pub mod report;
pub mod settings;
mod storage;
mod workers;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use docket_contract::ids::ModelName;
use docket_contract::model_defaults::ModelDefaults;
use docket_process::settings::Env;
use docket_store::StoreConfig;
use docket_store::work::backlog::Backlog;
use futures::future::join_all;

use crate::commands::print_json;
use report::{Finding, Report};
use settings::OfProgram;

/// Longest look at one part: longer than any call to it, of which the longest are the broker's 10 s.
const PART_MAX: Duration = Duration::from_secs(25);

/// Options beyond the settings.
#[derive(Debug, Args)]
pub struct Options {
    /// Target of the autoscaler, in messages per worker, ready or unacknowledged; the default is the target of `deploy/k8s`.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub autoscale_messages: u32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What the databases tell that other parts are judged by.
#[derive(Debug, Default)]
struct Seen {
    findings: Vec<Finding>,
    backlog: Vec<Backlog>,
}

/// Examines everything, prints the report, and returns the exit code.
pub async fn run(env: &Env, of_program: OfProgram, options: &Options) -> anyhow::Result<ExitCode> {
    let report = examine(env, of_program, options).await;
    if options.json {
        print_json(&report)?;
    } else {
        print!("{}", report.text());
    }
    Ok(report.exit_code())
}

/// Examines every part.
pub async fn examine(env: &Env, of_program: OfProgram, options: &Options) -> Report {
    let (settings, mut findings) = settings::read(env, of_program);
    let databases = async {
        match &settings.store {
            Some(config) => databases(config).await,
            None => Seen::default(),
        }
    };
    let stored = async {
        match &settings.blob {
            Some(config) => bounded("storage", storage::examine(config, settings.models.as_ref())).await,
            None => Vec::new(),
        }
    };
    let (databases, stored) = tokio::join!(databases, stored);
    findings.extend(databases.findings);
    findings.extend(stored);
    let models = models(settings.models.as_ref(), &databases.backlog);
    if let Some(config) = &settings.queue {
        findings.extend(bounded("broker", broker::examine(config, &models)).await);
    }
    if let Some(config) = &settings.store {
        let workers = workers::examine(config, &databases.backlog, options.autoscale_messages);
        findings.extend(bounded("workers", workers).await);
    }
    Report::of(findings)
}

/// Examines the catalog, the shards and the map, all at once.
async fn databases(config: &StoreConfig) -> Seen {
    let catalog = bounded("catalog", database::catalog(config));
    let shards = config.shards.iter().map(|(name, url)| async move {
        let part = format!("shard {name}");
        let dispatch = dispatch::examine(config, (name, url));
        let looked = tokio::join!(
            bounded(&part, database::shard(config, (name, url))),
            tokio::time::timeout(PART_MAX, dispatch)
        );
        (looked.0, looked.1.unwrap_or_default())
    });
    let map = bounded("map", map::examine(config));
    let (catalog, shards, map) = tokio::join!(catalog, join_all(shards), map);
    let mut seen = Seen {
        findings: catalog,
        backlog: Vec::new(),
    };
    for (own, dispatch) in shards {
        seen.findings.extend(own);
        seen.findings.extend(dispatch.findings);
        seen.backlog.extend(dispatch.backlog);
    }
    seen.findings.extend(map);
    seen
}

/// The findings of a part; when the deadline passes, the finding that it did not end.
async fn bounded(part: &str, examined: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    tokio::time::timeout(PART_MAX, examined).await.unwrap_or_else(|_| {
        let silent = Finding::fail(part, format!("did not come to an end within {} s", PART_MAX.as_secs()));
        let silent = silent.means("it takes connections and answers too slowly to be of use");
        vec![silent.remedy("look at its load and its log")]
    })
}

/// The models whose queues should exist: the default model and every model with work.
fn models(defaults: Option<&ModelDefaults>, backlog: &[Backlog]) -> Vec<ModelName> {
    let defaults = defaults.into_iter().flat_map(ModelDefaults::all);
    let defaults = defaults.map(|model| model.name.clone());
    let waiting = backlog.iter().filter_map(|backlog| backlog.model.parse().ok());
    let mut models: Vec<ModelName> = defaults.chain(waiting).collect();
    models.sort();
    models.dedup();
    models
}
