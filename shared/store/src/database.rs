//! One database: its pool, and transactions on it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_process::metrics::{self, Meter, Timed};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{FromRow, Postgres, Transaction};

use crate::circuit::Circuit;
use crate::error::{StoreError, TRANSACTION_MAX, away, is_lost_connection, is_passing};
use crate::settings::StoreConfig;
use crate::sql::Statement;

/// How long a caller waits for a connection before the database counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause before a database that is away is asked again.
const AWAY_PAUSE: Duration = Duration::from_secs(1);
/// Prepared statements that a connection keeps: more than there are statements in `sql/`.
const STATEMENTS_MAX: usize = 128;

/// One database: its name for errors, its pool, and how statements are sent.
#[derive(Debug, Clone)]
pub struct Database {
    name: String,
    pub(crate) pool: PgPool,
    persistent: bool,
    circuit: Arc<Circuit>,
    meter: Arc<Meter>,
}

impl Database {
    /// Makes the pool. It connects when the first transaction begins.
    pub fn open(name: &str, url: &str, config: &StoreConfig) -> Result<Self, StoreError> {
        let options = config.options(url).map_err(|error| StoreError::of(name, error))?;
        let options = options
            .application_name("docket")
            .statement_cache_capacity(STATEMENTS_MAX);
        Ok(Self {
            name: name.to_owned(),
            pool: pool_of(config.connections_max, options),
            persistent: !config.pooler,
            circuit: Arc::default(),
            meter: Arc::new(Meter::of(name, config.connections_max)),
        })
    }

    /// The same database with a pool of its own, for callers that must not wait for the transactions of others.
    pub fn beside(&self, connections_max: u32) -> Self {
        let options = PgConnectOptions::clone(&self.pool.connect_options());
        Self {
            pool: pool_of(connections_max, options),
            circuit: Arc::default(),
            ..self.clone()
        }
    }

    /// Name of the shard, or `catalog`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Begins a transaction. It is rolled back unless it is committed.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let mut begun = Err(away());
        if self.circuit.admits(Instant::now(), ACQUIRE_TIMEOUT) {
            let _waiting = self.meter.waiting();
            let begin = tokio::time::timeout(ACQUIRE_TIMEOUT, self.begin_alive());
            begun = match begin.await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
                Ok(tx) => {
                    self.found(false);
                    Ok(tx)
                }
                // A database to which the pool has connections is busy or slow. One without any is away.
                Err(error) if self.pool.size() == 0 => {
                    self.found(true);
                    Err(match error {
                        sqlx::Error::PoolTimedOut => away(),
                        told => told,
                    })
                }
                busy => busy,
            };
        }
        Ok(Tx {
            tx: begun.map_err(|error| self.failed(error))?,
            timed: self.meter.transaction(),
            database: self.clone(),
        })
    }

    /// Remembers whether the database was found to be away.
    fn found(&self, away: bool) {
        if away {
            self.circuit.open(Instant::now(), AWAY_PAUSE);
        } else {
            self.circuit.close();
        }
        self.meter.away(away);
    }

    fn failed(&self, source: sqlx::Error) -> StoreError {
        self.meter.failed(is_passing(&source));
        StoreError::of(&self.name, source)
    }

    /// Begins a transaction on a connection that is alive. After a restart of the server every pooled connection is
    /// dead, and each is found to be so only when it is used.
    async fn begin_alive(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        let mut dead = self.pool.size();
        loop {
            match begin(&self.pool).await {
                Err(error) if is_lost_connection(&error) && dead > 0 => dead -= 1,
                begun => return begun,
            }
        }
    }

    /// Tells the metrics how many connections there are.
    pub fn sample(&self) {
        metrics::connections(&self.name, self.pool.size(), self.pool.num_idle());
    }
}

fn pool_of(connections_max: u32, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .connect_lazy_with(options)
}

