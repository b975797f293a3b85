//! Objects without a row: what an upload left behind that died between S3 and its shard. Removed after a day, and only
//! when a fenced read by the bucket's owner finds no document.

use std::sync::Arc;
use std::time::Duration;

use docket_shared::blob::{BlobKey, Listed};
use docket_shared::ids::{Bucket, ShardName};
use docket_shared::metrics;
use docket_shared::sharding;
use docket_shared::store::documents;
use jiff::Timestamp;
use uuid::Uuid;

use super::Dispatcher;

/// Age at which an object must have a row: far longer than any upload lives.
const AGE: Duration = Duration::from_secs(24 * 3600);
/// Objects of one listing.
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
        let young = Timestamp::now().as_second() - AGE.as_secs() as i64;
        let old: Vec<(Uuid, BlobKey)> = page
            .into_iter()
            .filter(|listed| listed.stored_at < young)
            .filter_map(|listed| Some((listed.key.as_str().rsplit('/').next()?.parse().ok()?, listed.key)))
            .collect();
        if old.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = old.iter().map(|(id, _)| *id).collect();
        let mut tx = self.dispatcher.shards.begin(bucket).await?;
        let known = documents::known_keys(&mut tx, bucket, &ids).await?;
        drop(tx);
        for (_, key) in old.iter().filter(|(_, key)| !known.contains(key)) {
            self.dispatcher.blobs.delete(key).await?;
            metrics::repaired("orphan_object", 1);
        }
        Ok(())
    }
}
