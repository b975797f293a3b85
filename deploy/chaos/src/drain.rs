//! The drain after the faults: lets every accepted job end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use docket_checker::queues;
use sqlx::{Connection as _, PgConnection};

use crate::inject::Town;

/// How long the drain may take. Repairing a job that lost both worker and message takes 2 min; the pause of a job that met
/// several errors takes up to 5 min.
pub const DRAIN_MAX: Duration = Duration::from_secs(420);
/// When an operator would notice that nothing moves, and requeues the published jobs that are not claimed.
const REQUEUE_AFTER: Duration = Duration::from_secs(60);
/// Pause between looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The outcome of the drain.
#[derive(Debug, Default)]
pub struct Drained {
    /// How long the drain took.
    pub took: Duration,
    /// Published jobs whose messages were gone: without the requeue they would wait for ten minutes.
    pub requeued: i64,
    /// Live jobs at the end of the drain.
    pub left: i64,
}

/// Waits until no job is live and no message is left, for at most this long.
pub async fn drain(town: &Town, most: Duration) -> Result<Drained> {
    let (servers, began) = (town.servers.for_checker(), Instant::now());
    let mut drained = Drained::default();
    let mut was_requeued = false;
    loop {
        drained.left = live(&servers.shards, "true").await?;
        let depths = queues::depths(&servers.amqp).await.context("look at the queues")?;
        drained.took = began.elapsed();
        if (drained.left == 0 && depths.values().all(|depth| *depth == 0)) || drained.took > most {
            return Ok(drained);
        }
        if drained.took > REQUEUE_AFTER && !was_requeued {
            was_requeued = true;
            drained.requeued = live(
                &servers.shards,
                "state = 'queued' and published_at < now() - interval '20 s'",
            )
            .await?;
            if drained.requeued > 0 {
                town.requeue().await?;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Number of dispatch rows in all shards that satisfy the condition `so`.
async fn live(shards: &[(String, String)], so: &'static str) -> Result<i64> {
    let mut live = 0;
    for (name, url) in shards {
        let mut shard = PgConnection::connect(url)
            .await
            .with_context(|| format!("connect to {name}"))?;
        let count = sqlx::AssertSqlSafe(format!("select count(*) from dispatch where {so}"));
        let count: i64 = sqlx::query_scalar(count)
            .fetch_one(&mut shard)
            .await
            .with_context(|| format!("count in {name}"))?;
        live += count;
    }
    Ok(live)
}
