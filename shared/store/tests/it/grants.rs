//! The services' roles: each may do its work, and no other's.

use std::collections::BTreeSet;

use docket_local::postgres::Login;
use docket_process::settings::Env;
use docket_store::StoreConfig;
use docket_store::operate::inspect;
use docket_store::shards::grants::{self, Service};
use docket_store::shards::migrate;
use docket_store::shards::schema::Schema;
use docket_testing::World;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// What PostgreSQL answers who may not do something.
const NOT_ALLOWED: &str = "42501";

async fn as_login(login: Login, url: &str) -> PgConnection {
    PgConnection::connect(&login.url(url)).await.unwrap()
}

async fn refused(connection: &mut PgConnection, statement: &str) -> bool {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await;
    let code = done
        .err()
        .and_then(|error| Some(error.as_database_error()?.code()?.into_owned()));
    code.as_deref() == Some(NOT_ALLOWED)
}

#[tokio::test]
async fn every_table_says_which_service_may_do_what() {
    let world = World::start().await;
    for (schema, url) in [
        (Schema::Catalog, &world.catalog_url),
        (Schema::Shard, &world.shards[0].1),
    ] {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let there: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'p', 'm')",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let there: BTreeSet<&str> = there.iter().map(String::as_str).collect();
        let told: BTreeSet<&str> = grants::tables(schema).iter().map(|table| table.name).collect();
        assert_eq!(
            there, told,
            "{schema:?}: shared/store/src/shards/grants.rs has a line a table"
        );
    }
}

#[tokio::test]
async fn a_worker_may_not_touch_what_is_not_its_business() {
    let world = World::start().await;
    let mut shard = as_login(Login::Worker, &world.shards[0].1).await;
    for statement in [
        "delete from documents",
        "update documents set client_id = 'another'",
        "delete from jobs",
        "select * from idempotency_keys",
        "select * from entities",
        "delete from entities",
        "update client_controls set weight = 1",
        "insert into paused_models values ('ner-legal')",
        "update leases set until = now()",
        "update bucket_owners set epoch = 1",
        "create table mine (id int)",
        "set role docket_owner",
    ] {
        assert!(refused(&mut shard, statement).await, "{statement}");
    }
    let mut catalog = as_login(Login::Worker, &world.catalog_url).await;
    for statement in [
        "select * from audit",
        "select * from parked_messages",
        "update shard_maps set epoch = 1",
    ] {
        assert!(refused(&mut catalog, statement).await, "{statement}");
    }
}

#[tokio::test]
async fn producers_may_not_delete_documents_or_change_the_map() {
    let world = World::start().await;
    for login in [Login::Api, Login::Dispatch] {
        let mut shard = as_login(login, &world.shards[0].1).await;
        for statement in [
            "delete from documents",
            "delete from jobs",
            "insert into entities select * from entities",
            "update bucket_owners set epoch = 1",
            "create table mine (id int)",
        ] {
            assert!(refused(&mut shard, statement).await, "{login:?}: {statement}");
        }
        let mut catalog = as_login(login, &world.catalog_url).await;
        assert!(refused(&mut catalog, "delete from audit").await, "{login:?}");
        assert!(
            refused(&mut catalog, "insert into shard_maps select * from shard_maps").await,
            "{login:?}"
        );
    }
    let mut shard = as_login(Login::Dispatch, &world.shards[0].1).await;
    assert!(
        refused(&mut shard, "select * from entities").await,
        "only the API reads entities"
    );
    let mut shard = as_login(Login::Api, &world.shards[0].1).await;
    assert!(
        refused(&mut shard, "update leases set until = now()").await,
        "only a dispatcher acts for a shard"
    );
}

#[tokio::test]
async fn a_migration_takes_away_what_a_service_does_not_need_and_is_told_by_the_doctors_question() {
    let world = World::start().await;
    let (name, url) = &world.shards[0];
    let mut owner = as_login(Login::Owner, url).await;
    let wrong = "grant delete on documents to docket_worker; revoke update on jobs from docket_worker";
    sqlx::raw_sql(wrong).execute(&mut owner).await.unwrap();
    let config = StoreConfig::from_env(&Env::from_map(world.env_as(Login::Worker))).unwrap();
    let open = || docket_store::Database::open(name, &Login::Worker.url(url), &config).unwrap();
    assert_eq!(inspect::services(&open()).await.unwrap(), [Service::Worker]);
    let lacking = async || {
        inspect::lacking_of(&open(), Schema::Shard, &[Service::Worker])
            .await
            .unwrap()
    };
    assert_eq!(lacking().await, [("jobs".to_owned(), "update".to_owned())]);

    let owners = StoreConfig::from_env(&Env::from_map(world.env_as(Login::Owner))).unwrap();
    migrate::all(&owners).await.unwrap();
    assert_eq!(lacking().await, []);
    assert!(refused(&mut as_login(Login::Worker, url).await, "delete from documents").await);
}
