//! Drains the dead queue. If a message names a job, the job waits again unless it was claimed. If a message names no known job,
//! the catalog keeps the message for an operator.

use std::time::{Duration, Instant};

use docket_contract::job::JobMessage;
use docket_process::metrics::{self, Undeliverable};
use docket_process::shutdown::Shutdown;
use docket_process::telemetry;
use docket_queue::QueueConfig;
use docket_queue::consume::{Deliveries, Delivery, Source};
use docket_queue::topology::DEAD;
use docket_store::operate::parked;
use docket_store::work::dispatch;
use docket_store::{Shards, StoreError};
use tokio::task::JoinSet;

/// Messages in hand at a time: more than wait for one absent shard, so that messages of other shards get their turn.
const PREFETCH: u16 = 64;
/// Pause between attempts to reach a database that is away.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a message is held while its database is away, before the message returns to its queue. Returns must be few: a broker
/// may delete a message that was returned 20 times (RabbitMQ 4 does unless a policy forbids it). A hold must be short: a broker
/// closes a channel that holds a message for half an hour.
const HOLD_MAX: Duration = Duration::from_secs(600);

/// Drains until the shutdown begins.
pub async fn run(shards: Shards, config: QueueConfig, name: String, shutdown: Shutdown) {
    let mut deliveries = Deliveries::new(config, &name, Source::Dead, PREFETCH);
    let mut draining = JoinSet::new();
    while let Some(delivery) = shutdown.until_soft(deliveries.next()).await {
        draining.spawn(drain(shards.clone(), delivery, shutdown.clone()));
        while draining.try_join_next().is_some() {}
    }
    deliveries.cancel().await;
    while draining.join_next().await.is_some() {}
    deliveries.disconnect().await;
}

/// Settles one message as soon as its database answers.
async fn drain(shards: Shards, delivery: Delivery, shutdown: Shutdown) {
    let held_until = Instant::now() + HOLD_MAX;
    loop {
        match settle(&shards, &delivery).await {
            Ok(outcome) => {
                metrics::dead_message(outcome);
                delivery.ack().await;
                return;
            }
            Err(error) => tracing::warn!(
                error = telemetry::chain(&error),
                "a dead message waits for its database"
            ),
        }
        let goes_on = shutdown.sleep(PAUSE).await;
        if !goes_on || Instant::now() > held_until {
            delivery.requeue().await;
            return;
        }
    }
}

async fn settle(shards: &Shards, delivery: &Delivery) -> Result<Undeliverable, StoreError> {
    let reason = match JobMessage::decode(&delivery.body) {
        Ok((key, _)) if dispatch::wait_again(shards, key).await? => {
            tracing::warn!(job.id = %key.job, "a dead-lettered job waits again");
            return Ok(Undeliverable::Requeued);
        }
        Ok((key, _)) => format!("job {} does not exist", key.job),
        Err(error) => telemetry::chain(&error),
    };
    parked::park(shards.catalog(), DEAD, &delivery.body, &reason).await?;
    tracing::warn!(reason, bytes = delivery.body.len(), "a dead message was parked");
    Ok(Undeliverable::Parked)
}
