//! Publishing: `mandatory`, with pipelined confirms. A publish is done when the broker confirms it and returns nothing:
//! a returned message is confirmed too.

use std::collections::HashSet;

use futures::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use tokio::sync::Mutex;
use tracing::{Instrument, Span};

use super::topology::{self, DELAY, JOBS};
use super::{QueueConfig, QueueError, UNSETTLED, call, close, connect, text};
use crate::failpoint;
use crate::ids::{ClaimToken, ModelName};
use crate::job::{AnalyzeDocument, JobMessage};
use crate::metrics;
use crate::telemetry::context::{self, TRACE_PARENT};

/// Persistent, by AMQP's numbering.
const PERSISTENT: u8 = 2;

/// Depth of a model's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Messages that no consumer holds.
    pub ready: u32,
    /// Consumers.
    pub consumers: u32,
}

/// The process's publishing connection, made when it is needed and again when it is lost.
pub struct Publisher {
    config: QueueConfig,
    name: String,
    live: Mutex<Option<Live>>,
}

struct Live {
    connection: Connection,
    publishing: Channel,
    declaring: Channel,
    declared: HashSet<ModelName>,
}

impl Publisher {
    /// A publisher that has not connected yet. `name` is what the broker's pages show.
    pub fn new(config: QueueConfig, name: &str) -> Self {
        Self {
            config,
            name: format!("{name} publish"),
            live: Mutex::new(None),
        }
    }

    /// Publishes jobs and waits for all confirms; one result for each, in order.
    pub async fn jobs(&self, messages: &[AnalyzeDocument]) -> Vec<Result<(), QueueError>> {
        let _publishing = metrics::publishing(messages.len());
        let of_job = |message: &AnalyzeDocument| {
            let span = sending(JOBS, message);
            context::go_on(&span, message.trace_parent.as_deref());
            span
        };
        let spans: Vec<Span> = messages.iter().map(of_job).collect();
        let sent = messages.iter().zip(&spans);
        let sent = sent.map(|(message, span)| self.send(JOBS, message, None).instrument(span.clone()));
        let sent = join_all(sent).await;
        failpoint!("producer.before_confirm");
        let confirmed = sent.into_iter().zip(spans);
        let confirmed = confirmed.map(|(sent, span)| outcome(sent).instrument(span));
        let results = join_all(confirmed).await;
        failpoint!("producer.before_mark");
        for (message, result) in messages.iter().zip(&results) {
            self.note(&message.model, result).await;
        }
        results
    }

    /// Puts a job into the delay queue; the broker delivers it again in 5 s. `unsettled` is a claim of it that its shard could
    /// not be told the end of: whoever gets the message gives that back first.
    pub async fn later(&self, message: &AnalyzeDocument, unsettled: Option<ClaimToken>) -> Result<(), QueueError> {
        let _publishing = metrics::publishing(1);
        let sent = async { outcome(self.send(DELAY, message, unsettled).await).await };
        let result = sent.instrument(sending(DELAY, message)).await;
        if result.is_ok() {
            metrics::published("delay", 1);
        }
        self.note(&message.model, &result).await;
        result
    }

    /// How deep a model's queue is. Declares it, since a passive declare of a missing queue only kills its channel.
    pub async fn depth(&self, model: &ModelName) -> Result<Depth, QueueError> {
        let declaring = self.with_model(model, |live| live.declaring.clone()).await?;
        let declared = topology::declare_model(&declaring, model).await;
        let queue = match declared {
            Ok(queue) => queue,
            Err(error) => {
                self.disconnect().await;
                return Err(error);
            }
        };
        Ok(Depth {
            ready: queue.message_count(),
            consumers: queue.consumer_count(),
        })
    }

    /// Closes the connection.
    pub async fn disconnect(&self) {
        if let Some(live) = self.live.lock().await.take() {
            metrics::connected("publish", false);
            close(&live.connection).await;
        }
    }

