//! No connection goes back to its pool with an open transaction.

use std::time::Duration;

use docket_shared::store::Database;
use futures::poll;
use sqlx::PgConnection;

use crate::fixture::{Fixture, direct_and_pooled};

direct_and_pooled!(a_transaction_whose_caller_went_away_does_not_stay_open);

/// Far longer than a rollback takes, and less than the 30 s after which the server ends an idle transaction.
const ENDED_WITHIN: Duration = Duration::from_secs(15);
/// Callers that go away, one after the other.
const TIMES: usize = 5;

/// Lets a transaction begin, and goes away before it has.
async fn give_up(database: &Database) {
    let mut begin = Box::pin(database.begin());
    assert!(poll!(begin.as_mut()).is_pending());
}

async fn a_transaction_whose_caller_went_away_does_not_stay_open(fixture: Fixture) {
    let (name, url) = &fixture.config.shards[0];
    let database = Database::open(name, url, &fixture.config).unwrap();
    let mut onlooker = fixture.raw_shard(name).await;
    // With a connection in the pool it is BEGIN that is on its way when the caller goes. It is there once it was given back.
    database.begin().await.unwrap().commit().await.unwrap();
    for _ in 0..TIMES {
        give_up(&database).await;
        let ended = tokio::time::timeout(ENDED_WITHIN, until_none_is_open(&mut onlooker)).await;
        assert!(ended.is_ok(), "a transaction is open after {ENDED_WITHIN:?}");
    }
}

async fn until_none_is_open(onlooker: &mut PgConnection) {
    while open_transactions(onlooker).await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn open_transactions(onlooker: &mut PgConnection) -> i64 {
    let query = sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
    );
    query.fetch_one(onlooker).await.unwrap()
}
