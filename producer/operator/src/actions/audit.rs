//! The audit of what operators did.

use docket_store::operate::audit;
use docket_store::within;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::actions::{OperateError, Operations};

/// An action of an operator.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its id.
    pub entry_id: Uuid,
    /// When it was begun.
    pub at: Timestamp,
    /// Who did it: the `sub` of a token, or `user@host` of a command.
    pub actor: String,
    /// What was done.
    #[schema(examples("dead.redrive"))]
    pub action: String,
    /// To what.
    #[schema(value_type = Object)]
    pub target: Value,
    /// What came of it; null while it is under way, or when its process ended before it could tell.
    #[schema(value_type = Option<Object>)]
    pub outcome: Option<Value>,
}

/// A page of actions, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditEntries {
    /// The actions.
    pub entries: Vec<AuditEntry>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<Uuid>,
}

impl Operations {
    /// Actions, newest first; only those older than `before`.
    pub async fn audit(&self, before: Option<Uuid>, limit: usize) -> Result<AuditEntries, OperateError> {
        let mut found = within(audit::list(self.shards.catalog(), before, limit as i64 + 1)).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let entries = found.into_iter().map(|entry| AuditEntry {
            entry_id: entry.id,
            at: entry.at,
            actor: entry.actor,
            action: entry.action,
            target: entry.target,
            outcome: entry.outcome,
        });
        let entries: Vec<_> = entries.collect();
        Ok(AuditEntries {
            next_cursor: entries.last().filter(|_| more).map(|entry| entry.entry_id),
            entries,
        })
    }
}
