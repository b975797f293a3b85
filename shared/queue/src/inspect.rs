//! What a broker says about itself and our queues, for `docket-producer doctor`: facts without judgement. Nothing is left behind,
//! and nothing missing is declared.

use std::time::{Duration, Instant};

use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::protocol::{self, AMQPClass, connection};
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{BasicProperties, Channel, Connection, ExchangeKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::publish::{Depth, confirmation};
use super::topology::{self, Declared, JOBS};
use super::{CALL_TIMEOUT, QueueConfig, QueueError, call, close, connect};

/// The first bytes that an AMQP 0-9-1 client sends.
const GREETING: &[u8; 8] = b"AMQP\0\0\x09\x01";
/// Bytes of a frame before its payload: type, channel, size.
const FRAME_HEAD_BYTES: usize = 7;
/// Largest introduction of a broker, in bytes: a broker's has some hundred, so a larger one is none.
const INTRODUCTION_BYTES_MAX: usize = 64 * 1024;

/// A connection for looking at the broker.
pub struct Inspection {
    connection: Connection,
}

/// How a queue or an exchange compares with this release's declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It does not exist. Dispatchers and workers declare it when they start.
    Missing,
    /// It exists as declared. A queue comes with its depth.
    AsDeclared(Option<Depth>),
    /// It exists with another declaration. Holds the broker's words.
    Otherwise(String),
}

impl Inspection {
    /// Connects to the broker.
    pub async fn connect(config: &QueueConfig) -> Result<Self, QueueError> {
        let connection = connect(config, "docket-producer doctor").await?;
        Ok(Self { connection })
    }

    /// Closes the connection.
    pub async fn end(self) {
        close(&self.connection).await;
    }

    /// Whether the broker has stopped reading from this connection, as in an alarm of memory or disk.
    pub fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Compares a queue with its declaration. A refusal closes its channel, so each question has a channel of its own.
    pub async fn queue(&self, queue: &Declared) -> Result<Standing, QueueError> {
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let channel = self.channel().await?;
        let there = channel.queue_declare(queue.name().into(), passive, FieldTable::default());
        if is_missing(call("look for a queue", there).await)? {
            return Ok(Standing::Missing);
        }
        let declared = queue.declare(&self.channel().await?).await;
        standing(declared.map(|queue| {
            Some(Depth {
                ready: queue.message_count(),
                consumers: queue.consumer_count(),
            })
        }))
    }

    /// Compares an exchange with its declaration.
    pub async fn exchange(&self, name: &str, kind: ExchangeKind) -> Result<Standing, QueueError> {
        let passive = ExchangeDeclareOptions {
            passive: true,
            ..ExchangeDeclareOptions::default()
        };
        let channel = self.channel().await?;
        let there = channel.exchange_declare(name.into(), kind.clone(), passive, FieldTable::default());
        if is_missing(call("look for an exchange", there).await)? {
            return Ok(Standing::Missing);
        }
        let declared = topology::declare_exchange(&self.channel().await?, name, kind).await;
        standing(declared.map(|()| None))
    }

    /// Sends a message through the exchange of the jobs to a queue of this connection's own, and takes it back. That needs every
    /// right that our broker user must have, on names like those of our queues. Returns the time from sending to taking.
    pub async fn round_trip(&self) -> Result<Duration, QueueError> {
        let name = format!("docket.doctor.{}", uuid::Uuid::new_v4().simple());
        let channel = self.channel().await?;
        let own = QueueDeclareOptions {
            exclusive: true,
            auto_delete: true,
            ..QueueDeclareOptions::default()
        };
        let declared = channel.queue_declare(name.as_str().into(), own, FieldTable::default());
        call("let us declare a queue", declared).await?;
        let bound = channel.queue_bind(
            name.as_str().into(),
            JOBS.into(),
            name.as_str().into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        call("let us bind a queue to the exchange of the jobs", bound).await?;
        let began = Instant::now();
        send(&channel, &name).await?;
        let taken = channel.basic_get(name.as_str().into(), BasicGetOptions { no_ack: true });
        let taken = call("let us read from a queue", taken).await?;
        let took = began.elapsed();
        let deleted = channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default());
        call("let us delete our own queue", deleted).await?;
        taken.map(|_| took).ok_or(QueueError::Unroutable)
    }

    async fn channel(&self) -> Result<Channel, QueueError> {
        call("open a channel", self.connection.create_channel()).await
    }
}

async fn send(channel: &Channel, key: &str) -> Result<(), QueueError> {
    let confirming = channel.confirm_select(ConfirmSelectOptions::default());
    call("confirm publishes", confirming).await?;
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let sent = channel.basic_publish(JOBS.into(), key.into(), options, b"", BasicProperties::default());
    confirmation(call("let us publish to the exchange of the jobs", sent).await?).await
}

/// Whether the broker answered "not found". Any other refusal is an error.
fn is_missing<T>(asked: Result<T, QueueError>) -> Result<bool, QueueError> {
    match asked {
        Ok(_) => Ok(false),
        Err(error) => match error.refusal() {
            Some((404, _)) => Ok(true),
            Some(_) | None => Err(error),
        },
    }
}

fn standing(declared: Result<Option<Depth>, QueueError>) -> Result<Standing, QueueError> {
    match declared {
        Ok(depth) => Ok(Standing::AsDeclared(depth)),
        Err(error) => match error.refusal() {
            Some((406, words)) => Ok(Standing::Otherwise(words)),
            Some(_) | None => Err(error),
        },
    }
}

/// The version that a broker introduces itself with before login. `None` over TLS, where only the driver could ask, and the
/// driver does not tell.
pub async fn version(config: &QueueConfig) -> Option<String> {
    let uri: AMQPUri = config.url.parse().ok()?;
    if uri.scheme != AMQPScheme::AMQP {
        return None;
    }
    let asked = introduction(&uri.authority.host, uri.authority.port);
    let payload = tokio::time::timeout(CALL_TIMEOUT, asked).await.ok()?.ok()?;
    let (_, class) = protocol::parse_class(&payload[..]).ok()?;
    let AMQPClass::Connection(connection::AMQPMethod::Start(start)) = class else {
        return None;
    };
    match start.server_properties.inner().get("version")? {
        AMQPValue::LongString(version) => Some(version.to_string()),
        _ => None,
    }
}

/// Payload of the first frame that a broker sends.
async fn introduction(host: &str, port: u16) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.write_all(GREETING).await?;
    let mut head = [0; FRAME_HEAD_BYTES];
    stream.read_exact(&mut head).await?;
    let bytes = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
    let mut payload = vec![0; bytes.min(INTRODUCTION_BYTES_MAX)];
    stream.read_exact(&mut payload).await?;
    Ok(payload)
}
