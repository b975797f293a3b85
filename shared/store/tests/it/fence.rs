//! Ownership: a shard that does not own a bucket refuses it, and a stale map costs a round trip, never a wrong write.

use std::time::Duration;

use docket_contract::ids::{Bucket, ClientId, ShardName};
use docket_contract::sharding::{self, ShardMap};
use docket_store::shards::fence::FENCE_BUCKETS_MAX;
use docket_store::shards::migrate::{self, SchemaError};
use docket_store::{Shards, StoreError};
use sqlx::{Connection, PgConnection};

use crate::fixture::{Fixture, direct_and_pooled};

direct_and_pooled!(
    a_stale_map_is_refused_and_refreshed,
    a_refusing_shard_is_believed_while_the_catalog_is_away,
    a_refusing_shard_is_believed_beside_a_catalog_that_is_behind,
    a_refused_transaction_holds_nothing_while_the_catalog_is_silent,
    a_moving_bucket_is_waited_for,
    a_bucket_that_every_shard_refuses_is_waited_for,
    a_bucket_that_nobody_owns_is_an_error,
    work_across_buckets_gets_the_owned_ones,
    one_shard_down_leaves_the_others_alone,
    a_wrong_schema_is_refused,
);

pub fn client_of(fixture: &Fixture, shard: &str) -> (ClientId, Bucket) {
    let found = (0..)
        .map(|i| format!("client-{i}").parse::<ClientId>().unwrap())
        .find_map(|client| {
            let bucket = sharding::bucket_of(&client);
            (fixture.shards.owner(bucket).as_str() == shard).then_some((client, bucket))
        });
    found.unwrap()
}

/// What a switch of owners writes: every shard and the catalog, under the next epoch.
pub async fn hand_over(fixture: &Fixture, bucket: Bucket, to: &str) {
    for (name, _) in &fixture.world.shards {
        name_owner(fixture, name, bucket, to).await;
    }
    let mut db = PgConnection::connect(&fixture.world.catalog_url).await.unwrap();
    sqlx::query(
        "insert into shard_maps (epoch, owners, reason)
         select 2, owners[:$1] || $2 || owners[$1 + 2:], 'test' from shard_maps where epoch = 1",
    )
    .bind(i32::from(bucket.number()))
    .bind(to.to_owned())
    .execute(&mut db)
    .await
    .unwrap();
}

/// Lets one shard say who owns a bucket, since epoch 2.
async fn name_owner(fixture: &Fixture, shard: &str, bucket: Bucket, owner: &str) {
    let mut db = fixture.raw_shard(shard).await;
    let update = "update bucket_owners set owner = $2, epoch = 2 where bucket = $1";
    let update = sqlx::query(update).bind(bucket.number()).bind(owner.to_owned());
    update.execute(&mut db).await.unwrap();
}

async fn a_stale_map_is_refused_and_refreshed(fixture: Fixture) {
    let (client, bucket) = client_of(&fixture, "s1");
    hand_over(&fixture, bucket, "s2").await;
    assert_eq!(fixture.shards.owner(bucket).as_str(), "s1", "the cache is stale");
    let (key, _) = fixture.accept(client.as_str()).await;
    assert_eq!(
        (fixture.shards.owner(bucket).as_str(), fixture.shards.map().epoch()),
        ("s2", 2)
    );
    let count = "select count(*) from jobs where id = $1";
    for (shard, jobs) in [("s1", 0_i64), ("s2", 1)] {
        let mut db = fixture.raw_shard(shard).await;
        let found: i64 = sqlx::query_scalar(count)
            .bind(key.job.0)
            .fetch_one(&mut db)
            .await
            .unwrap();
        assert_eq!(found, jobs, "on {shard}");
    }
}

async fn a_refusing_shard_is_believed_while_the_catalog_is_away(fixture: Fixture) {
    let (client, bucket) = client_of(&fixture, "s1");
    hand_over(&fixture, bucket, "s2").await;
    fixture.world.shard_down("catalog").await;
    fixture.accept(client.as_str()).await;
    assert_eq!(fixture.shards.owner(bucket).as_str(), "s2");
    fixture.world.shard_up("catalog").await;
}

