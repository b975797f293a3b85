//! The map of buckets to shards: one row of the catalog for each version. And what a shard is told of the map.

use crate::rows::undecodable;
use crate::sql::sql;
use crate::{Database, StoreError, Tx};
use docket_contract::ids::ShardName;
use docket_contract::sharding::ShardMap;

/// The newest map. A catalog without a map was never migrated, which is an error.
pub async fn newest(catalog: &Database) -> Result<ShardMap, StoreError> {
    let mut tx = catalog.begin().await?;
    let map = newest_in(&mut tx).await?;
    map.ok_or_else(|| tx.failed(sqlx::Error::RowNotFound))
}

/// The newest map within a transaction, if there is one.
pub async fn newest_in(tx: &mut Tx) -> Result<Option<ShardMap>, StoreError> {
    let row = tx.optional(sql!("shards/map_newest")).await?;
    let Some((epoch, owners)): Option<(i64, Vec<String>)> = row else {
        return Ok(None);
    };
    let owners = owners.into_iter().map(|owner| owner.parse::<ShardName>());
    let owners = owners.collect::<Result<Vec<_>, _>>();
    let owners = owners.map_err(|error| tx.failed(undecodable(error)))?;
    let map = ShardMap::from_owners(epoch, owners);
    map.map(Some)
        .ok_or_else(|| tx.failed(undecodable("a map of another length than 4,096")))
}

/// Stores a map as the newest one.
pub async fn save(tx: &mut Tx, map: &ShardMap, reason: &str) -> Result<(), StoreError> {
    let query = sql!("shards/map_save").bind(map.epoch());
    tx.execute(query.bind(names(map)).bind(reason)).await.map(drop)
}

/// Stores a shard's name and weight in the catalog.
pub async fn add_shard(tx: &mut Tx, name: &str, weight: i32) -> Result<(), StoreError> {
    let query = sql!("shards/shard_add").bind(name).bind(weight);
    tx.execute(query).await.map(drop)
}

/// Tells a shard its name and who owns each bucket. What the shard knows already stays as it is: only resharding hands
/// buckets over.
pub async fn introduce(tx: &mut Tx, name: &str, map: &ShardMap) -> Result<(), StoreError> {
    tx.execute(sql!("shards/identity_set").bind(name)).await?;
    let query = sql!("shards/owners_add").bind(names(map)).bind(map.epoch());
    tx.execute(query).await.map(drop)
}

/// The name that the shard's database was told, if it was told one.
pub async fn identity(tx: &mut Tx) -> Result<Option<String>, StoreError> {
    tx.optional_scalar(sql!("shards/identity")).await
}

/// The owner of each bucket, in the order of the buckets.
fn names(map: &ShardMap) -> Vec<String> {
    map.owners().iter().map(ToString::to_string).collect()
}
