//! Every declare. Quorum queues only; their arguments are frozen, since a changed one is refused by a running broker.
//!
//! ```text
//! docket.jobs (direct) --model--> docket.jobs.<model> --rejected, or delivered 100 times--> docket.dead
//! docket.delay (fanout) --------> docket.delay        --after 5 s, same routing key-------> docket.jobs
//! ```

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind, Queue};

use super::{QueueError, call, text};
use crate::ids::ModelName;

/// Exchange of the jobs; the routing key is the model.
pub const JOBS: &str = "docket.jobs";
/// Exchange and queue of the messages whose shard cannot be reached.
pub const DELAY: &str = "docket.delay";
/// Exchange and queue of the messages that no worker can act on.
pub const DEAD: &str = "docket.dead";

/// How long a message rests in the delay queue, in milliseconds: a shard's restart takes about as long.
const DELAY_MS: i32 = 5_000;
/// Deliveries after which the broker gives up: far above our own attempts, which the row counts. It only stops a message
/// that no worker survives even reading.
const DELIVERIES_MAX: i32 = 100;

/// A model's queue.
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

/// At-least-once dead-lettering: the message stays in its queue until the target has it.
fn dead_letter_to(exchange: &str) -> Vec<(&'static str, AMQPValue)> {
    vec![
        ("x-dead-letter-exchange", text(exchange)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ]
}

/// A queue of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    /// A model's jobs.
    Jobs(ModelName),
    /// [`DELAY`].
    Delay,
    /// [`DEAD`].
    Dead,
}

impl Declared {
    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Self::Jobs(model) => jobs_queue(model),
            Self::Delay => DELAY.to_owned(),
            Self::Dead => DEAD.to_owned(),
        }
    }

    /// Its arguments, beside the type.
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
        }
    }

    /// Declares it; refused when it exists with other arguments. What comes back says how many messages are ready in it and
    /// how many consumers it has.
    pub(super) async fn declare(&self, channel: &Channel) -> Result<Queue, QueueError> {
        declare_queue(channel, &self.name(), &self.arguments()).await
    }
}

/// The exchanges, and how each routes.
pub const EXCHANGES: [(&str, ExchangeKind); 3] = [
    (JOBS, ExchangeKind::Direct),
    (DELAY, ExchangeKind::Fanout),
    (DEAD, ExchangeKind::Fanout),
];

/// Declares what does not depend on a model.
pub async fn declare_common(channel: &Channel) -> Result<(), QueueError> {
    for (name, kind) in EXCHANGES {
        declare_exchange(channel, name, kind).await?;
    }
    Declared::Delay.declare(channel).await?;
    bind(channel, DELAY, DELAY, "").await?;
    Declared::Dead.declare(channel).await?;
    bind(channel, DEAD, DEAD, "").await
}

/// Declares a model's queue; what comes back says how many messages are ready in it and how many consumers it has.
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
