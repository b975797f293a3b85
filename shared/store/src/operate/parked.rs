//! Parked messages: those that name no job, kept in the catalog until an operator looks at them.

use jiff::Timestamp as Instant;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::rows::{Timestamp, instant};
use crate::sql::{Statement, sql};
use crate::{Database, StoreError};

/// Bytes of a message's body that are read at most. A message of ours has some hundred bytes.
pub const BODY_BYTES_MAX: i32 = 16 * 1024;

/// Keeps a message.
pub async fn park(catalog: &Database, queue: &str, body: &[u8], reason: &str) -> Result<(), StoreError> {
    let query = sql!("operate/parked_add").bind(Uuid::now_v7()).bind(queue);
    let mut tx = catalog.begin().await?;
    tx.execute(query.bind(body).bind(reason)).await?;
    tx.commit().await
}

/// Number of messages that are parked.
pub async fn count(catalog: &Database) -> Result<i64, StoreError> {
    catalog.begin().await?.scalar(sql!("operate/parked_count")).await
}

/// Which parked messages are meant. What is `None` does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only messages that were parked before this time.
    pub parked_before: Option<Instant>,
    /// Only messages that were parked at this time or after it.
    pub parked_after: Option<Instant>,
}

/// A parked message, without its body.
#[derive(Debug, Clone)]
pub struct ParkedMessage {
    /// Id of the message; ids are in the order of time.
    pub id: Uuid,
    /// The queue that the message was taken from.
    pub queue: String,
    /// Why the message names no job.
    pub reason: String,
    /// When the message was parked.
    pub parked_at: Instant,
    /// Size of the body in bytes.
    pub body_bytes: i32,
}

impl FromRow<'_, PgRow> for ParkedMessage {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            queue: row.try_get("queue")?,
            reason: row.try_get("reason")?,
            parked_at: instant(row, "parked_at")?.unwrap_or(Instant::UNIX_EPOCH),
            body_bytes: row.try_get("body_bytes")?,
        })
    }
}

/// Binds the filter, as both statements on it have it: `$1` and `$2`.
fn bind(statement: Statement, filter: Filter) -> Statement {
    statement
        .bind(filter.parked_before.map(Timestamp::from))
        .bind(filter.parked_after.map(Timestamp::from))
}

/// The newest parked messages that match, newest first; only those older than `before`.
pub async fn list(
    catalog: &Database,
    filter: Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ParkedMessage>, StoreError> {
    let query = bind(sql!("operate/parked_list"), filter).bind(before.unwrap_or(Uuid::max()));
    catalog.begin().await?.all(query.bind(limit)).await
}

/// A parked message with the first [`BODY_BYTES_MAX`] bytes of its body.
pub async fn find(catalog: &Database, id: Uuid) -> Result<Option<(ParkedMessage, Vec<u8>)>, StoreError> {
    let query = sql!("operate/parked_find").bind(id).bind(BODY_BYTES_MAX);
    let found = catalog.begin().await?.optional(query).await?;
    Ok(found.map(|WithBody(message, body)| (message, body)))
}

struct WithBody(ParkedMessage, Vec<u8>);

impl FromRow<'_, PgRow> for WithBody {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self(ParkedMessage::from_row(row)?, row.try_get("body")?))
    }
}

/// The oldest parked messages that match, oldest first; only those newer than `after`.
pub async fn oldest(
    catalog: &Database,
    filter: Filter,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let query = bind(sql!("operate/parked_oldest"), filter).bind(after.unwrap_or_default());
    catalog.begin().await?.scalars(query.bind(limit)).await
}

/// Deletes parked messages, and returns those that were there.
pub async fn purge(catalog: &Database, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let mut tx = catalog.begin().await?;
    let purged = tx.scalars(sql!("operate/parked_purge").bind(ids)).await?;
    tx.commit().await?;
    Ok(purged)
}
