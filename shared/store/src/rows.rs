//! What columns hold, and what parameters are bound to.

use std::time::Duration;

use jiff::Timestamp as Instant;
use sqlx::Row;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgRow;

/// A time as sqlx binds and decodes it.
pub(crate) type Timestamp = jiff_sqlx::Timestamp;

/// A duration as `make_interval(secs => ...)` takes it.
pub(crate) fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

/// The time in a column.
pub(crate) fn instant(row: &PgRow, column: &str) -> sqlx::Result<Option<Instant>> {
    Ok(row.try_get::<Option<Timestamp>, _>(column)?.map(Timestamp::to_jiff))
}

/// The error for a column that holds what this release does not know.
pub(crate) fn undecodable(why: impl Into<BoxDynError>) -> sqlx::Error {
    sqlx::Error::Decode(why.into())
}

/// One column of rows, as `unnest` takes it.
pub(crate) fn column<'a, Row, T>(rows: &'a [Row], value: impl Fn(&'a Row) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
