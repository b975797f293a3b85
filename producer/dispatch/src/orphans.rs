//! Removes objects without a row, which an upload leaves when it dies between S3 and its shard. An object is removed after a day,
//! when a fenced read by the bucket's owner finds no document for it. Objects stored in a gap stay: the shard may have been
//! restored to an earlier time, and then the object is all that is left of an accepted document.

use std::sync::Arc;
use std::time::Duration;

use docket_contract::ids::{Bucket, ShardName};
use docket_contract::object_key::BlobKey;
use docket_contract::sharding;
use docket_objects::Listed;
use docket_process::metrics;
use docket_store::read::documents;
use docket_store::work::gaps::{self, Gap};
use jiff::Timestamp;
use uuid::Uuid;

use crate::dispatcher::Dispatcher;

/// Age after which an object must have a row: a day, far longer than any upload lives.
const AGE: Duration = Duration::from_secs(24 * 3600);
/// Objects in one listing.
const PAGE: i32 = 1_000;

/// Goes through a shard's buckets, one page of objects a call.
pub struct Orphans {
    dispatcher: Arc<Dispatcher>,
    shard: ShardName,
    place: Option<(Bucket, Option<BlobKey>)>,
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Orphans {
    /// Starts at the first bucket.
    pub fn new(dispatcher: Arc<Dispatcher>, shard: ShardName) -> Self {
        Self {
            dispatcher,
            shard,
            place: None,
        }
    }

    /// Sweeps the next page.
    pub async fn sweep_next(&mut self) -> Result<(), Error> {
        let Some((bucket, after)) = self
            .place
            .take()
            .or_else(|| self.bucket_after(None).map(|bucket| (bucket, None)))
        else {
            return Ok(());
        };
        let page = self
            .dispatcher
            .blobs
            .list(&BlobKey::documents_of(bucket), after.as_ref(), PAGE)
            .await?;
        let last = page.last().map(|listed| listed.key.clone());
        self.remove_orphans(bucket, page).await?;
        self.place = match last {
            Some(last) => Some((bucket, Some(last))),
            None => self.bucket_after(Some(bucket)).map(|bucket| (bucket, None)),
        };
        Ok(())
    }

    fn bucket_after(&self, bucket: Option<Bucket>) -> Option<Bucket> {
        let map = self.dispatcher.shards.map();
        sharding::all_buckets().find(|next| Some(*next) > bucket && *map.owner(*next) == self.shard)
    }

    async fn remove_orphans(&self, bucket: Bucket, page: Vec<Listed>) -> Result<(), Error> {
        let now = Timestamp::now().as_second();
        let old: Vec<Listed> = page.into_iter().filter(|listed| is_old(listed, now)).collect();
        let ids: Vec<Uuid> = old
            .iter()
            .filter_map(|listed| Some(listed.key.of_document()?.1.0))
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut tx = self.dispatcher.shards.begin(bucket).await?;
        let known = documents::known_keys(&mut tx, bucket, &ids).await?;
        let gaps = gaps::open(&mut tx).await?;
        drop(tx);
        for listed in old.iter().filter(|listed| is_orphan(listed, &known, &gaps)) {
            self.dispatcher.blobs.delete(&listed.key).await?;
            metrics::repaired(metrics::Repair::OrphanObject, 1);
        }
        Ok(())
    }
}

fn is_old(listed: &Listed, now: i64) -> bool {
    listed.stored_at < now - AGE.as_secs().cast_signed()
}

/// Whether an old object is an orphan: its key is a document's, no row names it, and it was not stored in a gap.
fn is_orphan(listed: &Listed, known: &[BlobKey], gaps: &[Gap]) -> bool {
    listed.key.of_document().is_some()
        && !known.contains(&listed.key)
        && !gaps.iter().any(|gap| gap.covers(listed.stored_at))
}

#[cfg(test)]
mod tests {
    use docket_contract::ids::DocumentId;

    use super::*;

    #[test]
    fn what_a_restored_shard_may_have_forgotten_is_no_orphan() {
        let client = "acme".parse().unwrap();
        let key = BlobKey::document(sharding::bucket_of(&client), &client, DocumentId::generate());
        let day = 24 * 3_600;
        let at = |stored_at| Listed {
            key: key.clone(),
            stored_at,
            bytes: 1,
        };
        assert!(is_old(&at(0), day + 1) && !is_old(&at(0), day));
        let time = |second| Timestamp::from_second(second).unwrap();
        let gap = Gap {
            began: time(100 * day),
            ended: time(101 * day),
        };
        assert!(is_orphan(&at(99 * day), &[], &[gap]) && is_orphan(&at(102 * day), &[], &[gap]));
        assert!(
            !is_orphan(&at(100 * day + 1), &[], &[gap]),
            "its row may have been forgotten"
        );
        assert!(
            !is_orphan(&at(99 * day), std::slice::from_ref(&key), &[gap]),
            "a row names it"
        );
        let stranger = Listed {
            key: BlobKey::from_stored("documents/0007/notes.txt".into()),
            stored_at: 0,
            bytes: 1,
        };
        assert!(!is_orphan(&stranger, &[], &[]), "it is nothing of ours");
    }
}
