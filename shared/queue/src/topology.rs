//! Declares every exchange and queue. Queues are quorum queues, with frozen arguments: a running broker refuses changed ones.
//!
//! ```text
//! docket.jobs (direct) --model--> docket.jobs.<model> --rejected, or delivered 100 times--> docket.dead
//! docket.delay (fanout) --------> docket.delay        --after 5 s, same routing key-------> docket.jobs
//! docket.images (fanout) -------> docket.images       --after 60 s, or when full----------> dropped
//! ```

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind, Queue};

use super::{QueueError, call, text};
use docket_contract::ids::ModelName;

/// Exchange of the jobs. The routing key is the model.
pub const JOBS: &str = "docket.jobs";
/// Exchange and queue of messages that a worker puts off: they come back after 5 s.
pub const DELAY: &str = "docket.delay";
/// Exchange and queue of messages that no worker can act on.
pub const DEAD: &str = "docket.dead";

/// Exchange and queue of pages to be drawn.
pub const IMAGES: &str = "docket.images";

/// How long a page waits to be drawn, in milliseconds: whoever waits for longer asks again.
const IMAGE_MS: i32 = 60_000;
/// Pages that wait to be drawn, of all clients together: more than a minute's work of several workers is refused.
const IMAGES_MAX: i32 = 2_000;
/// How long a message stays in the delay queue, in milliseconds: about as long as a shard takes to restart.
const DELAY_MS: i32 = 5_000;
/// Deliveries after which the broker gives a message up: far above our own attempts, which the row counts. The limit only stops a
/// message that kills every worker that reads it.
const DELIVERIES_MAX: i32 = 100;

/// Name of a model's queue.
pub fn jobs_queue(model: &ModelName) -> String {
    format!("{JOBS}.{model}")
}

fn arguments(pairs: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (key, value) in pairs {
        table.insert(ShortString::from(*key), value.clone());
    }
    table
}

/// Arguments for at-least-once dead-lettering: a message stays in its queue until the target queue has it.
fn dead_letter_to(exchange: &str) -> Vec<(&'static str, AMQPValue)> {
    vec![
        ("x-dead-letter-exchange", text(exchange)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ]
}

/// A queue of this product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    /// The queue of a model's jobs.
    Jobs(ModelName),
    /// The queue [`DELAY`].
    Delay,
    /// The queue [`DEAD`].
    Dead,
    /// The queue [`IMAGES`].
    Images,
}

impl Declared {
    /// Name of the queue.
    pub fn name(&self) -> String {
        match self {
            Self::Jobs(model) => jobs_queue(model),
            Self::Delay => DELAY.to_owned(),
            Self::Dead => DEAD.to_owned(),
            Self::Images => IMAGES.to_owned(),
        }
    }

    /// Arguments of the queue, without its type.
    fn arguments(&self) -> Vec<(&'static str, AMQPValue)> {
        match self {
            Self::Jobs(_) => {
                let mut jobs = dead_letter_to(DEAD);
                jobs.push(("x-delivery-limit", AMQPValue::LongInt(DELIVERIES_MAX)));
                jobs
            }
            Self::Delay => {
                let mut delay = dead_letter_to(JOBS);
                delay.push(("x-message-ttl", AMQPValue::LongInt(DELAY_MS)));
                delay
            }
            Self::Dead => Vec::new(),
            Self::Images => vec![
                ("x-message-ttl", AMQPValue::LongInt(IMAGE_MS)),
                ("x-max-length", AMQPValue::LongInt(IMAGES_MAX)),
                ("x-overflow", text("reject-publish")),
            ],
        }
    }

    /// Declares the queue; refused when it exists with other arguments. Returns the messages ready in it and its consumers.
    pub(super) async fn declare(&self, channel: &Channel) -> Result<Queue, QueueError> {
        declare_queue(channel, &self.name(), &self.arguments()).await
    }
}

/// The exchanges, with their kinds.
pub const EXCHANGES: [(&str, ExchangeKind); 4] = [
    (JOBS, ExchangeKind::Direct),
    (DELAY, ExchangeKind::Fanout),
    (DEAD, ExchangeKind::Fanout),
    (IMAGES, ExchangeKind::Fanout),
];

/// Declares every exchange and queue that does not depend on a model.
pub async fn declare_common(channel: &Channel) -> Result<(), QueueError> {
    for (name, kind) in EXCHANGES {
        declare_exchange(channel, name, kind).await?;
    }
    Declared::Delay.declare(channel).await?;
    bind(channel, DELAY, DELAY, "").await?;
    Declared::Dead.declare(channel).await?;
    bind(channel, DEAD, DEAD, "").await?;
    Declared::Images.declare(channel).await?;
    bind(channel, IMAGES, IMAGES, "").await
}

/// Declares a model's queue. Returns the messages ready in it and its consumers.
pub async fn declare_model(channel: &Channel, model: &ModelName) -> Result<Queue, QueueError> {
    let jobs = Declared::Jobs(model.clone());
    let queue = jobs.declare(channel).await?;
    bind(channel, &jobs.name(), JOBS, model.as_str()).await?;
    Ok(queue)
}

pub(super) async fn declare_exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> Result<(), QueueError> {
    let options = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    call(
        "declare an exchange",
        channel.exchange_declare(name.into(), kind, options, FieldTable::default()),
    )
    .await
}

async fn declare_queue(channel: &Channel, name: &str, pairs: &[(&str, AMQPValue)]) -> Result<Queue, QueueError> {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    call(
        "declare a queue",
        channel.queue_declare(name.into(), options, arguments(pairs)),
    )
    .await
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), QueueError> {
    let bound = channel.queue_bind(
        queue.into(),
        exchange.into(),
        key.into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    call("bind a queue", bound).await
}
