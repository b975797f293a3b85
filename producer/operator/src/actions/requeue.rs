//! After a broker lost its data: all published jobs wait again.

use std::collections::BTreeMap;

use docket_store::work::sweep;
use docket_store::{Database, StoreError, within};
use futures::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::actions::reach::Reach;
use crate::actions::{OperateError, Operations, Unreached};

/// The outcome of a requeue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requeued {
    /// Jobs set waiting by shard; a shard that failed midway has those until then.
    pub requeued: BTreeMap<String, u64>,
    /// Shards that were not requeued to the end.
    pub unreached: Vec<Unreached>,
}

impl Operations {
    /// Sets every published job waiting at once, on every shard that answers. Safe at any time: a message that was not lost after
    /// all finds its job taken.
    pub async fn requeue(&self) -> Result<Requeued, OperateError> {
        let act = async {
            let mut reach = Reach::of(&self.shards);
            let begun = reach.ask(|shard| async move { sweep::now(&shard).await }).await;
            let all = begun.iter().filter_map(|(name, before)| {
                let shard = reach.shard(name)?.clone();
                Some(async move { (name, on_shard(&shard, *before).await) })
            });
            let mut requeued = BTreeMap::new();
            for (name, (jobs, error)) in join_all(all).await {
                requeued.insert(name.to_string(), jobs);
                if let Some(error) = error {
                    reach.lose(name, error);
                }
            }
            let unreached = reach.unreached()?;
            Ok(Requeued { requeued, unreached })
        };
        self.audited("dispatch.requeue", json!({}), act).await
    }
}

/// Runs one transaction after the other; returns what was committed even if a later one fails.
async fn on_shard(shard: &Database, before: Timestamp) -> (u64, Option<StoreError>) {
    let mut requeued = 0;
    loop {
        match within(sweep::published_before(shard, before)).await {
            Ok(0) => return (requeued, None),
            Ok(jobs) => requeued += jobs,
            Err(error) => return (requeued, Some(error)),
        }
    }
}
