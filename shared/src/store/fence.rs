//! The ownership fence: no transaction touches client data on a shard that does not own its bucket.
//!
//! A process caches the map and runs on with the catalog down. A shard that does not own a bucket refuses it and says
//! who does, so a stale cache costs one more round trip, never a wrong write.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use sqlx::FromRow;

use super::{Database, StoreConfig, StoreError, Tx, shard_map};
use crate::ids::{Bucket, ShardName};
use crate::metrics;
use crate::sharding::{self, ShardMap};

/// Buckets that one transaction may fence; the database function has the same limit.
pub const FENCE_BUCKETS_MAX: usize = 64;
/// Times a transaction is begun anew because its bucket was moving or had moved.
const TRIES_MAX: u32 = 40;
/// Pause while a bucket is moving: a switch holds its lock for well under a second.
const MOVING_PAUSE: Duration = Duration::from_millis(100);

/// All databases, and the cached map.
#[derive(Debug, Clone)]
pub struct Shards {
    catalog: Database,
    shards: Arc<HashMap<ShardName, Database>>,
    map: Arc<RwLock<Arc<ShardMap>>>,
}

/// A transaction whose buckets are fenced: the only way to the stores of client data.
pub struct FencedTx(Tx);

impl Deref for FencedTx {
    type Target = Tx;
    fn deref(&self) -> &Tx {
        &self.0
    }
}
impl DerefMut for FencedTx {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.0
    }
}
impl FencedTx {
    /// Makes the transaction's writes durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.0.commit().await
    }
}

/// What a shard says of a bucket.
#[derive(Debug, FromRow)]
struct Verdict {
    bucket: i16,
    granted: bool,
    owned: bool,
    owner: Option<String>,
    epoch: i64,
}

impl Shards {
    /// Opens the pools and reads the newest map. Fails when the catalog is away: a process without a map knows nothing.
    pub async fn connect(config: &StoreConfig) -> Result<Self, StoreError> {
        let catalog = Database::open("catalog", &config.catalog_url, config)?;
        let mut shards = HashMap::new();
        for (name, url) in &config.shards {
            let name: ShardName = name.parse().expect("checked when the configuration was read");
            shards.insert(name.clone(), Database::open(name.as_str(), url, config)?);
        }
        let map = shard_map::newest(&catalog).await?;
        Ok(Self {
            catalog,
            shards: Arc::new(shards),
            map: Arc::new(RwLock::new(Arc::new(map))),
        })
    }

    /// The catalog.
    pub fn catalog(&self) -> &Database {
        &self.catalog
    }

    /// Every shard that is configured, by name.
    pub fn all(&self) -> impl Iterator<Item = (&ShardName, &Database)> {
        self.shards.iter()
    }

    /// A shard by its name.
    pub fn shard(&self, name: &ShardName) -> Option<&Database> {
        self.shards.get(name)
    }

    /// Notes how many connections there are to each database.
    pub fn sample(&self) {
        self.catalog.sample();
        self.shards.values().for_each(Database::sample);
    }

    /// The map as it is cached now.
    pub fn map(&self) -> Arc<ShardMap> {
        self.map.read().expect("no holder panics").clone()
    }

    /// The shard that owns a bucket by the cached map.
    pub fn owner(&self, bucket: Bucket) -> ShardName {
        self.map().owner(bucket).clone()
    }

    /// Puts a map into the cache unless a newer one is there. Tests use it to plant a stale one.
    pub fn learn(&self, map: ShardMap) {
        let mut cached = self.map.write().expect("no holder panics");
        if map.epoch() >= cached.epoch() {
            *cached = Arc::new(map);
        }
    }

    /// Reads the newest map from the catalog into the cache.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        self.learn(shard_map::newest(&self.catalog).await?);
        Ok(())
    }

    /// Begins a transaction on the shard that owns the bucket, fenced.
    pub async fn begin(&self, bucket: Bucket) -> Result<FencedTx, StoreError> {
        let mut refused_by = String::new();
        for _ in 0..TRIES_MAX {
            let owner = self.owner(bucket);
            let shard = self.shard(&owner).ok_or_else(|| StoreError::UnknownShard {
                bucket,
                owner: owner.to_string(),
            })?;
            let mut tx = shard.begin().await?;
            let verdict = judge(&mut tx, &[bucket]).await?.pop();
            match verdict {
                Some(verdict) if verdict.granted && verdict.owned => return Ok(FencedTx(tx)),
                Some(verdict) if verdict.granted => {
                    refused_by = shard.name().to_owned();
                    metrics::wrong_shard(&refused_by);
                    self.learn_refusal(bucket, &verdict).await;
                }
                // Somebody is switching the bucket. The connection goes back before the pause.
                Some(_) | None => {
                    drop(tx);
                    tokio::time::sleep(MOVING_PAUSE).await;
                }
            }
        }
        if refused_by.is_empty() {
            Err(StoreError::Moving(bucket))
        } else {
            Err(StoreError::Homeless {
                bucket,
                shard: refused_by,
            })
        }
    }

    /// The newest map; where the catalog is away or behind, what the refusing shard said.
    async fn learn_refusal(&self, bucket: Bucket, verdict: &Verdict) {
        let refreshed = self.refresh().await;
        let told = verdict.owner.as_ref().and_then(|owner| owner.parse::<ShardName>().ok());
        if let (Some(owner), true) = (told, verdict.epoch > self.map().epoch()) {
            let map = self.map().with_owner(bucket, owner);
            *self.map.write().expect("no holder panics") = Arc::new(map);
        } else if refreshed.is_err() {
            tokio::time::sleep(MOVING_PAUSE).await;
        }
    }
}

impl Database {
    /// Begins a transaction on this shard for work across buckets: fences as many of them as it owns and returns those.
    /// Buckets past [`FENCE_BUCKETS_MAX`] are left out.
    pub async fn begin_owned(&self, buckets: &[Bucket]) -> Result<(FencedTx, Vec<Bucket>), StoreError> {
        let mut tx = self.begin().await?;
        let verdicts = judge(&mut tx, &buckets[..buckets.len().min(FENCE_BUCKETS_MAX)]).await?;
        let owned = verdicts.into_iter().filter(|verdict| verdict.granted && verdict.owned);
        let owned = owned
            .filter_map(|verdict| sharding::bucket_from_number(verdict.bucket))
            .collect();
        Ok((FencedTx(tx), owned))
    }
}

async fn judge(tx: &mut Tx, buckets: &[Bucket]) -> Result<Vec<Verdict>, StoreError> {
    let numbers: Vec<i16> = buckets.iter().map(|bucket| bucket.number()).collect();
    let query =
        tx.query_as("select bucket, granted, coalesce(owned, false) as owned, owner, epoch from docket_fence($1)");
    query
        .bind(numbers)
        .fetch_all(tx.connection())
        .await
        .map_err(|error| tx.failed(error))
}
