//! Messages that name no job, kept in the catalog until an operator looks.

use uuid::Uuid;

use super::{Database, StoreError};

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
