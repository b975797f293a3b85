//! What operators may do: one function per action. The operator commands (`commands/`) and the operators' routes (`routes/`) only
//! read what is asked and print the outcome.
//!
//! The catalog's audit holds every action: the action and its actor before it begins, and its outcome afterwards. Every action
//! may be repeated.

pub mod audit;
pub mod controls;
pub mod dead;
mod known;
pub mod parked;
mod reach;
pub mod requeue;
pub mod restore;

use docket_objects::BlobError;
use docket_process::telemetry;
use docket_store::operate::audit as entries;
use docket_store::{Shards, StoreError, within};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use docket_objects::published::Models;

/// The actions that an operator may take, with the operator's name for the audit.
#[derive(Clone)]
pub struct Operations {
    shards: Shards,
    /// Asked for model names that no shard knows.
    models: Models,
    actor: String,
}

/// Why an action failed.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// The audit could not be written, so nothing was done.
    #[error("nothing was done, because the audit cannot be written")]
    NotAudited(#[source] StoreError),
    /// The action was done, but the audit lacks its outcome.
    #[error("it was done, with the outcome {outcome}, but the audit could not take the outcome down")]
    Unrecorded {
        /// The outcome that the audit lacks.
        outcome: Value,
        /// The catalog's error.
        #[source]
        source: StoreError,
    },
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No shard that answers has it, and these shards did not answer.
    #[error("it is on none of the shards that answer; these do not: {}", names(.0))]
    PerhapsThere(Vec<Unreached>),
    /// Nothing has the given name. Nothing was done, except for what a filter with that name let through.
    #[error("{0}")]
    NoSuch(String),
    /// The bucket does not answer, so nobody can tell whether there is such a model.
    #[error("whether there is such a model cannot be told, because the bucket does not answer")]
    NotTold(#[source] BlobError),
}

/// A shard that did not do what it was asked, and what is thus missing in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unreached {
    /// Its name.
    pub shard: String,
    /// Why.
    pub error: String,
}

/// The names of these shards, in one line.
pub fn names(unreached: &[Unreached]) -> String {
    let names: Vec<&str> = unreached.iter().map(|one| one.shard.as_str()).collect();
    names.join(", ")
}

impl Operations {
    /// The actions of this operator.
    pub fn new(shards: Shards, models: Models, actor: String) -> Self {
        Self { shards, models, actor }
    }

    /// Does what changes others' work: writes the audit's entry before, and the outcome afterwards.
    async fn audited<T: Serialize>(
        &self,
        action: &str,
        target: Value,
        act: impl Future<Output = Result<T, OperateError>>,
    ) -> Result<T, OperateError> {
        let catalog = self.shards.catalog();
        let begun = within(entries::begin(catalog, &self.actor, action, &target)).await;
        let entry = begun.map_err(OperateError::NotAudited)?;
        let done = act.await;
        let outcome = match &done {
            Ok(done) => json!(done),
            Err(error) => json!({ "error": telemetry::chain(error) }),
        };
        match (within(entries::finish(catalog, entry, &outcome)).await, done) {
            (Ok(()), done) => done,
            // The action's own error says more.
            (Err(_), Err(error)) => Err(error),
            (Err(source), Ok(_)) => Err(OperateError::Unrecorded { outcome, source }),
        }
    }
}