/// Begins a transaction in a task of its own, which goes on when the caller goes away. Otherwise sqlx 0.9, which rolls
/// back only what it knows to have begun, would give a connection with an open transaction back to the pool. The pool
/// bounds the number of these tasks.
async fn begin(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let connection = pool.acquire().await?;
    let begun = tokio::spawn(Transaction::begin(connection, None)).await;
    begun.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

/// An open transaction.
pub struct Tx {
    tx: Transaction<'static, Postgres>,
    database: Database,
    timed: Timed,
}

impl Tx {
    /// Runs a statement, and returns the number of rows that it changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        let done = self.sent(statement).execute(&mut *self.tx).await;
        done.map(|done| done.rows_affected())
            .map_err(|error| self.failed(error))
    }

    /// Runs a statement, and returns all rows.
    pub(crate) async fn all<T>(&mut self, statement: Statement) -> Result<Vec<T>, StoreError>
    where
        T: for<'r> FromRow<'r, PgRow>,
    {
        let rows = self.sent(statement).fetch_all(&mut *self.tx).await;
        let decoded = rows.and_then(|rows| rows.iter().map(T::from_row).collect());
        decoded.map_err(|error| self.failed(error))
    }

    /// Runs a statement that returns at most one row.
    pub(crate) async fn optional<T>(&mut self, statement: Statement) -> Result<Option<T>, StoreError>
    where
        T: for<'r> FromRow<'r, PgRow>,
    {
        let row = self.sent(statement).fetch_optional(&mut *self.tx).await;
        let decoded = row.and_then(|row| row.as_ref().map(T::from_row).transpose());
        decoded.map_err(|error| self.failed(error))
    }

    /// Runs a statement that returns one row. No row is an error.
    pub(crate) async fn one<T>(&mut self, statement: Statement) -> Result<T, StoreError>
    where
        T: for<'r> FromRow<'r, PgRow>,
    {
        let row = self.optional(statement).await?;
        row.ok_or_else(|| self.failed(sqlx::Error::RowNotFound))
    }

    /// Runs a statement, and returns the one column of all rows.
    pub(crate) async fn scalars<T>(&mut self, statement: Statement) -> Result<Vec<T>, StoreError>
    where
        (T,): for<'r> FromRow<'r, PgRow>,
    {
        let rows = self.all(statement).await?;
        Ok(rows.into_iter().map(|(value,): (T,)| value).collect())
    }

    /// Runs a statement that returns at most one row, and returns the row's one column.
    pub(crate) async fn optional_scalar<T>(&mut self, statement: Statement) -> Result<Option<T>, StoreError>
    where
        (T,): for<'r> FromRow<'r, PgRow>,
    {
        let row = self.optional(statement).await?;
        Ok(row.map(|(value,): (T,)| value))
    }

    /// Runs a statement that returns one row, and returns the row's one column.
    pub(crate) async fn scalar<T>(&mut self, statement: Statement) -> Result<T, StoreError>
    where
        (T,): for<'r> FromRow<'r, PgRow>,
    {
        let (value,): (T,) = self.one(statement).await?;
        Ok(value)
    }

    /// The statement as it is sent: behind a pooler it must not stay prepared on the connection.
    fn sent(&self, statement: Statement) -> Statement {
        statement.persistent(self.database.persistent)
    }

    /// The error of a statement of this transaction. For a row that the driver decoded and we cannot, too.
    pub(crate) fn failed(&self, source: sqlx::Error) -> StoreError {
        self.database.failed(source)
    }

    /// Makes the transaction's writes durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        let committed = self.tx.commit().await;
        drop(self.timed);
        committed.map_err(|error| self.database.failed(error))
    }

    /// Ends the transaction without its writes. Its locks are free when this returns; those of a transaction that is
    /// dropped are free somewhat later.
    pub async fn roll_back(self) -> Result<(), StoreError> {
        let ended = self.tx.rollback().await;
        drop(self.timed);
        ended.map_err(|error| self.database.failed(error))
    }
}

/// Runs a whole transaction under the deadline [`TRANSACTION_MAX`]. A transaction that is cut off may have been
/// committed all the same: use this for what is written under a claim, a lease or a key, and so can be tried again.
pub async fn within<T>(transaction: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(TRANSACTION_MAX, transaction)
        .await
        .unwrap_or(Err(StoreError::TimedOut))
}
