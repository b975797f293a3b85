//! What processes tell one another through the catalog every few seconds. All of it may be missing or old: then the
//! dispatcher falls back to its lower bounds.

use std::collections::HashMap;

use super::{Database, StoreError};
use crate::ids::{ModelName, ShardName};

/// A worker's own account of itself.
#[derive(Debug, Clone)]
pub struct WorkerReport {
    /// Name of the worker.
    pub worker: String,
    /// A model it serves.
    pub model: ModelName,
    /// The version of it.
    pub model_version: String,
    /// What it reached lately, in the model's tokens.
    pub tokens_per_second: f64,
}

/// Notes what a worker says of itself, and forgets others that have been silent for an hour.
pub async fn worker(catalog: &Database, report: &WorkerReport) -> Result<(), StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query(
        "with gone as (delete from worker_reports where reported_at < now() - interval '1 hour' and worker <> $1)
         insert into worker_reports (worker, model, model_version, tokens_per_second) values ($1, $2, $3, $4)
         on conflict (worker, model) do update set model_version = excluded.model_version,
             tokens_per_second = excluded.tokens_per_second, reported_at = now()",
    );
    let query = query.bind(report.worker.clone()).bind(report.model.to_string());
    let query = query.bind(report.model_version.clone()).bind(report.tokens_per_second);
    query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    tx.commit().await
}

/// Mean tokens a second of one worker, by model, as its workers said it last: those count that reported at most 30 s before
/// the newest of them. So it outlives the workers of a pool that was scaled to zero; for how long, [`worker`] says.
pub async fn speeds(catalog: &Database) -> Result<HashMap<String, f64>, StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query_as(
        "select model, avg(tokens_per_second) from (
             select model, tokens_per_second, reported_at, max(reported_at) over (partition by model) as newest
             from worker_reports where tokens_per_second > 0) said
         where reported_at > newest - interval '30 s' group by model",
    );
    let speeds = query.fetch_all(tx.connection()).await;
    let speeds: Vec<(String, f64)> = speeds.map_err(|error| tx.failed(error))?;
    Ok(speeds.into_iter().collect())
}

/// Notes how much weight the clients have whose work waits on a shard, and answers with the sum over all shards that
/// reported lately.
pub async fn activity(
    catalog: &Database,
    shard: &ShardName,
    model: &ModelName,
    weight: f64,
) -> Result<f64, StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query(
        "insert into shard_activity (shard, model, weight) values ($1, $2, $3)
         on conflict (shard, model) do update set weight = excluded.weight, reported_at = now()",
    );
    let query = query.bind(shard.to_string()).bind(model.to_string()).bind(weight);
    query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    let query = tx.query_scalar::<f64>(
        "select coalesce(sum(weight), 0) from shard_activity where model = $1 and reported_at > now() - interval '10 s'",
    );
    let all = query
        .bind(model.to_string())
        .fetch_one(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(all)
}
