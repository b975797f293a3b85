//! Who acts for a shard: at most one dispatcher at a time, for as long as it renews its lease.

use std::time::Duration;

use uuid::Uuid;

use super::{Database, StoreError, seconds};

/// How long a lease holds without being renewed: a dead dispatcher is followed by another after this time.
pub const LEASE: Duration = Duration::from_secs(10);

/// Takes or renews a lease; whether `holder` has it now.
pub async fn acquire(shard: &Database, name: &str, holder: Uuid) -> Result<bool, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query(
        "insert into leases (name, holder, until) values ($1, $2, now() + make_interval(secs => $3))
         on conflict (name) do update set holder = excluded.holder, until = excluded.until
         where leases.holder = excluded.holder or leases.until < now()",
    );
    let query = query.bind(name.to_owned()).bind(holder).bind(seconds(LEASE));
    let taken = query
        .execute(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?
        .rows_affected()
        == 1;
    tx.commit().await?;
    Ok(taken)
}

/// Gives a lease up, so that another process takes over at once.
pub async fn release(shard: &Database, name: &str, holder: Uuid) -> Result<(), StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx
        .query("delete from leases where name = $1 and holder = $2")
        .bind(name.to_owned())
        .bind(holder);
    query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    tx.commit().await
}
