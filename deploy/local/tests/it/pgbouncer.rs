//! PgBouncer in front of a world.

use docket_testing::{PgBouncer, World};
use sqlx::{Connection as _, PgConnection};

#[tokio::test]
async fn pgbouncer_reaches_every_database_of_a_world() {
    let world = World::start().await;
    let pooler = PgBouncer::start(&world).await;
    assert_eq!(pooler.shards.len(), world.shards.len());
    assert_ne!(pooler.catalog_url, world.catalog_url);
    for url in pooler.shards.iter().map(|(_, url)| url).chain([&pooler.catalog_url]) {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let mut transaction = connection.begin().await.unwrap();
        let query = sqlx::query_scalar("select current_database()::text").persistent(false);
        let database: String = query.fetch_one(&mut *transaction).await.unwrap();
        assert!(url.ends_with(&database) && database.starts_with("w_"), "{database}");
    }
    let env = pooler.env(&world);
    assert_eq!(env["DOCKET_PG_POOLER"], "true");
    assert!(env["DOCKET_SHARD_URLS"].starts_with("s1=postgres://"));
}
