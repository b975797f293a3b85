//! RabbitMQ as this process sees it: connections, publishing, queue depths, and messages of the dead queue.

use std::time::Instant;

use docket_contract::words;

use super::{By, Kind, Label, MODEL, Metric, QUICK, flag};

words!(
    /// Who published a job's message.
    Path {
        /// The dispatcher, in its turn.
        Dispatcher = "dispatcher",
        /// The process that accepted the job.
        Handover = "handover",
        /// A worker that put the job off.
        Delay = "delay",
    }
);

words!(
    /// What became of a message of the dead queue.
    Undeliverable {
        /// Its job waits again.
        Requeued = "requeued",
        /// The message is kept for an operator.
        Parked = "parked",
    }
);

const CONNECTED: Metric = Metric::new(
    "docket_broker_connected",
    Kind::Gauge,
    By::Both,
    "1 while this connection to the broker is up, else 0",
)
.labels(&[Label::named(
    "connection",
    "`publish`, or the name of the consumed queue",
)])
.when("for `publish` after the first message");
const PUBLISHED: Metric = Metric::new(
    "docket_messages_published_total",
    Kind::Counter,
    By::Both,
    "job messages that the broker confirmed, by publisher; `handover` is the process that accepted the job, `delay` is \
     a worker that put the job off",
)
.labels(&[Label::words("path", Path::WORDS)]);
const FAILED: Metric = Metric::new(
    "docket_publish_failures_total",
    Kind::Counter,
    By::Both,
    "job messages that the broker did not confirm; the jobs keep waiting",
)
.labels(&[Label::words(
    "reason",
    &["timeout", "connection", "unroutable", "refused", "consumer_ended"],
)]);
const SECONDS: Metric = Metric::new(
    "docket_publish_seconds",
    Kind::Histogram(QUICK),
    By::Both,
    "time until the broker has answered all messages that were published together",
);
const IN_FLIGHT: Metric = Metric::new(
    "docket_publish_in_flight_messages",
    Kind::Gauge,
    By::Both,
    "published messages that the broker has not answered yet",
)
.when("after the first message");
const READY: Metric = Metric::new(
    "docket_queue_ready_messages",
    Kind::Gauge,
    By::Producer,
    "messages in a model's queue that no worker has",
)
.labels(&[MODEL])
.when("after the first job of the model");
const CONSUMERS: Metric = Metric::new(
    "docket_queue_consumers",
    Kind::Gauge,
    By::Producer,
    "workers that consume a model's queue",
)
.labels(&[MODEL])
.when("after the first job of the model");
const DEAD: Metric = Metric::new(
    "docket_parked_messages_total",
    Kind::Counter,
    By::Producer,
    "messages of the dead queue: a `requeued` message named a job, which waits again; a `parked` message named no job \
     and is kept for an operator",
)
.labels(&[Label::words("outcome", Undeliverable::WORDS)]);

pub(super) const ALL: &[&Metric] = &[
    &CONNECTED, &PUBLISHED, &FAILED, &SECONDS, &IN_FLIGHT, &READY, &CONSUMERS, &DEAD,
];

/// Counts messages as in flight to the broker until this value is dropped.
pub struct Publishing {
    messages: usize,
    began: Instant,
}

/// Counts this many messages as in flight to the broker.
pub fn publishing(messages: usize) -> Publishing {
    IN_FLIGHT.gauge(&[]).increment(messages as f64);
    let began = Instant::now();
    Publishing { messages, began }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        IN_FLIGHT.gauge(&[]).decrement(self.messages as f64);
        SECONDS.histogram(&[]).record(self.began.elapsed());
    }
}

/// The broker confirmed messages.
pub fn published(path: Path, messages: u64) {
    PUBLISHED.counter(&[path.as_str()]).increment(messages);
}

/// The broker did not confirm a message.
pub fn publish_failed(reason: &'static str) {
    FAILED.counter(&[reason]).increment(1);
}

/// Messages ready in a model's queue, and the consumers of the queue.
pub fn queue(model: &str, ready: u32, consumers: u32) {
    READY.gauge(&[model]).set(f64::from(ready));
    CONSUMERS.gauge(&[model]).set(f64::from(consumers));
}

/// A message of the dead queue was handled.
pub fn dead_message(outcome: Undeliverable) {
    DEAD.counter(&[outcome.as_str()]).increment(1);
}

/// Whether a connection to the broker is up; `connection` is `publish`, or the name of the consumed queue.
pub fn connected(connection: &str, stands: bool) {
    CONNECTED.gauge(&[connection]).set(flag(stands));
}
