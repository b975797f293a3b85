//! After the faults: everything that was accepted is let come to its end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use docket_checker::queues;
use sqlx::{Connection as _, PgConnection};

use crate::inject::Town;

/// How long everything may take to end: the repair of a job whose worker and message are both gone takes two minutes, the
/// pause of one that met several errors up to five.
pub const DRAIN_MAX: Duration = Duration::from_secs(420);
/// When an operator would look, and see that nothing moves: sets waiting what was published and is not claimed.
const REQUEUE_AFTER: Duration = Duration::from_secs(60);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How it went.
#[derive(Debug, Default)]
pub struct Drained {
    /// How long it took.
    pub took: Duration,
    /// Jobs that were published and whose messages were gone: left alone, they wait again after ten minutes.
    pub requeued: i64,
    /// Live jobs that were left at the end.
    pub left: i64,
}

/// Waits until no job is live and no message is left, but not for ever.
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

/// Dispatch rows of all shards that are so.
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
