//! RabbitMQ as our processes see it: connections, publishing, depths, and what ended in the dead queue.

use std::time::Instant;

use super::{By, Kind, Label, MODEL, Metric, QUICK, flag};

const CONNECTED: Metric = Metric::new(
    "docket_broker_connected",
    Kind::Gauge,
    By::Both,
    "1 while connected to the broker, by use",
)
.labels(&[Label::named("connection", "`publish`, or the queue that is consumed")])
.when("for `publish` when there first was something to publish");
const PUBLISHED: Metric = Metric::new(
    "docket_messages_published_total",
    Kind::Counter,
    By::Both,
    "job messages that the broker confirmed, by who published them; `delay` are those that a worker put off",
)
.labels(&[Label::words("path", &["dispatcher", "handover", "delay"])]);
const FAILED: Metric = Metric::new(
    "docket_publish_failures_total",
    Kind::Counter,
    By::Both,
    "job messages that were not confirmed; their rows wait on",
)
.labels(&[Label::words(
    "reason",
    &["timeout", "connection", "unroutable", "refused", "consumer_ended"],
)]);
const SECONDS: Metric = Metric::new(
    "docket_publish_seconds",
    Kind::Histogram(QUICK),
    By::Both,
    "time until all messages that were published together were answered",
);
const IN_FLIGHT: Metric = Metric::new(
    "docket_publish_in_flight_messages",
    Kind::Gauge,
    By::Both,
    "messages that are published and not answered yet",
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
    "messages of the dead queue: `requeued` named a job, which waits again; `parked` named none",
)
.labels(&[Label::words("outcome", &["requeued", "parked"])]);

pub(super) const ALL: &[&Metric] = &[
    &CONNECTED, &PUBLISHED, &FAILED, &SECONDS, &IN_FLIGHT, &READY, &CONSUMERS, &DEAD,
];

/// Messages on their way to the broker, until it is dropped.
pub struct Publishing {
    messages: usize,
    began: Instant,
}

/// So many messages are being published.
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

/// Messages were confirmed; `path` is `dispatcher`, `handover` or `delay`.
pub fn published(path: &'static str, messages: u64) {
    PUBLISHED.counter(&[path]).increment(messages);
}

/// A message was not confirmed.
pub fn publish_failed(reason: &'static str) {
    FAILED.counter(&[reason]).increment(1);
}

/// Depth of a model's queue, and how many consume it.
pub fn queue(model: &str, ready: u32, consumers: u32) {
    READY.gauge(&[model]).set(f64::from(ready));
    CONSUMERS.gauge(&[model]).set(f64::from(consumers));
}

/// A message of the dead queue was dealt with.
pub fn dead_message(outcome: &'static str) {
    DEAD.counter(&[outcome]).increment(1);
}

/// Whether a connection to the broker stands; `connection` is `publish`, or the queue that is consumed.
pub fn connected(connection: &str, stands: bool) {
    CONNECTED.gauge(&[connection]).set(flag(stands));
}
