//! What operators may do: one function an action, whichever way it is asked for. The operator commands (`admin/`) and the
//! operators' routes (`http/operator/`) only read what is asked and write what came of it.
//!
//! Every action is in the catalog's audit: first what is to be done and by whom, and only then is it done; afterwards what
//! came of it. Every action may be repeated.

pub mod audit;
pub mod controls;
pub mod dead;
mod known;
pub mod parked;
mod reach;
pub mod requeue;
pub mod restore;

use docket_shared::blob::BlobError;
use docket_shared::store::{Shards, StoreError, audit as entries, within};
use docket_shared::telemetry;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::models::Models;

/// What an operator may do, and who it is.
#[derive(Clone)]
pub struct Operations {
    shards: Shards,
    /// Asked for names that no shard knows.
    models: Models,
    actor: String,
}

/// Why an operator's wish was not fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// What is not in the audit is not done.
    #[error("nothing was done, because the audit cannot be written")]
    NotAudited(#[source] StoreError),
    /// It was done, and the audit has only its beginning.
    #[error("it was done, with the outcome {outcome}, but the audit could not take the outcome down")]
    Unrecorded {
        /// What came of it.
        outcome: Value,
        /// What the catalog said.
        #[source]
        source: StoreError,
    },
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not among what the others have, and these were not there to be asked.
    #[error("it is on none of the shards that answer; these do not: {}", names(.0))]
    PerhapsThere(Vec<Unreached>),
    /// Nothing has the name that was given. Nothing was done, but for what a filter that names it let through.
    #[error("{0}")]
    NoSuch(String),
    /// Whether a model has the name that was given.
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

/// The shards' names, in a line.
pub fn names(unreached: &[Unreached]) -> String {
    let names: Vec<&str> = unreached.iter().map(|one| one.shard.as_str()).collect();
    names.join(", ")
}

impl Operations {
    /// What this operator may do.
    pub fn new(shards: Shards, models: Models, actor: String) -> Self {
        Self { shards, models, actor }
    }

    /// Does something that changes what others see: with its entry in the audit before, and its outcome afterwards.
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
            // The first error says more.
            (Err(_), Err(error)) => Err(error),
            (Err(source), Ok(_)) => Err(OperateError::Unrecorded { outcome, source }),
        }
    }
}
