//! Postgres: the shards hold the truth, the catalog the map. One file a table or a question; transactions are passed in.
//!
//! Every statement runs inside an explicit transaction and is not persistent when a pooler is in front, so that
//! PgBouncer in transaction mode may be.

pub mod audit;
pub mod backlog;
mod circuit;
pub mod claims;
pub mod controls;
pub mod dead;
pub mod dispatch;
pub mod documents;
pub mod fence;
pub mod gaps;
pub mod grants;
pub mod history;
pub mod idempotency;
pub mod inspect;
pub mod jobs;
pub mod lease;
pub mod migrate;
mod owners;
pub mod parked;
pub mod reading;
pub mod reports;
pub mod results;
pub mod shard_map;
pub mod standing;
pub mod sweep;

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::{Postgres, Transaction};

use crate::config::{ConfigError, Env, Setting};
use crate::ids::{Bucket, ShardName};
use crate::metrics::{self, Meter, Timed};
use crate::tls::Roots;
use circuit::Circuit;

pub use fence::{FencedTx, Shards};

/// The catalog.
pub const CATALOG_URL: Setting = Setting::required("DOCKET_CATALOG_URL", "`postgres://` URL of the catalog database");
/// The shards.
pub const SHARD_URLS: Setting = Setting::required(
    "DOCKET_SHARD_URLS",
    "the shards' databases: `name=postgres://...`, separated by commas",
);
/// Pooler.
pub const POOLER: Setting = Setting::with_default(
    "DOCKET_PG_POOLER",
    "false",
    "`true` when a transaction pooler (PgBouncer) is in front of the databases",
);
/// Pool size.
pub const CONNECTIONS_MAX: Setting = Setting::with_default(
    "DOCKET_PG_CONNECTIONS_MAX",
    "8",
    "connections of this process to one database",
);

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[&CATALOG_URL, &SHARD_URLS, &POOLER, &CONNECTIONS_MAX];

/// How long a caller waits for a connection before its shard counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest transaction, from its first to its last word, as its caller sees it. Once it has passed the fence the server ends its
/// statements, and it itself when it idles, after 30 s; this is for the others, and for a server that cannot.
pub const TRANSACTION_MAX: Duration = Duration::from_secs(35);
/// Pause before a database that is away is asked again.
const AWAY_PAUSE: Duration = Duration::from_secs(1);
/// Prepared statements kept a connection: more than there are statements in the code.
const STATEMENTS_MAX: usize = 128;

/// Where the databases are.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// URL of the catalog.
    pub catalog_url: String,
    /// Name and URL of each shard.
    pub shards: Vec<(String, String)>,
    /// Whether a transaction pooler is in front.
    pub pooler: bool,
    /// Connections of this process to one database.
    pub connections_max: u32,
    /// Trusted beside the public ones, as far as the URLs' `sslmode` asks for trust.
    pub roots: Option<Roots>,
}

impl StoreConfig {
    /// Reads and checks the settings of this file.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let urls: String = env.get(&SHARD_URLS)?;
        let shards = urls
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, url) = pair
                    .split_once('=')
                    .ok_or_else(|| SHARD_URLS.invalid("each entry is name=url"))?;
                name.parse::<ShardName>().map_err(|error| SHARD_URLS.invalid(error))?;
                parse_url(url)
                    .map_err(|_| SHARD_URLS.invalid(format!("the URL of {name} is not a postgres:// URL")))?;
                Ok((name.to_owned(), url.to_owned()))
            });
        let shards = shards.collect::<Result<Vec<_>, ConfigError>>()?;
        let names: std::collections::HashSet<_> = shards.iter().map(|(name, _)| name).collect();
        if shards.is_empty() || names.len() < shards.len() {
            return Err(SHARD_URLS.invalid("it must name at least one shard, and each only once"));
        }
        let catalog_url: String = env.get(&CATALOG_URL)?;
        parse_url(&catalog_url).map_err(|_| CATALOG_URL.invalid("it is not a postgres:// URL"))?;
        let connections_max = env.within(&CONNECTIONS_MAX, 2..=1000)?;
        Ok(Self {
            catalog_url,
            shards,
            pooler: env.get(&POOLER)?,
            connections_max,
            roots: Roots::from_env(env)?,
        })
    }

    /// How to connect to the database of this URL. What it does not say of certificates holds as in libpq: with roots of
    /// one's own, `sslmode=require` verifies too, all but the host's name.
    fn options(&self, url: &str) -> Result<PgConnectOptions, sqlx::Error> {
        let options = parse_url(url)?;
        let Some(roots) = &self.roots else { return Ok(options) };
        let options = options.ssl_root_cert_from_pem(roots.pem().into());
        Ok(match options.get_ssl_mode() {
            PgSslMode::Require => options.ssl_mode(PgSslMode::VerifyCa),
            _ => options,
        })
    }
}

