//! Consumes a queue: deliveries with explicit acks, over a connection that is made anew when it is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, Consumer};
use tracing::{Instrument, Span};

use super::{QueueConfig, QueueError, UNSETTLED, call, close, connect, topology};
use docket_contract::backoff;
use docket_contract::ids::{ClaimToken, ModelName};
use docket_contract::job::AnalyzeDocument;
use docket_process::telemetry::context::{self, TRACE_PARENT};
use docket_process::{metrics, telemetry};

/// A consumer that has heard nothing for this long, with no delivery in hand, subscribes anew on a fresh channel. When a quorum
/// queue is deleted and a new one of that name exists before the channel learns of it, RabbitMQ 3.10 moves the consumer over. The
/// channel then takes the first messages for repetitions of the old queue's, as many as those were, and silently keeps them.
/// Short enough to be a pause, long enough to cost an idle broker nothing.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The queue that is consumed.
#[derive(Debug, Clone)]
pub enum Source {
    /// The jobs of a model.
    Jobs(ModelName),
    /// The dead queue: messages that no worker could act on.
    Dead,
    /// Pages to be drawn.
    Images,
}

impl Source {
    /// Name of the queue.
    pub fn queue(&self) -> String {
        match self {
            Self::Jobs(model) => topology::jobs_queue(model),
            Self::Dead => topology::DEAD.to_owned(),
            Self::Images => topology::IMAGES.to_owned(),
        }
    }
}

/// A delivered message, to be settled exactly once.
pub struct Delivery {
    /// Body of the message.
    pub body: Vec<u8>,
    /// Whether the message was delivered before, or came back from the delay queue. Then the row may be running for a good
    /// reason.
    pub returned: bool,
    /// A claim of the job to give back, because the shard could not be told how it ended.
    pub unsettled: Option<ClaimToken>,
    trace_parent: Option<String>,
    source: Source,
    inner: lapin::message::Delivery,
    _in_hand: Arc<()>,
}

impl Delivery {
    fn new(mut inner: lapin::message::Delivery, source: &Source, in_hand: Arc<()>) -> Self {
        let headers = inner.properties.headers().as_ref();
        let delayed = headers.is_some_and(|headers| headers.contains_key("x-death"));
        let header = |name| match headers.as_ref()?.inner().get(name)? {
            AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
            _ => None,
        };
        let (trace_parent, unsettled) = (header(TRACE_PARENT), header(UNSETTLED));
        Self {
            body: std::mem::take(&mut inner.data),
            returned: inner.redelivered || delayed,
            unsettled: unsettled.and_then(|token| token.parse().ok()).map(ClaimToken),
            trace_parent,
            source: source.clone(),
            inner,
            _in_hand: in_hand,
        }
    }

    /// The span of working on the message: a child of the span that sent it. Without the `traceparent` header, the trace in the
    /// body is the parent.
    pub fn processing(&self, message: &AnalyzeDocument) -> Span {
        let destination = self.destination();
        let span = tracing::debug_span!(
            "process",
            otel.name = %format_args!("process {destination}"),
            otel.kind = "consumer",
            messaging.system = "rabbitmq",
            messaging.operation.name = "process",
            messaging.operation.type = "process",
            messaging.destination.name = destination,
            messaging.rabbitmq.destination.routing_key = self.inner.routing_key.as_str(),
            messaging.rabbitmq.message.delivery_tag = self.inner.delivery_tag.cast_signed(),
            messaging.message.id = %message.job_id,
        );
        let parent = self.trace_parent.as_deref().or(message.trace_parent.as_deref());
        context::go_on(&span, parent);
        span
    }

    /// The span of settling the delivery with the broker.
    fn settling(&self, operation: &'static str) -> Span {
        tracing::debug_span!(
            "settle",
            otel.name = %format_args!("{operation} {}", self.destination()),
            otel.kind = "client",
            messaging.system = "rabbitmq",
            messaging.operation.name = operation,
            messaging.operation.type = "settle",
            messaging.destination.name = self.destination(),
            messaging.rabbitmq.message.delivery_tag = self.inner.delivery_tag.cast_signed(),
        )
    }

    fn destination(&self) -> String {
        let (exchange, key) = (&self.inner.exchange, &self.inner.routing_key);
        format!("{exchange}:{key}:{}", self.source.queue())
    }

    /// Settles the delivery as done. `false`: the connection is gone, and the broker delivers the message again.
    pub async fn ack(&self) -> bool {
        let acked = call("take an ack", self.inner.ack(BasicAckOptions::default()));
        settled(acked.instrument(self.settling("ack")).await)
    }

    /// Puts the message back into its queue. `false` as for [`Self::ack`].
    pub async fn requeue(&self) -> bool {
        let options = BasicNackOptions {
            requeue: true,
            ..BasicNackOptions::default()
        };
        self.nack(options).await
    }

    /// Sends the message to the dead queue. `false` as for [`Self::ack`].
    pub async fn reject(&self) -> bool {
        let options = BasicNackOptions {
            requeue: false,
            ..BasicNackOptions::default()
        };
        self.nack(options).await
    }

