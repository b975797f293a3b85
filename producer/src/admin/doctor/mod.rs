//! `docket-producer doctor`: looks at a deployment from inside, at each dependency in a file of its own, and says in plain
//! words what is wrong and what to do.
//!
//! It changes nothing: what is tried is rolled back or removed, and what is missing is not made. A wrong setting or a part
//! that is away is a finding; whatever else can be looked at is looked at all the same, each part under a deadline.

mod autoscaler;
mod broker;
mod clock;
mod database;
mod dispatch;
mod map;
pub mod report;
mod settings;
mod storage;
mod workers;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use docket_shared::config::Env;
use docket_shared::ids::ModelName;
use docket_shared::store::StoreConfig;
use docket_shared::store::backlog::Backlog;
use futures::future::join_all;

use super::print_json;
use report::{Finding, Report};

/// What one part may take: longer than any call to it, of which the longest are the broker's 10 s.
const PART_MAX: Duration = Duration::from_secs(25);

/// What is not in the settings.
#[derive(Debug, Args)]
pub struct Options {
    /// Messages a worker, ready and unacknowledged, that the autoscaler aims at; by default as in `deploy/k8s`.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub autoscale_messages: u32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What the databases told that other parts are judged by.
#[derive(Debug, Default)]
struct Seen {
    findings: Vec<Finding>,
    backlog: Vec<Backlog>,
}

/// Looks, prints, and answers with the exit code.
pub async fn run(env: &Env, options: &Options) -> anyhow::Result<ExitCode> {
    let report = examine(env, options).await;
    if options.json {
        print_json(&report)?;
    } else {
        print!("{}", report.text());
    }
    Ok(report.exit_code())
}

/// Looks at everything.
pub async fn examine(env: &Env, options: &Options) -> Report {
    let (settings, mut findings) = settings::read(env);
    let databases = async {
        match &settings.store {
            Some(config) => databases(config).await,
            None => Seen::default(),
        }
    };
    let stored = async {
        match &settings.blob {
            Some(config) => bounded("storage", storage::examine(config, settings.model.as_ref())).await,
            None => Vec::new(),
        }
    };
    let (databases, stored) = tokio::join!(databases, stored);
    findings.extend(databases.findings);
    findings.extend(stored);
    let models = models(settings.model.as_ref().map(|model| &model.name), &databases.backlog);
    if let Some(config) = &settings.queue {
        findings.extend(bounded("broker", broker::examine(config, &models)).await);
    }
    if let Some(config) = &settings.store {
        let workers = workers::examine(config, &databases.backlog, options.autoscale_messages);
        findings.extend(bounded("workers", workers).await);
    }
    Report::of(findings)
}

/// The catalog and the shards, all at once, and then what they say of one another.
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

/// The findings of a part, or that it does not come to an end.
async fn bounded(part: &str, examined: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    tokio::time::timeout(PART_MAX, examined).await.unwrap_or_else(|_| {
        let silent = Finding::fail(part, format!("did not come to an end within {} s", PART_MAX.as_secs()));
        let silent = silent.means("it takes connections and answers too slowly to be of use");
        vec![silent.remedy("look at its load and its log")]
    })
}

/// The models whose queues there should be: the default one and those that have work.
fn models(default: Option<&ModelName>, backlog: &[Backlog]) -> Vec<ModelName> {
    let waiting = backlog.iter().filter_map(|backlog| backlog.model.parse().ok());
    let mut models: Vec<ModelName> = default.cloned().into_iter().chain(waiting).collect();
    models.sort();
    models.dedup();
    models
}
