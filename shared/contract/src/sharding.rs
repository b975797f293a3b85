//! Client -> bucket -> shard. Pure, and frozen: a client's rows are found by these functions alone.
//!
//! A hash puts each client into one of 4,096 buckets; a versioned map says which shard owns a bucket. Weighted rendezvous hashing
//! makes the map (Thaler and Ravishankar, 1998; weights as in Schindelhauer and Schomaker, 2005): a new shard takes its fair
//! share from every other shard, and nothing else moves.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::ids::{Bucket, ClientId, ShardName};

/// Number of buckets. Frozen: another number would lose every row.
pub const BUCKETS: usize = 4096;

/// The bucket of a client.
pub fn bucket_of(client: &ClientId) -> Bucket {
    let slot = xxh3_64(client.as_str().as_bytes()) % BUCKETS as u64;
    Bucket(i16::try_from(slot).expect("slot is below BUCKETS"))
}

/// All buckets, in order.
pub fn all_buckets() -> impl Iterator<Item = Bucket> {
    (0..BUCKETS as i16).map(Bucket)
}

/// The bucket of a number from outside, for instance from a message; `None` when no bucket has that number.
pub fn bucket_from_number(number: i16) -> Option<Bucket> {
    usize::try_from(number)
        .is_ok_and(|n| n < BUCKETS)
        .then_some(Bucket(number))
}

/// Which shard owns which bucket, as of one epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardMap {
    epoch: i64,
    owners: Vec<ShardName>,
}

impl ShardMap {
    /// The map that weighted rendezvous hashing gives for these shards; `None` when no shard has a positive weight.
    pub fn balanced(epoch: i64, shards: &[(ShardName, u32)]) -> Option<Self> {
        let owners = (0..BUCKETS as u64)
            .map(|bucket| heaviest(bucket, shards))
            .collect::<Option<Vec<_>>>()?;
        Some(Self { epoch, owners })
    }

    /// A map as stored; `None` unless there is an owner for every bucket.
    pub fn from_owners(epoch: i64, owners: Vec<ShardName>) -> Option<Self> {
        (owners.len() == BUCKETS).then_some(Self { epoch, owners })
    }

    /// Version of the map, which grows with every change.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// The shard that owns a bucket.
    pub fn owner(&self, bucket: Bucket) -> &ShardName {
        &self.owners[bucket.0 as usize]
    }

    /// The owners, in the order of the buckets.
    pub fn owners(&self) -> &[ShardName] {
        &self.owners
    }

    /// The same map with one bucket given to another shard, after a shard refused the bucket and named its owner.
    pub fn with_owner(&self, bucket: Bucket, owner: ShardName) -> Self {
        let mut map = self.clone();
        map.owners[bucket.0 as usize] = owner;
        map
    }
}

fn heaviest(bucket: u64, shards: &[(ShardName, u32)]) -> Option<ShardName> {
    shards
        .iter()
        .filter(|(_, weight)| *weight > 0)
        .max_by(|a, b| {
            score(bucket, a)
                .total_cmp(&score(bucket, b))
                .then_with(|| a.0.cmp(&b.0))
        })
        .map(|(name, _)| name.clone())
}

/// `-weight / ln(u)` with u uniform in (0, 1): a shard has the highest score with a probability proportional to its weight.
fn score(bucket: u64, (name, weight): &(ShardName, u32)) -> f64 {
    let hash = xxh3_64_with_seed(name.as_str().as_bytes(), bucket);
    let uniform = ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    -f64::from(*weight) / uniform.ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Frozen. If this test fails, existing clients would lose their rows: fix the code, not the table. The values were computed
    /// with Python's xxhash.
    const GOLDEN_BUCKETS: [(&str, i16); 8] = [
        ("acme", 2273),
        ("demo", 816),
        ("globex", 1839),
        ("initech", 350),
        ("umbrella-corp", 178),
        ("A", 1157),
        ("org_2b7XyZ", 1952),
        ("0123456789.0123456789_0123456789-0123456789.0123456789_012345678", 1034),
    ];

    fn shards(weights: &[u32]) -> Vec<(ShardName, u32)> {
        weights
            .iter()
            .enumerate()
            .map(|(i, w)| (format!("s{}", i + 1).parse().unwrap(), *w))
            .collect()
    }

    fn share(map: &ShardMap, name: &str) -> f64 {
        map.owners.iter().filter(|owner| owner.as_str() == name).count() as f64 / BUCKETS as f64
    }

    #[test]
    fn a_client_never_moves_to_another_bucket() {
        for (client, bucket) in GOLDEN_BUCKETS {
            let client = client.parse().unwrap();
            assert_eq!(bucket_of(&client), Bucket(bucket), "rows of {client} would be lost");
        }
    }

    #[test]
    fn weights_are_respected() {
        let map = ShardMap::balanced(1, &shards(&[1, 3])).unwrap();
        assert!((share(&map, "s1") - 0.25).abs() < 0.03, "{}", share(&map, "s1"));
        assert!(ShardMap::balanced(1, &shards(&[0])).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_new_shard_takes_only_its_fair_share(weights in prop::collection::vec(1_u32..5, 1..8), added in 1_u32..5) {
            let before = ShardMap::balanced(1, &shards(&weights)).unwrap();
            let mut more = weights.clone();
            more.push(added);
            let after = ShardMap::balanced(2, &shards(&more)).unwrap();
            let newcomer = format!("s{}", more.len());
            let mut moved = 0;
            for (old, new) in before.owners.iter().zip(&after.owners) {
                if old != new {
                    prop_assert_eq!(new.as_str(), newcomer.as_str());
                    moved += 1;
                }
            }
            let fair = f64::from(added) / f64::from(more.iter().sum::<u32>());
            prop_assert!((f64::from(moved) / BUCKETS as f64 - fair).abs() < 0.05);
        }
    }
}
