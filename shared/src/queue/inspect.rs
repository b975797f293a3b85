//! What a broker says of itself and of our queues, for `docket-producer doctor`: facts, no judgements. Nothing is left
//! behind, and nothing that is missing is made.

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

/// What a client of AMQP 0-9-1 says first.
const GREETING: &[u8; 8] = b"AMQP\0\0\x09\x01";
/// Bytes of a frame before its payload: type, channel, size.
const FRAME_HEAD_BYTES: usize = 7;
/// A broker's introduction is some hundred bytes; more is not one.
const INTRODUCTION_BYTES_MAX: usize = 64 * 1024;

/// A connection to look around by.
pub struct Inspection {
    connection: Connection,
}

/// How a queue or an exchange stands beside how it is declared by this release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is not there. Dispatchers and workers declare it when they start.
    Missing,
    /// It is there as declared; for a queue with its depth.
    AsDeclared(Option<Depth>),
    /// It is there and was declared otherwise; the broker's words.
    Otherwise(String),
}

impl Inspection {
    /// Connects.
    pub async fn connect(config: &QueueConfig) -> Result<Self, QueueError> {
        let connection = connect(config, "docket-producer doctor").await?;
        Ok(Self { connection })
    }

    /// Disconnects.
    pub async fn end(self) {
        close(&self.connection).await;
    }

    /// Whether the broker has stopped reading from us: an alarm of memory or disk.
    pub fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// How a queue stands. A refusal closes its channel, so that each question has its own.
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

    /// How an exchange stands.
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

    /// Sends a message through the jobs' exchange to a queue of this connection's own and takes it back: all that our user
    /// must be allowed to do, on names like those that it must be allowed to. How long the way took.
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

/// "Not found" is an answer; every other refusal is an error.
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

/// The version that a broker introduces itself with, before anybody logs in. `None` over TLS, where only the driver could
/// ask, and it does not tell.
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

/// The payload of a broker's first frame.
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
