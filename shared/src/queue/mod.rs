//! RabbitMQ: it carries what workers will take in the next second; the truth is in the shards.
//!
//! Publishing and consuming use connections of their own, since a memory alarm blocks a publishing connection as a whole.
//! Every call has a deadline, and a lost connection is made again here, with backoff.

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

use crate::config::{ConfigError, Env, Setting};
use crate::tls::Roots;

/// Where RabbitMQ is.
pub const AMQP_URL: Setting = Setting::required(
    "DOCKET_AMQP_URL",
    "`amqp://` or `amqps://` URL of RabbitMQ, with its virtual host",
);

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[&AMQP_URL];

/// Deliveries that a worker holds unsettled, unless it is configured otherwise; the dispatcher sizes the queues by it.
/// Enough documents of a page to fill several batches, few enough that a scaled-out neighbour finds work.
pub const PREFETCH: u16 = 16;
/// A broker that does not answer a call in this time counts as away. Confirms have the same deadline.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The header of a message that was delayed because its shard could not be told what became of a claim: that claim.
const UNSETTLED: &str = "docket-unsettled-claim";
/// Heartbeat asked of the broker, in seconds: a dead peer is noticed after two of them.
const HEARTBEAT_SECONDS: u16 = 10;

/// Where the broker is.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// Its URL.
    pub url: String,
    /// Trusted beside the system's, when the URL is `amqps://`.
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

/// What can go wrong with the broker. All of it may pass.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// It did not answer in time.
    #[error("RabbitMQ did not {0} within {CALL_TIMEOUT:?}")]
    TimedOut(&'static str),
    /// It refused, or the connection is gone.
    #[error("RabbitMQ did not {action}")]
    Failed {
        /// What was tried.
        action: &'static str,
        /// What the driver said.
        source: lapin::Error,
    },
    /// It took the message but had no queue for it, and returned it.
    #[error("RabbitMQ has no queue for the message")]
    Unroutable,
    /// It refused the message.
    #[error("RabbitMQ refused the message")]
    Refused,
    /// It stopped delivering.
    #[error("RabbitMQ ended the consumer")]
    ConsumerEnded,
}

impl QueueError {
    /// The code and the words of a refusal of the broker's; `None` when it did not get to refuse.
    pub fn refusal(&self) -> Option<(u16, String)> {
        let Self::Failed { source, .. } = self else { return None };
        match source.kind() {
            lapin::ErrorKind::ProtocolError(error) => Some((error.get_id(), error.get_message().to_string())),
            _ => None,
        }
    }

    /// A short word for metrics.
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

/// A text as AMQP has it, in arguments and headers.
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
    // The broker may be gone, and then there is nothing to close.
    let _ = tokio::time::timeout(Duration::from_secs(1), connection.close(200, "bye".into())).await;
}
