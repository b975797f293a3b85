//! Drains the dead queue. A message that names a job only sets its row waiting, if nobody claimed it; one that names none
//! is kept in the catalog for an operator.

use std::time::Duration;

use docket_shared::job::JobMessage;
use docket_shared::queue::QueueConfig;
use docket_shared::queue::consume::{Deliveries, Delivery, Source};
use docket_shared::queue::topology::DEAD;
use docket_shared::shutdown::Shutdown;
use docket_shared::store::{Shards, StoreError, dispatch, parked};
use docket_shared::{metrics, telemetry};

/// Dead messages are rare and not urgent: a few at a time.
const PREFETCH: u16 = 4;
/// Pause before a message is returned whose database is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Drains until the shutdown begins.
pub async fn run(shards: Shards, config: QueueConfig, name: String, shutdown: Shutdown) {
    let mut deliveries = Deliveries::new(config, &name, Source::Dead, PREFETCH);
    while let Some(delivery) = shutdown.until_soft(deliveries.next()).await {
        match settle(&shards, &delivery).await {
            Ok(outcome) => {
                metrics::dead_message(outcome);
                delivery.ack().await;
            }
            Err(error) => {
                tracing::warn!(error = telemetry::chain(&error), "a dead message stays in its queue");
                shutdown.sleep(PAUSE).await;
                delivery.requeue().await;
            }
        }
    }
    deliveries.cancel().await;
    deliveries.disconnect().await;
}

async fn settle(shards: &Shards, delivery: &Delivery) -> Result<&'static str, StoreError> {
    let reason = match JobMessage::decode(&delivery.body) {
        Ok((key, _)) if dispatch::wait_again(shards, key).await? => {
            tracing::warn!(job.id = %key.job, "a dead-lettered job waits again");
            return Ok("requeued");
        }
        Ok((key, _)) => format!("job {} does not exist", key.job),
        Err(error) => telemetry::chain(&error),
    };
    parked::park(shards.catalog(), DEAD, &delivery.body, &reason).await?;
    tracing::warn!(reason, bytes = delivery.body.len(), "a dead message was parked");
    Ok("parked")
}
