//! Asks every shard, where some may be away.

use std::collections::BTreeMap;

use docket_contract::ids::ShardName;
use docket_process::telemetry;
use docket_store::{Database, Shards, StoreError, within};
use futures::future::join_all;

use crate::actions::{OperateError, Unreached};

/// The shards that have answered so far, and the others. A shard that failed once is not asked again.
pub struct Reach {
    shards: BTreeMap<ShardName, Database>,
    unreached: Vec<Unreached>,
    last: Option<StoreError>,
}

impl Reach {
    /// Begins with all shards.
    pub fn of(shards: &Shards) -> Self {
        let shards = shards.all().map(|(name, shard)| (name.clone(), shard.clone()));
        Self {
            shards: shards.collect(),
            unreached: Vec::new(),
            last: None,
        }
    }

    /// Asks all shards at once, each under a deadline; returns their answers.
    pub async fn ask<T, F>(&mut self, ask: impl Fn(Database) -> F) -> Vec<(ShardName, T)>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let asked = self.shards.iter().map(|(name, shard)| {
            let answer = within(ask(shard.clone()));
            async move { (name.clone(), answer.await) }
        });
        let mut answers = Vec::new();
        for (name, answer) in join_all(asked).await {
            match answer {
                Ok(answer) => answers.push((name, answer)),
                Err(error) => self.lose(&name, error),
            }
        }
        answers
    }

    /// A shard, unless it failed before.
    pub fn shard(&self, name: &ShardName) -> Option<&Database> {
        self.shards.get(name)
    }

    /// Notes that a shard failed to do what it was asked.
    pub fn lose(&mut self, name: &ShardName, error: StoreError) {
        tracing::warn!(shard = %name, error = telemetry::chain(&error), "a shard does not do what an operator asks");
        self.shards.remove(name);
        self.unreached.push(Unreached {
            shard: name.to_string(),
            error: error.to_string(),
        });
        self.last = Some(error);
    }

    /// The shards that failed; an error when every shard did.
    pub fn unreached(self) -> Result<Vec<Unreached>, OperateError> {
        match self.last {
            Some(error) if self.shards.is_empty() => Err(error.into()),
            Some(_) | None => Ok(self.unreached),
        }
    }
}
