//! Asking every shard, where some may be away.

use std::collections::BTreeMap;

use docket_shared::ids::ShardName;
use docket_shared::store::{Database, Shards, StoreError, within};
use docket_shared::telemetry;
use futures::future::join_all;

use super::{OperateError, Unreached};

/// The shards that have answered so far, and the others. One that does not answer is asked no more.
pub struct Reach {
    shards: BTreeMap<ShardName, Database>,
    unreached: Vec<Unreached>,
    last: Option<StoreError>,
}

impl Reach {
    /// All of them.
    pub fn of(shards: &Shards) -> Self {
        let shards = shards.all().map(|(name, shard)| (name.clone(), shard.clone()));
        Self {
            shards: shards.collect(),
            unreached: Vec::new(),
            last: None,
        }
    }

    /// What each shard says, asked all at once and each under a deadline.
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

    /// A shard, while it answers.
    pub fn shard(&self, name: &ShardName) -> Option<&Database> {
        self.shards.get(name)
    }

    /// Notes that a shard did not do what it was asked.
    pub fn lose(&mut self, name: &ShardName, error: StoreError) {
        tracing::warn!(shard = %name, error = telemetry::chain(&error), "a shard does not do what an operator asks");
        self.shards.remove(name);
        self.unreached.push(Unreached {
            shard: name.to_string(),
            error: error.to_string(),
        });
        self.last = Some(error);
    }

    /// Those that did not do what they were asked; the error of one when that is all of them.
    pub fn unreached(self) -> Result<Vec<Unreached>, OperateError> {
        match self.last {
            Some(error) if self.shards.is_empty() => Err(error.into()),
            Some(_) | None => Ok(self.unreached),
        }
    }
}
