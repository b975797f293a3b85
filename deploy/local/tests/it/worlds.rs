//! Worlds are separate from each other, migrated, and gone after they were left.

use std::time::Duration;

use docket_local::poll;
use docket_local::postgres::Admin;
use docket_testing::{World, WorldOptions, stack};
use lapin::options::{BasicPublishOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use sqlx::{Connection as _, PgConnection};

const PATIENCE: Duration = Duration::from_secs(30);

async fn declare_and_publish(world: &World) -> Connection {
    let connection = Connection::connect(&world.amqp_url, ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    channel
        .queue_declare("q".into(), options, FieldTable::default())
        .await
        .unwrap();
    let options = BasicPublishOptions::default();
    channel
        .basic_publish("".into(), "q".into(), options, b"hello", BasicProperties::default())
        .await
        .unwrap();
    connection
}

#[tokio::test]
async fn two_worlds_do_not_see_each_other() {
    let (one, two) = tokio::join!(World::start(), World::start());
    let _connection = declare_and_publish(&one).await;
    poll::until("the message counts", PATIENCE, async || {
        Ok(one.queue_depth("q").await.filter(|q| q.ready == 1))
    })
    .await
    .unwrap();
    assert_eq!(two.queue_depth("q").await, None);

    one.s3_client()
        .put_object()
        .bucket(&one.bucket)
        .key("k")
        .body(b"one".to_vec().into())
        .send()
        .await
        .unwrap();
    let listed = two
        .s3_client()
        .list_objects_v2()
        .bucket(&two.bucket)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.key_count(), Some(0));

    let mut in_one = PgConnection::connect(&one.shards[0].1).await.unwrap();
    sqlx::query("create table only_here (id int)")
        .execute(&mut in_one)
        .await
        .unwrap();
    for (_, url) in &two.shards {
        let mut in_two = PgConnection::connect(url).await.unwrap();
        let query = sqlx::query_scalar("select to_regclass('only_here') is null");
        let is_absent: bool = query.fetch_one(&mut in_two).await.unwrap();
        assert!(is_absent, "{url}");
    }
}

#[tokio::test]
async fn a_world_is_migrated() {
    let world = World::with(WorldOptions {
        shards: 3,
        ..WorldOptions::default()
    })
    .await;
    let names: Vec<_> = world.shards.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["s1", "s2", "s3"]);
    for url in world.shards.iter().map(|(_, url)| url).chain([&world.catalog_url]) {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let applied: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert!(applied > 0, "{url}");
    }
}

#[tokio::test]
async fn a_world_that_is_left_leaves_nothing() {
    let info = stack().await;
    let world = World::start().await;
    let (id, vhost, bucket, client) = (
        world.id.clone(),
        world.vhost.clone(),
        world.bucket.clone(),
        world.s3_client(),
    );
    let _open = PgConnection::connect(&world.shards[0].1).await.unwrap();
    let management = world.management();
    assert!(management.vhosts().await.unwrap().contains(&vhost));
    drop(world);
    poll::until("the world is removed", PATIENCE, async || {
        let mut left = usize::from(management.vhosts().await?.contains(&vhost));
        left += usize::from(client.head_bucket().bucket(&bucket).send().await.is_ok());
        for cluster in info.clusters() {
            left += Admin::connect(cluster, "postgres")
                .await?
                .databases(&format!("w_{id}"))
                .await?
                .len();
        }
        Ok((left == 0).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_wiped_broker_has_lost_its_queues() {
    let world = World::start().await;
    let connection = declare_and_publish(&world).await;
    world.wipe_broker().await;
    poll::until("the client notices", PATIENCE, async || {
        Ok((!connection.status().connected()).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(world.queue_depth("q").await, None);
    declare_and_publish(&world).await;
}

#[tokio::test]
async fn connections_of_one_world_can_be_closed() {
    let (world, other) = tokio::join!(World::start(), World::start());
    let connection = declare_and_publish(&world).await;
    let untouched = declare_and_publish(&other).await;
    poll::until("the connection is known", PATIENCE, async || {
        let known = world.management().connections(&world.vhost).await?;
        Ok((!known.is_empty()).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(world.close_connections().await, 1);
    poll::until("the client notices", PATIENCE, async || {
        Ok((!connection.status().connected()).then_some(()))
    })
    .await
    .unwrap();
    assert!(untouched.status().connected());
}

#[tokio::test]
async fn one_shard_can_be_down() {
    let world = World::start().await;
    let (one, two) = (&world.shards[0].1, &world.shards[1].1);
    let mut open = PgConnection::connect(one).await.unwrap();
    world.shard_down("s1").await;
    assert!(sqlx::query("select 1").execute(&mut open).await.is_err());
    assert!(PgConnection::connect(one).await.is_err());
    assert!(PgConnection::connect(two).await.is_ok());
    world.shard_up("s1").await;
    let mut back = PgConnection::connect(one).await.unwrap();
    world.disconnect("s1").await;
    assert!(sqlx::query("select 1").execute(&mut back).await.is_err());
    assert!(PgConnection::connect(one).await.is_ok());
}
