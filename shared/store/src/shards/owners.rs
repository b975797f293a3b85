//! Which shard owns each bucket, as far as this process knows: by the newest map that it read from the catalog, and by
//! what shards have said of single buckets since. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use docket_contract::ids::{Bucket, ShardName};
use docket_contract::sharding::ShardMap;

/// What is known of owners. A bucket's owner is the shard that was named under the highest epoch.
#[derive(Debug)]
pub(super) struct Owners {
    /// The newest map of the catalog.
    read: ShardMap,
    /// What shards said under later epochs than that map has.
    told: HashMap<Bucket, Told>,
    /// The owners by both together.
    now: Arc<ShardMap>,
}

#[derive(Debug)]
struct Told {
    owner: ShardName,
    epoch: i64,
}

impl Owners {
    pub(super) fn new(map: ShardMap) -> Self {
        Self {
            now: Arc::new(map.clone()),
            read: map,
            told: HashMap::new(),
        }
    }

    /// Each bucket's owner by all that is known. The epoch is that of the catalog's map.
    pub(super) fn map(&self) -> Arc<ShardMap> {
        self.now.clone()
    }

    /// Takes a map of the catalog, unless a newer map was read before. What shards said under later epochs still holds,
    /// since a catalog may be behind its shards.
    pub(super) fn read(&mut self, map: ShardMap) {
        if map.epoch() < self.read.epoch() {
            return;
        }
        self.told.retain(|_, told| told.epoch > map.epoch());
        let told = self.told.iter();
        let now = told.fold(map.clone(), |now, (bucket, told)| {
            now.with_owner(*bucket, told.owner.clone())
        });
        self.now = Arc::new(now);
        self.read = map;
    }

    /// Believes a shard that names the owner of a bucket, unless something of the same epoch or a later one is known of
    /// the bucket.
    pub(super) fn told(&mut self, bucket: Bucket, owner: ShardName, epoch: i64) {
        let known = self.told.get(&bucket).map_or(self.read.epoch(), |told| told.epoch);
        if epoch > known {
            self.now = Arc::new(self.now.with_owner(bucket, owner.clone()));
            self.told.insert(bucket, Told { owner, epoch });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_contract::sharding;

    fn all_of(owner: &str, epoch: i64) -> ShardMap {
        let owners = vec![owner.parse().unwrap(); sharding::BUCKETS];
        ShardMap::from_owners(epoch, owners).unwrap()
    }

    fn owner(owners: &Owners, bucket: Bucket) -> String {
        owners.map().owner(bucket).to_string()
    }

    #[test]
    fn a_shards_word_outlives_older_maps_and_yields_to_newer_ones() {
        let mut owners = Owners::new(all_of("s1", 1));
        let moved = sharding::bucket_of(&"acme".parse().unwrap());
        let other = sharding::bucket_of(&"demo".parse().unwrap());
        owners.told(moved, "s2".parse().unwrap(), 2);
        assert_eq!(
            (owner(&owners, moved), owner(&owners, other)),
            ("s2".into(), "s1".into())
        );
        owners.read(all_of("s1", 1));
        assert_eq!(
            owner(&owners, moved),
            "s2",
            "a catalog that is behind undid a hand-over"
        );
        owners.read(all_of("s3", 2));
        assert_eq!(
            (owner(&owners, moved), owner(&owners, other)),
            ("s3".into(), "s3".into())
        );
        owners.read(all_of("s1", 1));
        assert_eq!(
            (owner(&owners, moved), owners.map().epoch()),
            ("s3".into(), 2),
            "an older map was taken"
        );
    }

    #[test]
    fn the_later_of_two_words_for_a_bucket_holds_in_whatever_order_they_come() {
        let mut owners = Owners::new(all_of("s1", 1));
        let bucket = sharding::bucket_of(&"acme".parse().unwrap());
        owners.told(bucket, "s3".parse().unwrap(), 3);
        owners.told(bucket, "s2".parse().unwrap(), 2);
        assert_eq!(owner(&owners, bucket), "s3");
        owners.told(bucket, "s4".parse().unwrap(), 3);
        assert_eq!(owner(&owners, bucket), "s3", "the first word of an epoch holds");
    }
}
