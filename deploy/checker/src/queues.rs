//! The depths of the queues.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use tokio::time::timeout;

/// Queues whose names do not depend on a model.
const COMMON: [&str; 2] = ["docket.delay", "docket.dead"];
/// Prefix of a model's queue; the model's name follows.
const OF_MODEL: &str = "docket.jobs.";

/// How long one attempt at all depths may take: any call of the broker may stay silent for ever.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// How long closing a connection may take, after its work is done.
const CLOSE_MAX: Duration = Duration::from_secs(1);
/// Attempts before giving up.
const TRIES_MAX: usize = 4;

/// Messages of each queue that wait for a consumer. A missing queue has none.
pub async fn depths(amqp: &str) -> Result<BTreeMap<String, u32>> {
    for _ in 1..TRIES_MAX {
        if let Ok(Ok(depths)) = timeout(ANSWER_MAX, ask(amqp)).await {
            return Ok(depths);
        }
    }
    timeout(ANSWER_MAX, ask(amqp))
        .await
        .context("the broker does not answer")?
}

async fn ask(amqp: &str) -> Result<BTreeMap<String, u32>> {
    let connection = Connection::connect(amqp, ConnectionProperties::default()).await;
    let connection = connection.context("connect to the broker")?;
    let names = COMMON.iter().map(|name| (*name).to_owned());
    let mut depths = BTreeMap::new();
    for name in names.chain([format!("{OF_MODEL}{}", crate::MODEL)]) {
        // A passive declare of a missing queue closes its channel, so each queue gets a channel of its own.
        let channel = connection.create_channel().await.context("open a channel")?;
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = channel
            .queue_declare(name.as_str().into(), passive, FieldTable::default())
            .await;
        depths.insert(name, queue.map_or(0, |queue| queue.message_count()));
    }
    let _ = timeout(CLOSE_MAX, connection.close(200, "".into())).await; // The broker also notices a lost connection.
    Ok(depths)
}
