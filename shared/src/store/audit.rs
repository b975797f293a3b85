//! What operators did: a row is written before an action, so that none goes unnoticed, and what came of it afterwards. A row
//! without an outcome is an action that is under way, or whose process ended before it could tell.

use jiff::Timestamp as Instant;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use super::jobs::instant;
use super::{Database, StoreError};

/// An action of an operator.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id, by age.
    pub id: Uuid,
    /// When it was begun.
    pub at: Instant,
    /// Who did it.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub target: Value,
    /// What came of it.
    pub outcome: Option<Value>,
}

impl FromRow<'_, PgRow> for Entry {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            at: instant(row, "at")?.unwrap_or(Instant::UNIX_EPOCH),
            actor: row.try_get("actor")?,
            action: row.try_get("action")?,
            target: row.try_get("target")?,
            outcome: row.try_get("outcome")?,
        })
    }
}

/// Writes down what an operator is about to do; the entry's id.
pub async fn begin(catalog: &Database, actor: &str, action: &str, target: &Value) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    let mut tx = catalog.begin().await?;
    let query = tx.query("insert into audit (id, actor, action, target) values ($1, $2, $3, $4)");
    let query = query
        .bind(id)
        .bind(actor.to_owned())
        .bind(action.to_owned())
        .bind(target.clone());
    query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(id)
}

/// Writes down what came of an action.
pub async fn finish(catalog: &Database, id: Uuid, outcome: &Value) -> Result<(), StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query("update audit set outcome = $2 where id = $1");
    let query = query.bind(id).bind(outcome.clone());
    query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    tx.commit().await
}

/// Actions, newest first; only those older than `before`.
pub async fn list(catalog: &Database, before: Option<Uuid>, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query_as::<Entry>("select * from audit where id < $1 order by id desc limit $2");
    let query = query.bind(before.unwrap_or(Uuid::max())).bind(limit);
    query.fetch_all(tx.connection()).await.map_err(|error| tx.failed(error))
}
