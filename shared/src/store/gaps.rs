//! Times in which no dispatcher acted for a shard, noted by the first one that acts again (`lease.rs`). A shard that was
//! restored to an earlier point knows of nothing since, and cannot tell it from an outage: objects that were stored in a gap
//! and have no row may be documents that were accepted. And where nobody heard the shard, nobody was silent (`sweep.rs`).

use std::time::Duration;

use jiff::Timestamp;
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use super::jobs::instant;
use super::{Database, StoreError, Tx};

/// An object is stored before its row is committed: by as much as an upload may take, and then some.
const BEFORE: Duration = Duration::from_secs(3_600);
/// How far the clocks of the store and of the shard may differ.
const AFTER: Duration = Duration::from_secs(600);

/// One such time.
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
    /// Whether an object that was stored then, in seconds of the Unix epoch, may be a document that the shard has forgotten.
    pub fn covers(&self, stored_at: i64) -> bool {
        let from = self.began.as_second().saturating_sub_unsigned(BEFORE.as_secs());
        let until = self.ended.as_second().saturating_add_unsigned(AFTER.as_secs());
        (from..=until).contains(&stored_at)
    }
}

/// The gaps that are not settled, the oldest first.
pub async fn open(tx: &mut Tx) -> Result<Vec<Gap>, StoreError> {
    let query = tx.query_as("select began, ended from gaps order by began");
    query.fetch_all(tx.connection()).await.map_err(|error| tx.failed(error))
}

/// Settles the gaps that ended before a time; how many there were.
pub async fn settle(shard: &Database, before: Timestamp) -> Result<u64, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query("delete from gaps where ended < $1");
    let query = query.bind(jiff_sqlx::Timestamp::from(before));
    let settled = query.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    tx.commit().await?;
    Ok(settled.rows_affected())
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
