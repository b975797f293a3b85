//! What the queues have.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};

/// The queues whose names do not depend on a model.
const COMMON: [&str; 2] = ["docket.delay", "docket.dead"];
/// What the queue of a model begins with; the model of the run follows.
const OF_MODEL: &str = "docket.jobs.";

/// Messages in each queue that wait for a consumer. A queue that is not there has none.
pub async fn depths(amqp: &str) -> Result<BTreeMap<String, u32>> {
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
    let _ = connection.close(200, "".into()).await; // The broker notices a lost one as well.
    Ok(depths)
}