fn parse_url(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    url.parse::<PgConnectOptions>()
}

/// What can go wrong with a database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is full, or gave up: later it may do it.
    #[error("{database} does not answer")]
    Unavailable {
        /// Name of the shard, or `catalog`.
        database: String,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// It says nothing at all, as a server behind a cut network does.
    #[error("the database did not answer within {TRANSACTION_MAX:?}")]
    TimedOut,
    /// It refuses the statement: a bug of ours, or a schema that is not ours.
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
    /// No shard that is configured here owns the bucket, even by the newest map.
    #[error("bucket {bucket:?} belongs to shard {owner}, which this process does not know")]
    UnknownShard {
        /// The bucket.
        bucket: Bucket,
        /// Its owner.
        owner: String,
    },
    /// The shards contradict the map for longer than a switch takes.
    #[error("shard {shard} refuses bucket {bucket:?}, and so does every other one")]
    Homeless {
        /// The bucket.
        bucket: Bucket,
        /// Who refused it last.
        shard: String,
    },
}

impl StoreError {
    /// What PostgreSQL calls the error, as in appendix A of its manual.
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Unavailable { source, .. } | Self::Refused { source, .. } => {
                Some(source.as_database_error()?.code()?.into_owned())
            }
            Self::TimedOut | Self::Moving(_) | Self::UnknownShard { .. } | Self::Homeless { .. } => None,
        }
    }

    /// Whether the database is there and has more to do than it can, so that less should be asked of it. One that is away is
    /// not relieved by that, and those who need another one would wait for nothing.
    pub fn is_overload(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Unavailable { source, .. } => is_overload(source),
            Self::Refused { .. } | Self::Moving(_) | Self::UnknownShard { .. } | Self::Homeless { .. } => false,
        }
    }

    /// Whether the time of a statement or of the whole transaction was up. (57014: the server ended the statement.)
    pub fn is_out_of_time(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Unavailable { .. } | Self::Refused { .. } => self.sqlstate().as_deref() == Some("57014"),
            Self::Moving(_) | Self::UnknownShard { .. } | Self::Homeless { .. } => false,
        }
    }

    fn of(database: &str, source: sqlx::Error) -> Self {
        let database = database.to_owned();
        if is_passing(&source) {
            Self::Unavailable { database, source }
        } else {
            Self::Refused { database, source }
        }
    }
}

fn is_lost_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::BeginFailed => true,
        // 57P01 to 57P03: the server stops, crashed, or starts.
        sqlx::Error::Database(database) => database.code().is_some_and(|code| code.starts_with("57P0")),
        _ => false,
    }
}

/// What is said of a database that is away to those who need not wait for its silence.
fn away() -> sqlx::Error {
    io::Error::new(ErrorKind::NotConnected, "there is no connection to it").into()
}

/// Whether the database is there and gives up: all connections are in use, its resources are used up (53), or it ended a
/// statement that took too long (57014).
fn is_overload(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(database) => database
            .code()
            .is_some_and(|code| code.starts_with("53") || code == "57014"),
        _ => false,
    }
}