async fn a_refusing_shard_is_believed_beside_a_catalog_that_is_behind(fixture: Fixture) {
    let (client, bucket) = client_of(&fixture, "s1");
    for shard in ["s1", "s2"] {
        name_owner(&fixture, shard, bucket, "s2").await;
    }
    fixture.accept(client.as_str()).await;
    assert_eq!(fixture.shards.owner(bucket).as_str(), "s2");
    fixture.shards.refresh().await.unwrap();
    assert_eq!(
        fixture.shards.owner(bucket).as_str(),
        "s2",
        "the catalog's older map undid what the shard said"
    );
}

async fn a_refused_transaction_holds_nothing_while_the_catalog_is_silent(fixture: Fixture) {
    let (client, bucket) = client_of(&fixture, "s1");
    for shard in ["s1", "s2"] {
        name_owner(&fixture, shard, bucket, "s2").await;
    }
    let mut catalog = PgConnection::connect(&fixture.world.catalog_url).await.unwrap();
    let mut silence = catalog.begin().await.unwrap();
    sqlx::query("lock table shard_maps in access exclusive mode")
        .execute(&mut *silence)
        .await
        .unwrap();
    let mut watcher = PgConnection::connect(&fixture.world.catalog_url).await.unwrap();
    let asking = async {
        let asking =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        loop {
            let asking: i64 = sqlx::query_scalar(asking).fetch_one(&mut watcher).await.unwrap();
            if asking > 0 {
                return asking;
            }
        }
    };
    let four = futures::future::join_all((0..4).map(|_| fixture.accept(client.as_str())));
    let look = async {
        assert_eq!(asking.await, 1, "one transaction asks the catalog for all of them");
        let mut s1 = fixture.raw_shard("s1").await;
        let locks = "select count(*) from pg_locks where locktype = 'advisory' and classid = 3340 and objid = $1
                     and database = (select oid from pg_database where datname = current_database())";
        let held = async |db: &mut PgConnection| -> i64 {
            let query = sqlx::query_scalar(locks).bind(i32::from(bucket.number()));
            query.fetch_one(db).await.unwrap()
        };
        // Others may just be asking the shard themselves; what waits for the catalog has let go.
        let free = async { while held(&mut s1).await > 0 {} };
        tokio::time::timeout(Duration::from_secs(30), free)
            .await
            .expect("a refused transaction holds the bucket's lock");
    };
    let (accepted, ()) = futures::join!(four, look);
    assert_eq!(
        accepted.len(),
        4,
        "the shard's word is enough, though the catalog never answered"
    );
    silence.rollback().await.unwrap();
}

async fn a_moving_bucket_is_waited_for(fixture: Fixture) {
    let (client, bucket) = client_of(&fixture, "s1");
    let mut switch = fixture.raw(bucket).await;
    let mut tx = switch.begin().await.unwrap();
    let lock = "select pg_advisory_xact_lock(3340, $1)";
    sqlx::query(lock)
        .bind(i32::from(bucket.number()))
        .execute(&mut *tx)
        .await
        .unwrap();
    let waiting = fixture.accept(client.as_str());
    tokio::pin!(waiting);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
    assert!(early.is_err(), "a write passed the switch");
    tx.commit().await.unwrap();
    waiting.await;
}

async fn a_bucket_that_every_shard_refuses_is_waited_for(fixture: Fixture) {
    let (client, bucket) = client_of(&fixture, "s1");
    name_owner(&fixture, "s1", bucket, "s2").await;
    name_owner(&fixture, "s2", bucket, "s1").await;
    let waiting = fixture.accept(client.as_str());
    tokio::pin!(waiting);
    // Tries without a pause in between would all have been made by then.
    let early = tokio::time::timeout(Duration::from_secs(1), &mut waiting).await;
    assert!(early.is_err(), "a bucket was let in that nobody owns");
    name_owner(&fixture, "s2", bucket, "s2").await;
    waiting.await;
    name_owner(&fixture, "s2", bucket, "s1").await;
    let error = fixture.shards.begin(bucket).await.err().unwrap();
    assert!(matches!(error, StoreError::Homeless { .. }), "{error}");
}

