//! Messages that name no job, kept in the catalog until an operator looks.

use jiff::Timestamp as Instant;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use super::jobs::instant;
use super::{Database, StoreError, Timestamp};

/// Most of a message's body that is read, in bytes: one of ours has some hundred.
pub const BODY_BYTES_MAX: i32 = 16 * 1024;

/// Keeps a message.
pub async fn park(catalog: &Database, queue: &str, body: &[u8], reason: &str) -> Result<(), StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query("insert into parked_messages (id, queue, body, reason) values ($1, $2, $3, $4)");
    let query = query
        .bind(Uuid::now_v7())
        .bind(queue.to_owned())
        .bind(body.to_vec())
        .bind(reason.to_owned());
    query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    tx.commit().await
}

/// Number of messages that are parked.
pub async fn count(catalog: &Database) -> Result<i64, StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query_scalar("select count(*) from parked_messages");
    query.fetch_one(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// Which parked messages are meant; what it does not name does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// That were parked before this time.
    pub parked_before: Option<Instant>,
    /// That were parked at this time or after it.
    pub parked_after: Option<Instant>,
}

/// A parked message, without its body.
#[derive(Debug, Clone)]
pub struct ParkedMessage {
    /// Its id, by age.
    pub id: Uuid,
    /// The queue that it was taken from.
    pub queue: String,
    /// Why it names no job.
    pub reason: String,
    /// When it was parked.
    pub parked_at: Instant,
    /// Size of its body in bytes.
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

/// The newest parked messages that match, newest first; only those older than `before`.
pub async fn list(
    catalog: &Database,
    filter: Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ParkedMessage>, StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query_as::<ParkedMessage>(
        "select id, queue, reason, parked_at, octet_length(body) as body_bytes from parked_messages
         where ($1::timestamptz is null or parked_at < $1) and ($2::timestamptz is null or parked_at >= $2) and id < $3
         order by id desc limit $4",
    );
    let query = query
        .bind(filter.parked_before.map(Timestamp::from))
        .bind(filter.parked_after.map(Timestamp::from))
        .bind(before.unwrap_or(Uuid::max()))
        .bind(limit);
    query.fetch_all(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// A parked message and the first [`BODY_BYTES_MAX`] bytes of its body.
pub async fn find(catalog: &Database, id: Uuid) -> Result<Option<(ParkedMessage, Vec<u8>)>, StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query_as::<WithBody>(
        "select id, queue, reason, parked_at, octet_length(body) as body_bytes, substring(body for $2) as body
         from parked_messages where id = $1",
    );
    let found = query
        .bind(id)
        .bind(BODY_BYTES_MAX)
        .fetch_optional(tx.connection())
        .await;
    let found = found.map_err(|error| tx.failed(error))?;
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
    let mut tx = catalog.begin().await?;
    let query = tx.query_scalar::<Uuid>(
        "select id from parked_messages
         where ($1::timestamptz is null or parked_at < $1) and ($2::timestamptz is null or parked_at >= $2) and id > $3
         order by id limit $4",
    );
    let query = query
        .bind(filter.parked_before.map(Timestamp::from))
        .bind(filter.parked_after.map(Timestamp::from))
        .bind(after.unwrap_or(Uuid::nil()))
        .bind(limit);
    query.fetch_all(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// Deletes parked messages; those that were there.
pub async fn purge(catalog: &Database, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query_scalar("delete from parked_messages where id = any($1) returning id");
    let purged = query.bind(ids.to_vec()).fetch_all(tx.connection()).await;
    let purged = purged.map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(purged)
}