    async fn nack(&self, options: BasicNackOptions) -> bool {
        let nacked = call("take a nack", self.inner.nack(options));
        settled(nacked.instrument(self.settling("nack")).await)
    }
}

fn settled(answer: Result<bool, QueueError>) -> bool {
    answer.unwrap_or_else(|error| {
        tracing::warn!(
            error = telemetry::chain(&error),
            "a delivery was not settled; it will come again"
        );
        false
    })
}

/// The deliveries of one queue.
pub struct Deliveries {
    config: QueueConfig,
    name: String,
    source: Source,
    prefetch: u16,
    live: Option<Live>,
    failures: u32,
    connected: Arc<AtomicBool>,
    /// Held by each delivery until it is dropped.
    in_hand: Arc<()>,
}

struct Live {
    connection: Connection,
    channel: Channel,
    consumer: Consumer,
}

impl Deliveries {
    /// A consumer that has not connected yet. At most `prefetch` deliveries are unsettled at a time.
    pub fn new(config: QueueConfig, name: &str, source: Source, prefetch: u16) -> Self {
        assert!(prefetch >= 1, "0 would mean no limit");
        let name = format!("{name} consume");
        metrics::connected(&source.queue(), false);
        Self {
            config,
            name,
            source,
            prefetch,
            live: None,
            failures: 0,
            connected: Arc::default(),
            in_hand: Arc::default(),
        }
    }

    /// Whether the consumer is connected, for readiness.
    pub fn connected(&self) -> Arc<AtomicBool> {
        self.connected.clone()
    }

    /// The next delivery, however long the broker is away. Cancel-safe.
    pub async fn next(&mut self) -> Delivery {
        loop {
            match self.try_next().await {
                Ok(delivery) => return delivery,
                Err(error) => {
                    self.disconnect().await;
                    self.failures += 1;
                    let delay = backoff::CONNECTION.delay(self.failures, rand::random());
                    tracing::warn!(
                        error = telemetry::chain(&error),
                        queue = self.source.queue(),
                        "not consuming"
                    );
                    tokio::time::sleep(delay).await;
                }
            }
        }
    }

    async fn try_next(&mut self) -> Result<Delivery, QueueError> {
        loop {
            if self.live.is_none() {
                let connection = connect(&self.config, &self.name).await?;
                self.live = Some(self.subscribe(connection).await?);
                self.failures = 0;
                self.connected.store(true, Ordering::Relaxed);
                metrics::connected(&self.source.queue(), true);
                tracing::info!(queue = self.source.queue(), prefetch = self.prefetch, "consuming");
            }
            let live = self.live.as_mut().expect("opened above");
            match tokio::time::timeout(SILENCE_MAX, live.consumer.next()).await {
                Ok(Some(Ok(delivery))) => return Ok(Delivery::new(delivery, &self.source, self.in_hand.clone())),
                Ok(Some(Err(source))) => {
                    return Err(QueueError::Failed {
                        action: "go on delivering",
                        source,
                    });
                }
                Ok(None) => return Err(QueueError::ConsumerEnded),
                Err(_) if Arc::strong_count(&self.in_hand) == 1 => self.subscribe_anew().await?,
                Err(_) => {}
            }
        }
    }

    /// Subscribes on a new channel. When the old channel closes, the messages in it that nobody took go back to the queue.
    async fn subscribe_anew(&mut self) -> Result<(), QueueError> {
        if let Some(live) = self.live.take() {
            call("close a channel", live.channel.close(200, "silent".into())).await?;
            self.live = Some(self.subscribe(live.connection).await?);
        }
        Ok(())
    }

    async fn subscribe(&self, connection: Connection) -> Result<Live, QueueError> {
        let channel = call("open a channel", connection.create_channel()).await?;
        topology::declare_common(&channel).await?;
        if let Source::Jobs(model) = &self.source {
            topology::declare_model(&channel, model).await?;
        }
        call(
            "set the prefetch",
            channel.basic_qos(self.prefetch, BasicQosOptions::default()),
        )
        .await?;
        let consumer = channel.basic_consume(
            self.source.queue().into(),
            self.name.as_str().into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = call("consume", consumer).await?;
        Ok(Live {
            connection,
            channel,
            consumer,
        })
    }

    /// Asks the broker for no more messages. Messages that nobody took go back; deliveries in hand can still be settled.
    pub async fn cancel(&mut self) {
        let Some(live) = &mut self.live else { return };
        let cancelled = live
            .channel
            .basic_cancel(live.consumer.tag(), BasicCancelOptions::default());
        if let Err(error) = call("cancel a consumer", cancelled).await {
            tracing::warn!(error = telemetry::chain(&error), "the consumer was not cancelled");
            return;
        }
        // The stream of a cancelled consumer ends behind the messages that had arrived.
        while let Some(Ok(delivery)) = live.consumer.next().await {
            Delivery::new(delivery, &self.source, self.in_hand.clone())
                .requeue()
                .await;
        }
    }

    /// Closes the connection. The broker delivers what is unsettled again, to another consumer.
    pub async fn disconnect(&mut self) {
        self.connected.store(false, Ordering::Relaxed);
        metrics::connected(&self.source.queue(), false);
        if let Some(live) = self.live.take() {
            close(&live.connection).await;
        }
    }
}
