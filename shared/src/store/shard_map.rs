//! The map of buckets to shards in the catalog: one row a version.

use super::{Database, StoreError, Tx};
use crate::ids::ShardName;
use crate::sharding::ShardMap;

/// The newest map. A catalog without one was never migrated, which is a refusal.
pub async fn newest(catalog: &Database) -> Result<ShardMap, StoreError> {
    let mut tx = catalog.begin().await?;
    let map = newest_in(&mut tx).await?;
    map.ok_or_else(|| tx.failed(sqlx::Error::RowNotFound))
}

/// The newest map within a transaction, if there is one.
pub async fn newest_in(tx: &mut Tx) -> Result<Option<ShardMap>, StoreError> {
    let query = tx.query_as::<(i64, Vec<String>)>("select epoch, owners from shard_maps order by epoch desc limit 1");
    let row = query
        .fetch_optional(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    let Some((epoch, owners)) = row else { return Ok(None) };
    let owners = owners
        .into_iter()
        .map(|owner| owner.parse::<ShardName>())
        .collect::<Result<Vec<_>, _>>();
    let owners = owners.map_err(|error| tx.failed(sqlx::Error::Decode(error.into())))?;
    let map = ShardMap::from_owners(epoch, owners);
    map.map(Some)
        .ok_or_else(|| tx.failed(sqlx::Error::Decode("a map of another length than 4,096".into())))
}

/// Stores a map as the newest one.
pub async fn save(tx: &mut Tx, map: &ShardMap, reason: &str) -> Result<(), StoreError> {
    let owners: Vec<String> = map.owners().iter().map(ToString::to_string).collect();
    let query = tx.query("insert into shard_maps (epoch, owners, reason) values ($1, $2, $3)");
    let query = query.bind(map.epoch()).bind(owners).bind(reason.to_owned());
    query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    Ok(())
}

/// Notes a shard and its weight.
pub async fn add_shard(tx: &mut Tx, name: &str, weight: i32) -> Result<(), StoreError> {
    let query = tx.query("insert into shards (name, weight) values ($1, $2) on conflict (name) do nothing");
    query
        .bind(name.to_owned())
        .bind(weight)
        .execute(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    Ok(())
}

/// Tells a shard its name and who owns each bucket, unless it already knows: handing buckets over is resharding's work.
pub async fn introduce(tx: &mut Tx, name: &str, map: &ShardMap) -> Result<(), StoreError> {
    let query = tx.query("insert into shard_identity (name) values ($1) on conflict (one) do nothing");
    query
        .bind(name.to_owned())
        .execute(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    let owners: Vec<String> = map.owners().iter().map(ToString::to_string).collect();
    let query = tx.query(
        "insert into bucket_owners (bucket, owner, epoch)
         select ordinality - 1, owner, $2 from unnest($1::text[]) with ordinality as m(owner, ordinality)
         on conflict (bucket) do nothing",
    );
    query
        .bind(owners)
        .bind(map.epoch())
        .execute(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    Ok(())
}

/// The name a shard's database was introduced by, if it was.
pub async fn identity(tx: &mut Tx) -> Result<Option<String>, StoreError> {
    let query = tx.query_scalar("select name from shard_identity");
    query
        .fetch_optional(tx.connection())
        .await
        .map_err(|error| tx.failed(error))
}
