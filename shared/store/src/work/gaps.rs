//! Gaps: times in which no dispatcher acted for a shard. The first dispatcher that acts again stores the gap
//! (`lease.rs`).
//!
//! A shard that was restored to an earlier point has lost what happened since, and cannot tell that from an outage. So
//! an object that was stored in a gap and has no row may be a document that was accepted. And a claim that was silent
//! in a gap may have tried to say that it is alive (`sweep.rs`).

use std::time::Duration;

use jiff::Timestamp;
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use crate::rows::{Timestamp as Bound, instant};
use crate::sql::sql;
use crate::{Database, StoreError, Tx};

/// How long before a gap an object may have been stored whose row was to be committed in the gap: longer than any
/// upload takes.
const BEFORE: Duration = Duration::from_secs(3_600);
/// How far the clocks of the object store and of the shard may differ.
const AFTER: Duration = Duration::from_secs(600);

/// A time in which no dispatcher acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// When the last lease ended.
    pub began: Timestamp,
    /// When the next one began.
    pub ended: Timestamp,
}

impl FromRow<'_, PgRow> for Gap {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            began: instant(row, "began")?.unwrap_or(Timestamp::MIN),
            ended: instant(row, "ended")?.unwrap_or(Timestamp::MAX),
        })
    }
}

impl Gap {
    /// Whether an object that was stored at a time, in seconds of the Unix epoch, may be a document that the shard has
    /// forgotten.
    pub fn covers(&self, stored_at: i64) -> bool {
        let from = self.began.as_second().saturating_sub_unsigned(BEFORE.as_secs());
        let until = self.ended.as_second().saturating_add_unsigned(AFTER.as_secs());
        (from..=until).contains(&stored_at)
    }
}

/// The gaps that no operator has settled, the oldest first.
pub async fn open(tx: &mut Tx) -> Result<Vec<Gap>, StoreError> {
    tx.all(sql!("work/gaps_open")).await
}

/// Settles the gaps that ended before a time, and returns how many there were.
pub async fn settle(shard: &Database, before: Timestamp) -> Result<u64, StoreError> {
    let mut tx = shard.begin().await?;
    let settled = tx.execute(sql!("work/gaps_settle").bind(Bound::from(before))).await?;
    tx.commit().await?;
    Ok(settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_covers_what_was_stored_in_it_and_just_before() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let gap = Gap {
            began: at(10_000),
            ended: at(20_000),
        };
        let covered: Vec<i64> = [6_399, 6_400, 15_000, 20_600, 20_601]
            .into_iter()
            .filter(|second| gap.covers(*second))
            .collect();
        assert_eq!(covered, [6_400, 15_000, 20_600]);
    }
}
