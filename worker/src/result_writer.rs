//! Writes the results of one shard together. Results that come while a transaction runs share the next one: a busy worker pays
//! one commit for many small documents, and an idle worker waits for nobody.

use std::collections::HashMap;
use std::sync::Arc;

use docket_contract::ids::ShardName;
use docket_process::{metrics, telemetry};
use docket_store::shards::fence::FENCE_BUCKETS_MAX;
use docket_store::work::claims::Claim;
use docket_store::work::results::{self, Analysis, CHUNK_ENTITIES_MAX, Finished, Saved};
use docket_store::{Database, Shards, StoreError, within};
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, Span};

/// A transaction that has this many entities takes no further result, so its one statement has at most twice as many.
const ENTITIES_MAX: usize = CHUNK_ENTITIES_MAX;

/// Writes results. Each shard has a task, which ends when the writer is dropped.
pub struct Writer {
    shards: Shards,
    tasks: HashMap<ShardName, mpsc::Sender<Waiting>>,
}

struct Waiting {
    claim: Claim,
    analysis: Arc<Analysis>,
    saved: oneshot::Sender<Saved>,
    span: Span,
}

impl Writer {
    /// Starts a task for each shard.
    pub fn start(shards: Shards) -> Self {
        let mut tasks = HashMap::new();
        for (name, shard) in shards.all() {
            let (sender, waiting) = mpsc::channel(FENCE_BUCKETS_MAX);
            tasks.insert(name.clone(), sender);
            tokio::spawn(run(shard.clone(), waiting));
        }
        Self { shards, tasks }
    }

    /// Writes a job's result, together with others if it is small and has no children, else by itself. `false`: the claim no longer owns the job, and
    /// nothing was written.
    pub async fn save(&self, claim: &Claim, analysis: &Arc<Analysis>) -> Result<bool, StoreError> {
        let together = if analysis.entities.len() > CHUNK_ENTITIES_MAX || !analysis.children.is_empty() {
            None
        } else {
            self.together(claim, analysis).await
        };
        match together {
            Some(Saved::Yes) => Ok(true),
            Some(Saved::Superseded) => Ok(false),
            // A write by itself finds the bucket's owner, or learns what is wrong with the result.
            Some(Saved::Elsewhere) | None => within(results::save(&self.shards, claim, analysis)).await,
        }
    }

    /// Writes the result together with others; `None` when the transaction failed, for any reason.
    async fn together(&self, claim: &Claim, analysis: &Arc<Analysis>) -> Option<Saved> {
        let task = self.tasks.get(&self.shards.owner(claim.key.bucket))?;
        let (saved, reply) = oneshot::channel();
        let waiting = Waiting {
            claim: claim.clone(),
            analysis: analysis.clone(),
            saved,
            span: Span::current(),
        };
        task.send(waiting).await.ok()?;
        reply.await.ok()
    }
}

async fn run(shard: Database, mut waiting: mpsc::Receiver<Waiting>) {
    while let Some(first) = waiting.recv().await {
        let mut entities = first.analysis.entities.len();
        let mut group = vec![first];
        while group.len() < FENCE_BUCKETS_MAX && entities < ENTITIES_MAX {
            let Ok(next) = waiting.try_recv() else { break };
            entities += next.analysis.entities.len();
            group.push(next);
        }
        let span = span_of(&group);
        write(&shard, group).instrument(span).await;
    }
}

/// The span of a transaction. It belongs to no job's trace, and links to all of them.
fn span_of(group: &[Waiting]) -> Span {
    let span = tracing::debug_span!(parent: None, "save batch", docket.batch.jobs = group.len() as i64);
    if !span.is_disabled() {
        for waiting in group {
            span.follows_from(&waiting.span);
        }
    }
    span
}

/// Writes a group of results. After a failure no job gets a reply, and each writes by itself: one bad result then fails no other.
async fn write(shard: &Database, group: Vec<Waiting>) {
    let finished: Vec<Finished<'_>> = group
        .iter()
        .map(|waiting| (&waiting.claim, &*waiting.analysis))
        .collect();
    match within(results::save_together(shard, &finished)).await {
        Ok(saved) => {
            metrics::results_written(group.len());
            for (waiting, saved) in group.into_iter().zip(saved) {
                let _ = waiting.saved.send(saved); // The job may have been cut off just now.
            }
        }
        Err(error) => {
            let (shard, results) = (shard.name(), group.len());
            tracing::warn!(
                shard,
                results,
                error = telemetry::chain(&error),
                "results were not written together"
            );
        }
    }
}
