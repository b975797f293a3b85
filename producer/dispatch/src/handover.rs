//! Hand-over: the accepting process publishes its fresh job itself when no other job was due or its client has few jobs in
//! flight. So the job is picked up in milliseconds, on an idle system and beside a noisy client. The hand-over is only an
//! optimisation: the dispatcher publishes what is dropped here when the row's lease ends.

use std::sync::Arc;

use docket_contract::ids::JobKey;
use docket_contract::job::AnalyzeDocument;
use docket_process::shutdown::Shutdown;
use docket_process::{metrics, telemetry};
use docket_queue::publish::Publisher;
use docket_store::work::dispatch;
use docket_store::{Shards, within};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Fresh jobs held at a time, from before their rows are written until they are published: four rounds of publishes. The
/// dispatcher takes all further jobs.
const FRESH_MAX: usize = 64;
/// Publishes under way at a time; each waits for its own confirm from the broker.
const PUBLISHES_MAX: usize = 16;

/// A job whose row is leased to this process.
#[derive(Debug)]
pub struct Fresh {
    /// The row's key.
    pub key: JobKey,
    /// The message to publish.
    pub message: AnalyzeDocument,
    /// Token of the row's lease.
    pub lease: Uuid,
}

/// Takes fresh jobs; clones feed the same publishing task.
#[derive(Clone)]
pub struct HandOver(mpsc::Sender<Fresh>);

impl HandOver {
    /// Starts the publishing task; it ends when every handle is dropped.
    pub fn start(shards: Shards, publisher: Arc<Publisher>, shutdown: &Shutdown) -> Self {
        let (sender, receiver) = mpsc::channel(FRESH_MAX);
        shutdown.spawn(run(shards, publisher, receiver));
        Self(sender)
    }

    /// Reserves a place for a job whose row is yet to be written; `None` while all places are taken. Lease the row only with a
    /// place: otherwise nobody publishes the job until the lease ends.
    pub fn reserve(&self) -> Option<Place> {
        self.0.clone().try_reserve_owned().ok().map(Place)
    }
}

/// A place for one fresh job, freed when it is dropped unused.
pub struct Place(mpsc::OwnedPermit<Fresh>);

impl Place {
    /// Publishes the job in the background. Its row must be committed before.
    pub fn publish(self, fresh: Fresh) {
        self.0.send(fresh);
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
                    metrics::published(metrics::Path::Handover, 1);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_rows_are_leased_than_are_published() {
        let (sender, mut receiver) = mpsc::channel(FRESH_MAX);
        let handover = HandOver(sender);
        let places: Vec<Place> = std::iter::from_fn(|| handover.reserve()).collect();
        assert_eq!(places.len(), FRESH_MAX);
        assert!(handover.reserve().is_none());
        let mut places = places.into_iter();
        places.next().unwrap().publish(fresh());
        assert!(handover.reserve().is_none(), "the job has its place until it is taken");
        assert!(receiver.try_recv().is_ok());
        assert!(handover.reserve().is_some());
        drop(places.next());
        assert!(handover.reserve().is_some(), "a place that is not used is free again");
    }

    fn fresh() -> Fresh {
        let client: docket_contract::ids::ClientId = "acme".parse().unwrap();
        let bucket = docket_contract::sharding::bucket_of(&client);
        let job = docket_contract::ids::JobId::generate();
        let message = AnalyzeDocument {
            bucket: bucket.number(),
            job_id: job,
            client_id: client,
            model: "ner-legal".parse().unwrap(),
            trace_parent: None,
        };
        Fresh {
            key: JobKey { bucket, job },
            message,
            lease: Uuid::new_v4(),
        }
    }
}
