//! The ownership fence: no transaction touches client data on a shard that does not own its bucket.
//!
//! A process caches the map and works on while the catalog is down. A shard that does not own a bucket refuses it and
//! names the owner, so that a stale cache costs one more round trip, never a wrong write.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use sqlx::FromRow;
use tokio::time::Instant;

use crate::shards::owners::Owners;
use crate::shards::shard_map;
use crate::sql::sql;
use crate::{Database, StoreConfig, StoreError, Tx};
use docket_contract::backoff::Backoff;
use docket_contract::ids::{Bucket, ShardName};
use docket_contract::sharding::{self, ShardMap};
use docket_process::{metrics, telemetry};

/// Buckets that one transaction may fence; the database function has the same limit.
pub const FENCE_BUCKETS_MAX: usize = 64;
/// For how long a transaction is begun anew while its bucket moves, or while every shard refuses the bucket. A switch
/// of owners takes well under a second, and a caller of the API waits for the answer.
const FENCE_WAIT_MAX: Duration = Duration::from_secs(4);
/// Pauses in that time. They differ, so that transactions that waited for the same bucket do not come back together.
const FENCE_PAUSES: Backoff = Backoff {
    first: Duration::from_millis(50),
    longest: Duration::from_millis(500),
};
/// How long a transaction waits for the newest map from the catalog.
const REFRESH_MAX: Duration = Duration::from_secs(1);

/// All databases, and the cached map.
#[derive(Debug, Clone)]
pub struct Shards {
    catalog: Database,
    shards: Arc<HashMap<ShardName, Database>>,
    owners: Arc<RwLock<Owners>>,
    /// When the last successful reading of the map began. Whoever reads the map holds this lock.
    refreshed: Arc<tokio::sync::Mutex<Option<Instant>>>,
}

/// A transaction whose buckets are fenced: the only way to client data.
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

    /// Ends the transaction without its writes.
    pub async fn roll_back(self) -> Result<(), StoreError> {
        self.0.roll_back().await
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
    /// Opens the pools and reads the newest map. Fails when the catalog is away, since a process without a map knows no
    /// owner.
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
            owners: Arc::new(RwLock::new(Owners::new(map))),
            refreshed: Arc::default(),
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

    /// Tells the metrics how many connections there are to each database.
    pub fn sample(&self) {
        self.catalog.sample();
        self.shards.values().for_each(Database::sample);
    }

    /// The map as it is cached now.
    pub fn map(&self) -> Arc<ShardMap> {
        self.owners.read().expect("no holder panics").map()
    }

    /// The shard that owns a bucket by the cached map.
    pub fn owner(&self, bucket: Bucket) -> ShardName {
        self.map().owner(bucket).clone()
    }

    /// Reads the newest map from the catalog into the cache. The catalog answers one reading at a time. A caller that
    /// comes during a reading waits for the next one, which serves all who came meanwhile: the one under way may have
    /// missed what the caller needs.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let asked = Instant::now();
        let mut refreshed = self.refreshed.lock().await;
        if refreshed.is_some_and(|began| began > asked) {
            return Ok(());
        }
        let began = Instant::now();
        let map = shard_map::newest(&self.catalog).await?;
        self.owners.write().expect("no holder panics").read(map);
        *refreshed = Some(began);
        Ok(())
    }

    /// Begins a fenced transaction on the shard that owns the bucket. While the bucket moves, and while every shard
    /// refuses it, the transaction is begun anew for up to 4 s. No connection is held in the pauses.
    pub async fn begin(&self, bucket: Bucket) -> Result<FencedTx, StoreError> {
        let give_up = Instant::now() + FENCE_WAIT_MAX;
        let mut failures = 0;
        loop {
            let refusal = match self.try_begin(bucket).await? {
                Ok(tx) => return Ok(tx),
                Err(refusal) => refusal,
            };
            let found_another = self.learn(bucket, &refusal).await;
            if Instant::now() >= give_up {
                return Err(refusal.into_error(bucket));
            }
            if !found_another {
                failures += 1;
                tokio::time::sleep(FENCE_PAUSES.delay(failures, rand::random())).await;
            }
        }
    }

    /// Asks the shard that owns the bucket by the cached map. A refused transaction has ended when this returns.
    async fn try_begin(&self, bucket: Bucket) -> Result<Result<FencedTx, Refusal>, StoreError> {
        let owner = self.owner(bucket);
        let shard = self.shard(&owner).ok_or_else(|| StoreError::UnknownShard {
            bucket,
            owner: owner.to_string(),
        })?;
        let mut tx = shard.begin().await?;
        let verdict = judge(&mut tx, &[bucket]).await?.pop();
        let Some(verdict) = verdict.filter(|verdict| verdict.granted) else {
            tx.roll_back().await?;
            return Ok(Err(Refusal::Moving));
        };
        if verdict.owned {
            return Ok(Ok(FencedTx(tx)));
        }
        tx.roll_back().await?;
        metrics::wrong_shard(shard.name());
        let told = verdict.owner.and_then(|owner| owner.parse().ok());
        Ok(Err(Refusal::WrongShard {
            shard: owner,
            told: told.map(|owner| (owner, verdict.epoch)),
        }))
    }

    /// Learns from a refusal: reads the newest map and, where the catalog is away or behind, believes the shard.
    /// Returns whether another shard is to be asked now.
    async fn learn(&self, bucket: Bucket, refusal: &Refusal) -> bool {
        let Refusal::WrongShard { shard, told } = refusal else {
            return false; // The bucket is being switched. Its present shard is the first to know when that is over.
        };
        let refreshed = tokio::time::timeout(REFRESH_MAX, self.refresh()).await;
        match refreshed {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = telemetry::chain(&error), "the map of shards was not read"),
            Err(_elapsed) => tracing::warn!("the map of shards was not read within {REFRESH_MAX:?}"),
        }
        if let Some((owner, epoch)) = told {
            let mut owners = self.owners.write().expect("no holder panics");
            owners.told(bucket, owner.clone(), *epoch);
        }
        self.owner(bucket) != *shard
    }
}

/// Why a shard refused a transaction on a bucket.
#[derive(Debug)]
enum Refusal {
    /// Somebody is switching the bucket to another shard.
    Moving,
    /// The shard does not own the bucket.
    WrongShard {
        /// The shard that refused.
        shard: ShardName,
        /// The owner that the shard named, and since which epoch it is.
        told: Option<(ShardName, i64)>,
    },
}

impl Refusal {
    fn into_error(self, bucket: Bucket) -> StoreError {
        match self {
            Self::Moving => StoreError::Moving(bucket),
            Self::WrongShard { shard, .. } => StoreError::Homeless {
                bucket,
                shard: shard.to_string(),
            },
        }
    }
}

impl Database {
    /// Begins a transaction on this shard for work across buckets. Fences those of the buckets that the shard owns, and
    /// returns them. Buckets after the first [`FENCE_BUCKETS_MAX`] are left out.
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

/// Asks the shard for the buckets' locks and owners.
async fn judge(tx: &mut Tx, buckets: &[Bucket]) -> Result<Vec<Verdict>, StoreError> {
    let numbers: Vec<i16> = buckets.iter().map(|bucket| bucket.number()).collect();
    tx.all(sql!("shards/fence").bind(numbers)).await
}