/// Whether the same statement may succeed later. Codes: PostgreSQL manual, appendix A.
fn is_passing(error: &sqlx::Error) -> bool {
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
            // Connection lost; resources; shutting down or cancelled; serialisation and deadlock; authentication and
            // absent database (a shard under repair); read-only (a standby not yet promoted); lock not available.
            ["08", "53", "57", "40", "28", "3D"]
                .iter()
                .any(|class| code.starts_with(class))
                || ["25006", "55P03", "55000"].contains(&code.as_str())
        }
        _ => false,
    }
}

/// One database: its name for errors, its pool, and how statements are sent.
#[derive(Debug, Clone)]
pub struct Database {
    name: String,
    pool: PgPool,
    persistent: bool,
    circuit: Arc<Circuit>,
    meter: Arc<Meter>,
}

impl Database {
    /// Prepares a pool; nothing is connected yet.
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

    /// The same database with connections of its own, for what must not wait until others have ended their transactions.
    pub fn beside(&self, connections_max: u32) -> Self {
        let options = PgConnectOptions::clone(&self.pool.connect_options());
        Self {
            pool: pool_of(connections_max, options),
            circuit: Arc::default(),
            ..self.clone()
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Begins a transaction; what is not committed is rolled back.
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
                // With connections in the pool it is busy or slow; without any it is away.
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

    /// Whether the database is away was found out.
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

    /// After a restart of the server every pooled connection is dead, and each says so only when it is used.
    async fn begin_alive(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        let mut dead = self.pool.size();
        loop {
            match begin(&self.pool).await {
                Err(error) if is_lost_connection(&error) && dead > 0 => dead -= 1,
                begun => return begun,
            }
        }
    }

    /// Notes how many connections there are.
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

/// Begins a transaction, and sees that through if its caller goes away: sqlx 0.9 rolls back only what it knows to have begun, and
/// would give the connection back to the pool with an open transaction. It takes as long as the server; the pool bounds how many.
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
    pub(crate) fn query(&self, sql: &'static str) -> Query<'static, Postgres, PgArguments> {
        sqlx::query(sql).persistent(self.database.persistent)
    }

    pub(crate) fn query_as<T>(&self, sql: &'static str) -> QueryAs<'static, Postgres, T, PgArguments>
    where
        T: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
    {
        sqlx::query_as(sql).persistent(self.database.persistent)
    }

    pub(crate) fn query_scalar<T>(&self, sql: &'static str) -> QueryScalar<'static, Postgres, T, PgArguments>
    where
        (T,): for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
    {
        sqlx::query_scalar(sql).persistent(self.database.persistent)
    }

    pub(crate) fn connection(&mut self) -> &mut sqlx::PgConnection {
        &mut self.tx
    }

    pub(crate) fn failed(&self, source: sqlx::Error) -> StoreError {
        self.database.failed(source)
    }

    /// Makes the transaction's writes durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        let committed = self.tx.commit().await;
        drop(self.timed);
        committed.map_err(|error| self.database.failed(error))
    }

    /// Ends the transaction without its writes, and its locks with it, before this returns. (A dropped one ends too, but
    /// somewhat later.)
    pub async fn roll_back(self) -> Result<(), StoreError> {
        let ended = self.tx.rollback().await;
        drop(self.timed);
        ended.map_err(|error| self.database.failed(error))
    }
}

/// A whole transaction, under a deadline. One that is cut off may have been committed all the same: what is written under a
/// claim, a lease or a key can be tried again.
pub async fn within<T>(transaction: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(TRANSACTION_MAX, transaction)
        .await
        .unwrap_or(Err(StoreError::TimedOut))
}

/// `column = now()` and the like come back as this.
pub(crate) type Timestamp = jiff_sqlx::Timestamp;

pub(crate) fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
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
