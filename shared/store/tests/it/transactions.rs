//! No connection goes back to its pool with an open transaction.

use std::time::Duration;

use docket_store::{Database, StoreConfig};
use futures::poll;
use sqlx::PgConnection;

use crate::fixture::{Fixture, direct_and_pooled};

direct_and_pooled!(a_transaction_whose_caller_went_away_is_rolled_back);

/// Far longer than a rollback takes. No server ends a transaction in which nothing was said yet: it stays until its connection
/// is used again.
const ROLLED_BACK_WITHIN: Duration = Duration::from_secs(15);

/// Lets a transaction begin, and goes away before it has.
async fn give_up(database: &Database) {
    let mut begin = Box::pin(database.begin());
    assert!(poll!(begin.as_mut()).is_pending());
}

async fn a_transaction_whose_caller_went_away_is_rolled_back(fixture: Fixture) {
    let (name, url) = &fixture.config.shards[0];
    let config = StoreConfig {
        connections_max: 1,
        ..fixture.config.clone()
    };
    let database = Database::open(name, url, &config).unwrap();
    database.begin().await.unwrap().commit().await.unwrap();
    let mut onlooker = fixture.raw_shard(name).await;
    // Until the one connection is back in the pool it is that which is waited for, and not BEGIN.
    let rolled_back = async {
        while !is_rolled_back(&mut onlooker).await {
            give_up(&database).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let rolled_back = tokio::time::timeout(ROLLED_BACK_WITHIN, rolled_back).await;
    assert!(rolled_back.is_ok(), "no rollback after {ROLLED_BACK_WITHIN:?}");
}

/// Whether the last word of a connection that idles was to roll back.
async fn is_rolled_back(onlooker: &mut PgConnection) -> bool {
    let query = sqlx::query_scalar(
        "select exists (select from pg_stat_activity
         where datname = current_database() and state = 'idle' and query = 'ROLLBACK')",
    );
    query.fetch_one(onlooker).await.unwrap()
}
