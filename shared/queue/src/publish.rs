//! Publishes messages: `mandatory`, with pipelined confirms. A message is published when the broker confirms it and does not
//! return it, since a returned message is confirmed too.

use std::collections::HashSet;

use futures::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use tokio::sync::Mutex;
use tracing::{Instrument, Span};

use super::topology::{self, DELAY, IMAGES, JOBS};
use super::{QueueConfig, QueueError, UNSETTLED, call, close, connect, text};
use docket_contract::ids::{ClaimToken, ModelName};
use docket_contract::job::{AnalyzeDocument, JobMessage};
use docket_contract::page_image::{DrawPage, ImageMessage};
use docket_process::failpoint;
use docket_process::metrics;
use docket_process::telemetry::context::{self, TRACE_PARENT};

/// Delivery mode of a persistent message, in AMQP's numbering.
const PERSISTENT: u8 = 2;

/// Messages and consumers of a model's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Messages that no consumer holds.
    pub ready: u32,
    /// Number of consumers of the queue.
    pub consumers: u32,
}

/// The process's connection for publishing, made when first needed and again when lost.
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
    /// A publisher that has not connected yet. The broker's management pages show `name`.
    pub fn new(config: QueueConfig, name: &str) -> Self {
        Self {
            config,
            name: format!("{name} publish"),
            live: Mutex::new(None),
        }
    }

    /// Publishes jobs and waits for all confirms. Returns one result per job, in order.
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

    /// Puts a job into the delay queue, from which it comes back to its queue after 5 s. `unsettled` is a claim that the job's
    /// shard could not be told the end of: whoever gets the message gives the claim back first.
    pub async fn later(&self, message: &AnalyzeDocument, unsettled: Option<ClaimToken>) -> Result<(), QueueError> {
        let _publishing = metrics::publishing(1);
        let sent = async { outcome(self.send(DELAY, message, unsettled).await).await };
        let result = sent.instrument(sending(DELAY, message)).await;
        if result.is_ok() {
            metrics::published(metrics::Path::Delay, 1);
        }
        self.note(&message.model, &result).await;
        result
    }

    /// Asks for the image of a page. Refused when too many wait. Such a message has a channel of its own: on a channel of the jobs, a
    /// refusal could keep jobs back.
    pub async fn image(&self, page: DrawPage) -> Result<(), QueueError> {
        let channel = self.channel().await?;
        let result = outcome(send_image(&channel, page).await).await;
        // Best effort: the channel ends with the connection at last.
        let _ = call("close a channel", channel.close(200, "done".into())).await;
        if let Err(QueueError::Unroutable | QueueError::TimedOut(_) | QueueError::Failed { .. }) = result {
            self.disconnect().await;
        }
        result
    }

    /// Depth of a model's queue. Declares the queue, since a passive declare of a missing queue only closes the channel.
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

    /// Runs `take` on the live connection, once the model's queue is declared there.
    async fn with_model<T>(&self, model: &ModelName, take: impl FnOnce(&Live) -> T) -> Result<T, QueueError> {
        let mut guard = self.live.lock().await;
        self.open(&mut guard).await?;
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

    /// A new channel of the live connection.
    async fn channel(&self) -> Result<Channel, QueueError> {
        let mut guard = self.live.lock().await;
        self.open(&mut guard).await?;
        let live = guard.as_ref().expect("opened above");
        call("open a channel", live.connection.create_channel()).await
    }

    /// Opens the connection if there is none, or a lost one.
    async fn open(&self, live: &mut Option<Live>) -> Result<(), QueueError> {
        if live.as_ref().is_some_and(|live| !live.connection.status().connected()) {
            live.take();
        }
        if live.is_none() {
            metrics::connected("publish", false);
            *live = Some(Live::open(&self.config, &self.name).await?);
            metrics::connected("publish", true);
        }
        Ok(())
    }

    /// Draws from a result what it says about the connection. After a returned message, the queue is gone and must be declared
    /// again. After a timeout, a failure or a refusal the connection is given up: if a channel's first message meets a queue
    /// without a leader, RabbitMQ 3.10 refuses every later message of that channel.
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

async fn send_image(channel: &Channel, page: DrawPage) -> Result<PublisherConfirm, QueueError> {
    call(
        "confirm publishes",
        channel.confirm_select(ConfirmSelectOptions::default()),
    )
    .await?;
    let properties = BasicProperties::default().with_content_type("application/json".into());
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let body = ImageMessage::V1(page).encode();
    let sent = channel.basic_publish(IMAGES.into(), "".into(), options, &body, properties);
    call("take a message", sent).await
}

/// The outcome of sending a message. A message that is not confirmed is counted and marked as failed in its trace.
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

/// The span of sending a message. Work on the message continues from this span.
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

/// The headers of a message. The trace is that of the sending span, or the job's own when nobody records the span. With
/// `unsettled`, the claim to give back.
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
