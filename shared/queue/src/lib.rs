#![doc = include_str!("../README.md")]

pub mod consume;
pub mod inspect;
pub mod publish;
pub mod topology;

use std::future::Future;
use std::time::Duration;

use lapin::tcp::OwnedTLSConfig;
use lapin::types::{AMQPValue, LongString};
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};

use docket_process::settings::{ConfigError, Env, Setting};
use docket_process::tls::Roots;

/// URL of RabbitMQ.
pub const AMQP_URL: Setting = Setting::required(
    "DOCKET_AMQP_URL",
    "`amqp://` or `amqps://` URL of RabbitMQ, with its virtual host",
);

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[&AMQP_URL];

/// Default number of deliveries that a worker holds unsettled; the dispatcher sizes the queues by it. Enough one-page documents
/// to fill several batches, few enough that a new neighbour finds work.
pub const PREFETCH: u16 = 16;
/// Longest wait for a broker's answer, confirms included. A slower broker counts as away.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Header of a delayed message: the claim that its shard could not be told the end of.
const UNSETTLED: &str = "docket-unsettled-claim";
/// Heartbeat asked of the broker, in seconds. Two missed heartbeats tell a dead peer.
const HEARTBEAT_SECONDS: u16 = 10;

/// How to reach the broker.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// `amqp://` or `amqps://` URL, with the virtual host.
    pub url: String,
    /// Root certificates trusted beside the system's, for `amqps://`.
    pub roots: Option<Roots>,
}

impl QueueConfig {
    /// Reads and checks the settings of this file.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let url: String = env.get(&AMQP_URL)?;
        url.parse::<AMQPUri>()
            .map_err(|_| AMQP_URL.invalid("it is not an amqp:// or amqps:// URL"))?;
        let roots = Roots::from_env(env)?;
        Ok(Self { url, roots })
    }
}

/// What can go wrong with the broker. Every error may pass.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The broker did not answer in time. Holds what was asked.
    #[error("RabbitMQ did not {0} within {CALL_TIMEOUT:?}")]
    TimedOut(&'static str),
    /// The broker refused, or the connection is gone.
    #[error("RabbitMQ did not {action}")]
    Failed {
        /// What the broker was asked to do.
        action: &'static str,
        /// The driver's error.
        source: lapin::Error,
    },
    /// The broker took the message but had no queue for it, and returned it.
    #[error("RabbitMQ has no queue for the message")]
    Unroutable,
    /// The broker refused the message.
    #[error("RabbitMQ refused the message")]
    Refused,
    /// The broker stopped delivering.
    #[error("RabbitMQ ended the consumer")]
    ConsumerEnded,
}

impl QueueError {
    /// Code and words of the broker's refusal; `None` for an error without a refusal.
    pub fn refusal(&self) -> Option<(u16, String)> {
        let Self::Failed { source, .. } = self else { return None };
        match source.kind() {
            lapin::ErrorKind::ProtocolError(error) => Some((error.get_id(), error.get_message().to_string())),
            _ => None,
        }
    }

    /// A short word for the error, for metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TimedOut(_) => "timeout",
            Self::Failed { .. } => "connection",
            Self::Unroutable => "unroutable",
            Self::Refused => "refused",
            Self::ConsumerEnded => "consumer_ended",
        }
    }
}

/// A text as an AMQP value, for arguments and headers.
fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

async fn call<T>(action: &'static str, future: impl Future<Output = lapin::Result<T>>) -> Result<T, QueueError> {
    match tokio::time::timeout(CALL_TIMEOUT, future).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(QueueError::Failed { action, source }),
        Err(_) => Err(QueueError::TimedOut(action)),
    }
}

async fn connect(config: &QueueConfig, name: &str) -> Result<Connection, QueueError> {
    let mut uri: AMQPUri = config.url.parse().expect("checked when the configuration was read");
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let tls = OwnedTLSConfig {
        cert_chain: config.roots.as_ref().map(|roots| roots.pem().to_owned()),
        ..OwnedTLSConfig::default()
    };
    let runtime = lapin::runtime::default_runtime();
    let connected = async { Connection::connect_uri_with_config(uri, properties, tls, runtime?).await };
    call("take a connection", connected).await
}

async fn close(connection: &Connection) {
    // If the broker is gone, there is nothing to close.
    let _ = tokio::time::timeout(Duration::from_secs(1), connection.close(200, "bye".into())).await;
}
