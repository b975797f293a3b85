//! Hand-over: when nothing else was due, or its client has little in flight, the accepting process publishes its fresh job itself,
//! so that it is picked up in milliseconds, on an idle system and beside a noisy client. It is an optimisation only: what is
//! dropped here is published by the dispatcher when the row's lease ends.

use std::sync::Arc;

use docket_shared::ids::JobKey;
use docket_shared::job::AnalyzeDocument;
use docket_shared::queue::publish::Publisher;
use docket_shared::shutdown::Shutdown;
use docket_shared::store::{Shards, dispatch, within};
use docket_shared::{metrics, telemetry};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Fresh jobs that wait to be published: four rounds. What comes on top is left to the dispatcher.
const FRESH_MAX: usize = 64;
/// Places that are left to requests that are just being committed.
const FRESH_SPARE: usize = FRESH_MAX / 2;
/// Publishes under way at a time; each waits for its own confirm.
const PUBLISHES_MAX: usize = 16;

/// A job whose row is leased to this process.
#[derive(Debug)]
pub struct Fresh {
    /// Where its row is.
    pub key: JobKey,
    /// What is published.
    pub message: AnalyzeDocument,
    /// The row's lease.
    pub lease: Uuid,
}

/// Takes fresh jobs; clones feed the same publisher.
#[derive(Clone)]
pub struct HandOver(mpsc::Sender<Fresh>);

impl HandOver {
    /// Starts the publishing task; it ends when every handle is dropped.
    pub fn start(shards: Shards, publisher: Arc<Publisher>, shutdown: &Shutdown) -> Self {
        let (sender, receiver) = mpsc::channel(FRESH_MAX);
        shutdown.spawn(run(shards, publisher, receiver));
        Self(sender)
    }

    /// Whether a job that is accepted now would be taken.
    pub fn has_room(&self) -> bool {
        self.0.capacity() > FRESH_SPARE
    }

    /// Offers a fresh job. Never waits: a full channel leaves it to the dispatcher.
    pub fn offer(&self, fresh: Fresh) {
        if self.0.try_send(fresh).is_err() {
            metrics::publish_failed("handover_full");
        }
    }
}

async fn run(shards: Shards, publisher: Arc<Publisher>, mut fresh: mpsc::Receiver<Fresh>) {
    let mut batch = Vec::new();
    while fresh.recv_many(&mut batch, PUBLISHES_MAX).await > 0 {
        let messages: Vec<AnalyzeDocument> = batch.iter().map(|fresh| fresh.message.clone()).collect();
        let results = publisher.jobs(&messages).await;
        for (fresh, result) in batch.drain(..).zip(results) {
            let Some(shard) = shards.shard(&shards.owner(fresh.key.bucket)) else {
                continue;
            };
            let marked = match result {
                Ok(()) => {
                    metrics::published("handover", 1);
                    within(dispatch::mark_published(shard, &[fresh.key], fresh.lease)).await
                }
                Err(error) => {
                    tracing::warn!(error = telemetry::chain(&error), job.id = %fresh.key.job, "left to the dispatcher");
                    within(dispatch::release(shard, &[fresh.key], fresh.lease)).await
                }
            };
            if let Err(error) = marked {
                tracing::warn!(error = telemetry::chain(&error), job.id = %fresh.key.job, "a row keeps its lease");
            }
        }
    }
}
