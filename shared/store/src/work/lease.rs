//! Who acts for a shard: at most one dispatcher at a time, for as long as it renews its lease.

use std::time::Duration;

use uuid::Uuid;

use crate::rows::seconds;
use crate::sql::sql;
use crate::{Database, StoreError};

/// How long a lease holds without being renewed. When a dispatcher dies, another one follows it after this time.
pub const LEASE: Duration = Duration::from_secs(10);

/// A time without a holder that is longer than this is a gap: everything was stopped, or the shard was restored. It is
/// six times what another dispatcher takes to follow one that died.
const GAP_MIN: Duration = Duration::from_secs(60);

/// Takes or renews a lease, and returns whether `holder` has it now. Where nobody had the lease for long before, that
/// time is stored as a gap in the same transaction: nothing is swept before the gap is known.
pub async fn acquire(shard: &Database, name: &str, holder: Uuid) -> Result<bool, StoreError> {
    let query = sql!("work/lease_acquire")
        .bind(name)
        .bind(holder)
        .bind(seconds(LEASE))
        .bind(seconds(GAP_MIN));
    let mut tx = shard.begin().await?;
    let taken = tx.execute(query).await? == 1;
    tx.commit().await?;
    Ok(taken)
}

/// Gives a lease up, so that another process can take over at once. The time when the lease ended stays known.
pub async fn release(shard: &Database, name: &str, holder: Uuid) -> Result<(), StoreError> {
    let mut tx = shard.begin().await?;
    tx.execute(sql!("work/lease_release").bind(name).bind(holder)).await?;
    tx.commit().await
}
