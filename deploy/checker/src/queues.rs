//! What the queues have.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use tokio::time::timeout;

/// The queues whose names do not depend on a model.
const COMMON: [&str; 2] = ["docket.delay", "docket.dead"];
/// What the queue of a model begins with; the model of the run follows.
const OF_MODEL: &str = "docket.jobs.";

/// How long the broker may take to say it all: every call of it may be silent for ever.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// How long it may take to close a connection that has done its work.
const CLOSE_MAX: Duration = Duration::from_secs(1);
/// How often it is asked.
const TRIES_MAX: usize = 4;

/// Messages in each queue that wait for a consumer. A queue that is not there has none.
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
        // A passive declare of a missing queue ends its channel: each has one of its own.
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
    let _ = timeout(CLOSE_MAX, connection.close(200, "".into())).await; // The broker notices a lost one as well.
    Ok(depths)
}
