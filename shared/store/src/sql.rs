//! The statements: each stands in a file of its own below `sql/`, in a folder named like the one of the source file
//! that uses it.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

/// A statement with the parameters that are bound to it so far.
pub(crate) type Statement = Query<'static, Postgres, PgArguments>;

/// The statement in `sql/<name>.sql`, without parameters so far. Each file begins so, where `shard` may be `catalog`,
/// or `both`:
///
/// ```sql
/// -- shard: work/claims_lost
/// -- What the statement does.
/// --
/// -- $1 buckets, smallint[]: what it means, unless its name says it
/// ```
///
/// A comment stands above each `with` query. `tests/it/statements.rs` prepares every file against the schema that it
/// names, and compares its parameters and their types with the comment. A number is a parameter that is bound from a
/// named constant, unless PostgreSQL has to know it when it plans the statement; then a test compares it with the
/// constant. A rule that two statements share is a view or a function of a migration.
macro_rules! sql {
    ($name:literal) => {
        sqlx::query::<sqlx::Postgres>(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/sql/",
            $name,
            ".sql"
        )))
    };
}
pub(crate) use sql;
