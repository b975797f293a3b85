//! What can go wrong with a database, and what may be tried again.

use std::io::{self, ErrorKind};
use std::time::Duration;

use docket_contract::ids::Bucket;

/// Longest transaction as its caller sees it, from beginning to end. The server itself ends a statement, and an idle
/// transaction, after 30 s once the transaction has passed the fence; this limit is for other transactions, and for a
/// server that does not answer.
pub const TRANSACTION_MAX: Duration = Duration::from_secs(35);

/// What can go wrong with a database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is full, or gave up. The same statement may succeed later.
    #[error("{database} does not answer")]
    Unavailable {
        /// Name of the shard, or `catalog`.
        database: String,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// The database does not answer at all, as a server behind a cut network.
    #[error("the database did not answer within {TRANSACTION_MAX:?}")]
    TimedOut,
    /// The database refuses the statement: a mistake of ours, or a schema of another release.
    #[error("{database} refuses a statement")]
    Refused {
        /// Name of the shard, or `catalog`.
        database: String,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// The bucket is being handed to another shard right now.
    #[error("bucket {0:?} is moving to another shard")]
    Moving(Bucket),
    /// The shard that owns the bucket by the newest map is not configured in this process.
    #[error("bucket {bucket:?} belongs to shard {owner}, which this process does not know")]
    UnknownShard {
        /// The bucket.
        bucket: Bucket,
        /// Its owner.
        owner: String,
    },
    /// Every shard refuses the bucket, for longer than a switch of owners takes.
    #[error("shard {shard} refuses bucket {bucket:?}, and so does every other one")]
    Homeless {
        /// The bucket.
        bucket: Bucket,
        /// The shard that refused it last.
        shard: String,
    },
}

impl StoreError {
    /// PostgreSQL's code of the error; appendix A of its manual has the list.
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Unavailable { source, .. } | Self::Refused { source, .. } => {
                Some(source.as_database_error()?.code()?.into_owned())
            }
            Self::TimedOut | Self::Moving(_) | Self::UnknownShard { .. } | Self::Homeless { .. } => None,
        }
    }

    /// Whether the database answers but has more to do than it can, so that less should be asked of it. Asking less
    /// does not help a database that is away, and would slow down those who need another database.
    pub fn is_overload(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Unavailable { source, .. } => is_overload(source),
            Self::Refused { .. } | Self::Moving(_) | Self::UnknownShard { .. } | Self::Homeless { .. } => false,
        }
    }

    /// Whether a statement or the whole transaction took too long. Code 57014: the server ended the statement.
    pub fn is_out_of_time(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Unavailable { .. } | Self::Refused { .. } => self.sqlstate().as_deref() == Some("57014"),
            Self::Moving(_) | Self::UnknownShard { .. } | Self::Homeless { .. } => false,
        }
    }

    pub(crate) fn of(database: &str, source: sqlx::Error) -> Self {
        let database = database.to_owned();
        if is_passing(&source) {
            Self::Unavailable { database, source }
        } else {
            Self::Refused { database, source }
        }
    }
}

/// The error for callers of a database that is known to be away, who are told at once.
pub(crate) fn away() -> sqlx::Error {
    io::Error::new(ErrorKind::NotConnected, "there is no connection to it").into()
}

pub(crate) fn is_lost_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::BeginFailed => true,
        // 57P01 to 57P03: the server stops, crashed, or starts.
        sqlx::Error::Database(database) => database.code().is_some_and(|code| code.starts_with("57P0")),
        _ => false,
    }
}

/// Whether the database answers but gives up: all connections of the pool are in use, its resources are used up (class
/// 53), or it ended a statement that took too long (57014).
fn is_overload(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(database) => database
            .code()
            .is_some_and(|code| code.starts_with("53") || code == "57014"),
        _ => false,
    }
}

/// Whether the same statement may succeed later. The codes stand in appendix A of the PostgreSQL manual.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default().into_owned();
            // Classes: 08 connection lost, 53 resources, 57 shutting down or cancelled, 40 serialisation and deadlock,
            // 28 and 3D authentication and absent database (a shard under repair). Codes: 25006 read-only (a standby
            // that is not promoted yet), 55P03 lock not available, 55000 not in the right state.
            ["08", "53", "57", "40", "28", "3D"]
                .iter()
                .any(|class| code.starts_with(class))
                || ["25006", "55P03", "55000"].contains(&code.as_str())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_not_overloaded() {
        let of = |source| StoreError::of("s1", source);
        let lost = || io::Error::from(ErrorKind::ConnectionReset).into();
        for (error, is_overload) in [
            (of(away()), false),
            (of(lost()), false),
            (of(sqlx::Error::PoolTimedOut), true),
            (StoreError::TimedOut, true),
            (of(sqlx::Error::RowNotFound), false),
        ] {
            assert_eq!(error.is_overload(), is_overload, "{error:?}");
        }
    }
}
