//! Results of one shard are written together: those that come while a transaction runs share the next one, so that a busy
//! worker pays one commit for many small documents and an idle one waits for nobody.

use std::collections::HashMap;
use std::sync::Arc;

use docket_shared::ids::ShardName;
use docket_shared::store::claims::Claim;
use docket_shared::store::fence::FENCE_BUCKETS_MAX;
use docket_shared::store::results::{self, Analysis, CHUNK_ENTITIES_MAX, Finished, Saved};
use docket_shared::store::{Database, Shards, StoreError, within};
use docket_shared::{metrics, telemetry};
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, Span};

/// Entities after which a transaction takes no further result, so that its one statement has at most twice as many.
const ENTITIES_MAX: usize = CHUNK_ENTITIES_MAX;

/// Writes results; one task a shard, which ends when this is dropped.
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
    /// Starts the tasks.
    pub fn start(shards: Shards) -> Self {
        let mut tasks = HashMap::new();
        for (name, shard) in shards.all() {
            let (sender, waiting) = mpsc::channel(FENCE_BUCKETS_MAX);
            tasks.insert(name.clone(), sender);
            tokio::spawn(run(shard.clone(), waiting));
        }
        Self { shards, tasks }
    }

    /// Writes a job's result, together with others or else by itself, as large ones always are. `false`: the claim is no longer
    /// the job's, and nothing was written.
    pub async fn save(&self, claim: &Claim, analysis: &Arc<Analysis>) -> Result<bool, StoreError> {
        let together = if analysis.entities.len() > CHUNK_ENTITIES_MAX {
            None
        } else {
            self.together(claim, analysis).await
        };
        match together {
            Some(Saved::Yes) => Ok(true),
            Some(Saved::Superseded) => Ok(false),
            // By itself it finds the shard that owns the bucket now, or learns what is wrong with it.
            Some(Saved::Elsewhere) | None => within(results::save(&self.shards, claim, analysis)).await,
        }
    }

    /// `None` when the transaction failed, for whatever reason.
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

/// The span of a transaction, which is of no one job's trace and has links to all of them.
fn span_of(group: &[Waiting]) -> Span {
    let span = tracing::debug_span!(parent: None, "save batch", docket.batch.jobs = group.len() as i64);
    if !span.is_disabled() {
        for waiting in group {
            span.follows_from(&waiting.span);
        }
    }
    span
}

/// A failure is answered by no reply: each then tries by itself, so that one result that cannot be written fails no other.
async fn write(shard: &Database, group: Vec<Waiting>) {
    let finished: Vec<Finished<'_>> = group
        .iter()
        .map(|waiting| (&waiting.claim, &*waiting.analysis))
        .collect();
    match within(results::save_together(shard, &finished)).await {
        Ok(saved) => {
            metrics::results_written(group.len());
            for (waiting, saved) in group.into_iter().zip(saved) {
                let _ = waiting.saved.send(saved); // Its job may have been cut off in this moment.
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