    async fn send(
        &self,
        exchange: &str,
        message: &AnalyzeDocument,
        unsettled: Option<ClaimToken>,
    ) -> Result<PublisherConfirm, QueueError> {
        let publishing = self.with_model(&message.model, |live| live.publishing.clone()).await?;
        let body = JobMessage::V1(message.clone()).encode();
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into())
            .with_message_id(message.job_id.to_string().into())
            .with_headers(headers(message, unsettled));
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let key = message.model.as_str().into();
        call(
            "take a message",
            publishing.basic_publish(exchange.into(), key, options, &body, properties),
        )
        .await
    }

    /// Runs `take` on the live connection, on which the model's queue is declared.
    async fn with_model<T>(&self, model: &ModelName, take: impl FnOnce(&Live) -> T) -> Result<T, QueueError> {
        let mut guard = self.live.lock().await;
        if guard.as_ref().is_some_and(|live| !live.connection.status().connected()) {
            guard.take();
        }
        if guard.is_none() {
            metrics::connected("publish", false);
            *guard = Some(Live::open(&self.config, &self.name).await?);
            metrics::connected("publish", true);
        }
        let live = guard.as_mut().expect("opened above");
        if !live.declared.contains(model) {
            if let Err(error) = topology::declare_model(&live.declaring, model).await {
                guard.take();
                return Err(error);
            }
            live.declared.insert(model.clone());
        }
        Ok(take(live))
    }

    /// What a result says of the connection: a returned message means that the queue is gone; a lost or silent
    /// connection is given up, and one that refuses too: RabbitMQ 3.10 refuses for ever what a channel sends whose
    /// first message met a queue without a leader.
    async fn note(&self, model: &ModelName, result: &Result<(), QueueError>) {
        match result {
            Ok(()) | Err(QueueError::ConsumerEnded) => {}
            Err(QueueError::Unroutable) => {
                if let Some(live) = self.live.lock().await.as_mut() {
                    live.declared.remove(model);
                }
            }
            Err(QueueError::Refused | QueueError::TimedOut(_) | QueueError::Failed { .. }) => self.disconnect().await,
        }
    }
}

impl Live {
    async fn open(config: &QueueConfig, name: &str) -> Result<Self, QueueError> {
        let connection = connect(config, name).await?;
        let publishing = call("open a channel", connection.create_channel()).await?;
        call(
            "confirm publishes",
            publishing.confirm_select(ConfirmSelectOptions::default()),
        )
        .await?;
        let declaring = call("open a channel", connection.create_channel()).await?;
        topology::declare_common(&declaring).await?;
        Ok(Self {
            connection,
            publishing,
            declaring,
            declared: HashSet::new(),
        })
    }
}

/// What became of a message; one that was not confirmed is counted, and its trace says so.
async fn outcome(sent: Result<PublisherConfirm, QueueError>) -> Result<(), QueueError> {
    let confirmed = match sent {
        Ok(sent) => confirmation(sent).await,
        Err(error) => Err(error),
    };
    confirmed.inspect_err(|error| {
        metrics::publish_failed(error.reason());
        context::failed(&Span::current(), error.reason());
    })
}

/// The span of sending a message: what works on it goes on from there.
fn sending(exchange: &'static str, message: &AnalyzeDocument) -> Span {
    let model = message.model.as_str();
    tracing::debug_span!(
        "send",
        otel.name = %format_args!("send {exchange}:{model}"),
        otel.kind = "producer",
        messaging.system = "rabbitmq",
        messaging.operation.name = "send",
        messaging.operation.type = "send",
        messaging.destination.name = %format_args!("{exchange}:{model}"),
        messaging.rabbitmq.destination.routing_key = model,
        messaging.message.id = %message.job_id,
    )
}

/// The headers of a message: the span that sends it, or the one that its job came with when nobody records this one, and a
/// claim that is to be given back.
fn headers(message: &AnalyzeDocument, unsettled: Option<ClaimToken>) -> FieldTable {
    let mut headers = FieldTable::default();
    if let Some(parent) = context::current().or_else(|| message.trace_parent.clone()) {
        headers.insert(TRACE_PARENT.into(), text(&parent));
    }
    if let Some(ClaimToken(token)) = unsettled {
        headers.insert(UNSETTLED.into(), text(&token.to_string()));
    }
    headers
}

pub(super) async fn confirmation(sent: PublisherConfirm) -> Result<(), QueueError> {
    match call("confirm a message", sent).await? {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(_)) => Err(QueueError::Unroutable),
        Confirmation::Nack(_) | Confirmation::NotRequested => Err(QueueError::Refused),
    }
}
