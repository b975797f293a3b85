//! Who acts for a shard: at most one dispatcher at a time, for as long as it renews its lease.

use std::time::Duration;

use uuid::Uuid;

use super::{Database, StoreError, seconds};

/// How long a lease holds without being renewed: a dead dispatcher is followed by another after this time.
pub const LEASE: Duration = Duration::from_secs(10);

/// Without anybody for longer than this, everything was stopped, or the shard was restored: six times what it takes another
/// dispatcher to follow one that died.
const GAP_MIN: Duration = Duration::from_secs(60);

/// Takes or renews a lease; whether `holder` has it now. Where nobody had it for long before, that is noted as a gap, in the
/// same transaction: nothing is swept before it is.
pub async fn acquire(shard: &Database, name: &str, holder: Uuid) -> Result<bool, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query(
        "with before as (select until from leases where name = $1),
         noted as (insert into gaps (began, ended) select until, now() from before
                   where until < now() - make_interval(secs => $4) on conflict do nothing)
         insert into leases (name, holder, until) values ($1, $2, now() + make_interval(secs => $3))
         on conflict (name) do update set holder = excluded.holder, until = excluded.until
         where leases.holder = excluded.holder or leases.until <= now()",
    );
    let query = query.bind(name.to_owned()).bind(holder).bind(seconds(LEASE));
    let query = query.bind(seconds(GAP_MIN));
    let taken = query
        .execute(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?
        .rows_affected()
        == 1;
    tx.commit().await?;
    Ok(taken)
}

/// Gives a lease up, so that another process takes over at once. When it ended stays known.
pub async fn release(shard: &Database, name: &str, holder: Uuid) -> Result<(), StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx
        .query("update leases set until = now() where name = $1 and holder = $2")
        .bind(name.to_owned())
        .bind(holder);
    query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    tx.commit().await
}
