//! The things that a document names, as its callers read them.

use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};

use crate::read::documents::ENTITIES_WALK_MAX;
use crate::sql::sql;
use crate::{FencedTx, StoreError};
use docket_contract::ids::JobKey;
use docket_contract::thing::{Kind, Thing};

/// A page of the things that a job found, in the order of their first mentions, each with the ordinal of that mention. It follows
/// the primary key over at most [`ENTITIES_WALK_MAX`] entities of the job.
pub async fn things(
    tx: &mut FencedTx,
    key: JobKey,
    kind: Option<Kind>,
    after: i32,
    limit: i64,
) -> Result<Vec<(i32, Thing)>, StoreError> {
    let query = sql!("read/things_list")
        .bind(key.bucket.number())
        .bind(key.job.0)
        .bind(after)
        .bind(after.saturating_add(ENTITIES_WALK_MAX))
        .bind(kind.map(Kind::as_str))
        .bind(limit);
    let rows: Vec<Found> = tx.all(query).await?;
    Ok(rows.into_iter().map(|Found(ordinal, thing)| (ordinal, thing)).collect())
}

/// A thing with the ordinal of its first mention.
struct Found(i32, Thing);

impl FromRow<'_, PgRow> for Found {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let Json(thing) = row.try_get("thing")?;
        Ok(Self(row.try_get("ordinal")?, thing))
    }
}