async fn a_bucket_that_nobody_owns_is_an_error(fixture: Fixture) {
    let (_, bucket) = client_of(&fixture, "s1");
    for (name, _) in &fixture.world.shards {
        name_owner(&fixture, name, bucket, "elsewhere").await;
    }
    let error = fixture.shards.begin(bucket).await.err().unwrap();
    assert!(matches!(error, StoreError::UnknownShard { .. }), "{error}");
}

async fn work_across_buckets_gets_the_owned_ones(fixture: Fixture) {
    let s1 = fixture.shards.shard(&"s1".parse().unwrap()).unwrap();
    let all: Vec<Bucket> = sharding::all_buckets().collect();
    let (_, owned) = s1.begin_owned(&all).await.unwrap();
    let expected: Vec<Bucket> = all[..FENCE_BUCKETS_MAX]
        .iter()
        .copied()
        .filter(|bucket| fixture.shards.owner(*bucket).as_str() == "s1")
        .collect();
    assert_eq!(owned, expected);
    assert!(!expected.is_empty() && expected.len() < FENCE_BUCKETS_MAX);
}

async fn one_shard_down_leaves_the_others_alone(fixture: Fixture) {
    let (down, bucket) = client_of(&fixture, "s1");
    let (up, _) = client_of(&fixture, "s2");
    fixture.accept(down.as_str()).await;
    fixture.world.shard_down("s1").await;
    let error = fixture.shards.begin(bucket).await.err().unwrap();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let told = tokio::time::timeout(Duration::from_millis(500), fixture.shards.begin(bucket)).await;
    assert!(
        fixture.config.pooler || told.is_ok_and(|told| told.is_err()),
        "callers of a dead shard wait"
    );
    fixture.accept(up.as_str()).await;
    migrate::check(&fixture.shards)
        .await
        .expect("a service starts with one shard down");
    fixture.world.shard_up("s1").await;
    // A pooler waits a while before it tries a server again that was down.
    let back = async { while fixture.shards.begin(bucket).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(60), back)
        .await
        .expect("the shard is back");
    fixture.accept(down.as_str()).await;
}

async fn a_wrong_schema_is_refused(fixture: Fixture) {
    migrate::check(&fixture.shards).await.unwrap();
    migrate::all(&docket_store::StoreConfig {
        catalog_url: fixture.world.catalog_url.clone(),
        shards: fixture.world.shards.clone(),
        ..fixture.config.clone()
    })
    .await
    .expect("migrating twice changes nothing");
    let mut swapped = fixture.config.clone();
    let (first, second) = (swapped.shards[0].1.clone(), swapped.shards[1].1.clone());
    (swapped.shards[0].1, swapped.shards[1].1) = (second, first);
    let shards = Shards::connect(&swapped).await.unwrap();
    assert!(matches!(migrate::check(&shards).await, Err(SchemaError::Mixed { .. })));
    let mut db = fixture.raw_shard("s2").await;
    sqlx::query("update _sqlx_migrations set version = 0 where version = (select max(version) from _sqlx_migrations)")
        .execute(&mut db)
        .await
        .unwrap();
    assert!(matches!(
        migrate::check(&fixture.shards).await,
        Err(SchemaError::Outdated { .. })
    ));
}

#[test]
fn a_map_names_every_bucket() {
    let name: ShardName = "s1".parse().unwrap();
    assert!(ShardMap::from_owners(1, vec![name.clone(); 4_095]).is_none());
    assert!(ShardMap::from_owners(1, vec![name; 4_096]).is_some());
}
