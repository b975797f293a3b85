//! The audit: what operators did. A row is written before the action, so that no action goes unnoticed, and its outcome
//! afterwards. A row without an outcome is an action that is under way, or whose process ended before it could write
//! the outcome.

use jiff::Timestamp as Instant;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::rows::instant;
use crate::sql::sql;
use crate::{Database, StoreError};

/// An action of an operator.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Id of the action; ids are in the order of time.
    pub id: Uuid,
    /// When the action began.
    pub at: Instant,
    /// Who did it.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// What it was done to.
    pub target: Value,
    /// What came of it, once that is known.
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

/// Writes down what an operator is about to do, and returns the entry's id.
pub async fn begin(catalog: &Database, actor: &str, action: &str, target: &Value) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    let query = sql!("operate/audit_begin").bind(id).bind(actor).bind(action);
    let mut tx = catalog.begin().await?;
    tx.execute(query.bind(target)).await?;
    tx.commit().await?;
    Ok(id)
}

/// Writes down what came of an action.
pub async fn finish(catalog: &Database, id: Uuid, outcome: &Value) -> Result<(), StoreError> {
    let mut tx = catalog.begin().await?;
    tx.execute(sql!("operate/audit_finish").bind(id).bind(outcome)).await?;
    tx.commit().await
}

/// Actions, newest first; only those older than `before`.
pub async fn list(catalog: &Database, before: Option<Uuid>, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let query = sql!("operate/audit_list").bind(before.unwrap_or(Uuid::max()));
    catalog.begin().await?.all(query.bind(limit)).await
}
