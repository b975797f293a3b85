//! What processes tell one another through the catalog every few seconds. All of it may be missing or old; then the
//! dispatcher assumes the least.

use std::collections::HashMap;
use std::time::Duration;

use crate::rows::seconds;
use crate::sql::sql;
use crate::{Database, StoreError};
use docket_contract::ids::{ModelName, ShardName};

/// For how long the report of a silent worker is kept.
const REPORT_KEPT: Duration = Duration::from_secs(3_600);
/// Reports count that are at most this much older than the newest one of their model: workers report every few seconds,
/// so an older report is that of a worker that is gone.
const REPORTS_WITHIN: Duration = Duration::from_secs(30);
/// For how long a shard's report of its activity holds: a dispatcher reports every few seconds, and a shard whose
/// dispatcher is gone publishes nothing.
const ACTIVITY_HOLDS: Duration = Duration::from_secs(10);

/// What a worker says of itself.
#[derive(Debug, Clone)]
pub struct WorkerReport {
    /// Name of the worker.
    pub worker: String,
    /// A model that it serves.
    pub model: ModelName,
    /// The version of the model.
    pub model_version: String,
    /// How fast it read lately, in the model's tokens.
    pub tokens_per_second: f64,
}

/// Stores what a worker says of itself, and forgets other workers that have been silent for 1 h.
pub async fn worker(catalog: &Database, report: &WorkerReport) -> Result<(), StoreError> {
    let query = sql!("operate/worker_report")
        .bind(&report.worker)
        .bind(report.model.as_str())
        .bind(&report.model_version)
        .bind(report.tokens_per_second)
        .bind(seconds(REPORT_KEPT));
    let mut tx = catalog.begin().await?;
    tx.execute(query).await?;
    tx.commit().await
}

/// Mean tokens a second of one worker, by model, from reports that are at most 30 s older than the newest of their
/// model. So the speed of a pool that was scaled to zero stays known, until some worker reports 1 h later; see
/// [`worker`].
pub async fn speeds(catalog: &Database) -> Result<HashMap<String, f64>, StoreError> {
    let query = sql!("operate/worker_speeds").bind(seconds(REPORTS_WITHIN));
    let speeds: Vec<(String, f64)> = catalog.begin().await?.all(query).await?;
    Ok(speeds.into_iter().collect())
}

/// Stores how much weight the clients have whose work waits on a shard. Returns the sum over all shards that reported
/// in the last 10 s.
pub async fn report_weight(
    catalog: &Database,
    shard: &ShardName,
    model: &ModelName,
    weight: f64,
) -> Result<f64, StoreError> {
    let mut tx = catalog.begin().await?;
    let query = sql!("operate/activity_report").bind(shard.as_str());
    tx.execute(query.bind(model.as_str()).bind(weight)).await?;
    let query = sql!("operate/activity_sum").bind(model.as_str());
    let all = tx.scalar(query.bind(seconds(ACTIVITY_HOLDS))).await?;
    tx.commit().await?;
    Ok(all)
}
