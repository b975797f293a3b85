//! What a database says of itself, for `docket-producer doctor`. Only facts are read here; the doctor judges them.
//! Nothing is written.

use std::time::Duration;

use jiff::Timestamp as Now;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, FromRow, Row};

use crate::shards::grants::{self, Service};
use crate::shards::schema::Schema;
use crate::sql::sql;
use crate::{Database, StoreError, Tx};
use docket_contract::ids::Bucket;
use docket_contract::sharding;

/// Transactions on each of two connections that show whether there is a pooler. A pooler that lends its connections by
/// the transaction soon lends both the same connection.
const POOLER_ROUNDS: usize = 4;

/// A server, with its settings as they hold for our role, and the role.
#[derive(Debug, Clone, FromRow)]
pub struct Server {
    /// Version, as the server says it.
    pub version: String,
    /// Version as a number: 160004 is 16.4.
    pub version_number: i32,
    /// What the server writes to its log: `logical` where rows can be moved between shards.
    pub wal_level: String,
    /// Encoding of the database.
    pub encoding: String,
    /// Connections that roles without privileges may hold, to all databases together.
    pub connections_max: i32,
    /// Connections that are open now, to all databases together.
    pub connections: i64,
    /// Whether the server is a standby.
    pub standby: bool,
    /// Whether transactions are read-only.
    pub read_only: bool,
    /// Isolation level of a transaction that does not choose one.
    pub isolation: String,
    /// Longest statement in milliseconds; 0 without a limit.
    pub statement_timeout: i64,
    /// Longest transaction in milliseconds; 0 without a limit.
    pub transaction_timeout: i64,
    /// Settings that give up durability, by name, each with its value.
    pub not_durable: Vec<String>,
    /// Our role.
    pub role: String,
}

/// How far a server's clock is ahead of this machine's, and how long the answer took.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// How far the clock is ahead, in seconds; negative when it is behind.
    pub ahead: f64,
    /// Time from the question to the answer.
    pub latency: Duration,
}

/// Who acts for a shard.
#[derive(Debug, Clone, Copy, PartialEq, FromRow)]
pub struct Lease {
    /// Process id by which dispatchers know one another.
    pub holder: uuid::Uuid,
    /// For how many seconds the lease still holds; negative once it has ended.
    pub remaining: f64,
}

/// Who owns a bucket, as a shard knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The bucket.
    pub bucket: Bucket,
    /// The shard that owns the bucket.
    pub owner: String,
    /// Epoch of the map that made that shard the owner.
    pub epoch: i64,
}

/// A worker's last report.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Reported {
    /// Name of the worker.
    pub worker: String,
    /// A model that it serves.
    pub model: String,
    /// The version of the model.
    pub model_version: String,
    /// How fast it read lately, in the model's tokens.
    pub tokens_per_second: f64,
    /// How long ago it reported, in seconds.
    pub seconds_ago: f64,
}

/// Connects once without a pool, so that the error says why the server refuses.
pub async fn knock(name: &str, url: &str) -> Result<(), StoreError> {
    let refused = |error| StoreError::of(name, error);
    let options: PgConnectOptions = url.parse().map_err(refused)?;
    let connection: PgConnection = options.connect().await.map_err(refused)?;
    connection.close().await.map_err(refused)
}

/// The server behind a database.
pub async fn server(database: &Database) -> Result<Server, StoreError> {
    database.begin().await?.one(sql!("operate/server")).await
}

/// The server's clock beside this machine's.
pub async fn clock(database: &Database) -> Result<Clock, StoreError> {
    let mut tx = database.begin().await?;
    let asked = Now::now();
    let said: f64 = tx.scalar(sql!("operate/clock")).await?;
    let latency = Now::now().duration_since(asked).unsigned_abs();
    let middle = asked.as_duration().as_secs_f64() + latency.as_secs_f64() / 2.0;
    Ok(Clock {
        ahead: said - middle,
        latency,
    })
}

/// The services whose rights our role has: the role is one of theirs, or a member of one.
pub async fn services(database: &Database) -> Result<Vec<Service>, StoreError> {
    let roles: Vec<&str> = Service::ALL.map(Service::role).into();
    let found: Vec<String> = database
        .begin()
        .await?
        .scalars(sql!("operate/roles_held").bind(roles))
        .await?;
    let ours = Service::ALL.into_iter();
    Ok(ours
        .filter(|service| found.iter().any(|role| role == service.role()))
        .collect())
}

/// Tables that our role may not use as these services must, each with the right that it lacks.
pub async fn lacking_of(
    database: &Database,
    schema: Schema,
    services: &[Service],
) -> Result<Vec<(String, String)>, StoreError> {
    let needed = services.iter().flat_map(|service| grants::rights(schema, *service));
    let (tables, rights): (Vec<&str>, Vec<&str>) = needed.unzip();
    let query = sql!("operate/rights_lacking_of").bind(tables).bind(rights);
    database.begin().await?.all(query).await
}

/// Tables and functions of ours that our role may not use as it must where it is the one role of all services, each
/// with the right that it lacks. The caller names the tables that services only read.
pub async fn lacking(database: &Database, only_read: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
    let query = sql!("operate/rights_lacking").bind(only_read);
    database.begin().await?.all(query).await
}

/// Whether a pooler between here and the server lends its connections by the transaction: then two clients meet on one
/// server process, or one client is served by two.
pub async fn is_pooled(database: &Database) -> Result<bool, StoreError> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let of = |error| StoreError::of(database.name(), error);
    let (mut a, mut b) = tokio::try_join!(database.pool.acquire(), database.pool.acquire()).map_err(of)?;
    for _ in 0..POOLER_ROUNDS {
        first.push(server_process(&mut a).await.map_err(of)?);
        second.push(server_process(&mut b).await.map_err(of)?);
    }
    let steady = |seen: &[i32]| seen.iter().all(|pid| *pid == seen[0]);
    Ok(!steady(&first) || !steady(&second) || first[0] == second[0])
}

/// Process id of the server process that serves one transaction.
async fn server_process(connection: &mut PgConnection) -> sqlx::Result<i32> {
    let mut tx = connection.begin().await?;
    let query = sql!("operate/server_process").persistent(false);
    let pid = query.fetch_one(&mut *tx).await?.try_get(0)?;
    tx.commit().await?;
    Ok(pid)
}

/// Whether a table exists.
pub async fn has_table(database: &Database, table: &str) -> Result<bool, StoreError> {
    let query = sql!("operate/table_exists").bind(table);
    database.begin().await?.scalar(query).await
}

/// Names of the shards that the catalog knows.
pub async fn shards(catalog: &Database) -> Result<Vec<String>, StoreError> {
    catalog.begin().await?.scalars(sql!("operate/shard_names")).await
}

/// Who owns each bucket, as a shard knows it, in the order of the buckets.
pub async fn owners(shard: &Database) -> Result<Vec<Ownership>, StoreError> {
    let rows: Vec<(i16, String, i64)> = shard.begin().await?.all(sql!("operate/bucket_owners")).await?;
    let owners = rows.into_iter().filter_map(|(bucket, owner, epoch)| {
        let bucket = sharding::bucket_from_number(bucket)?;
        Some(Ownership { bucket, owner, epoch })
    });
    Ok(owners.collect())
}

/// The name that a shard was told.
pub async fn identity(shard: &Database) -> Result<Option<String>, StoreError> {
    let mut tx: Tx = shard.begin().await?;
    crate::shards::shard_map::identity(&mut tx).await
}

/// A lease of a shard, held or not.
pub async fn lease(shard: &Database, name: &str) -> Result<Option<Lease>, StoreError> {
    let query = sql!("operate/lease_find").bind(name);
    shard.begin().await?.optional(query).await
}

/// The workers' last reports, the newest first.
pub async fn workers(catalog: &Database) -> Result<Vec<Reported>, StoreError> {
    catalog.begin().await?.all(sql!("operate/worker_reports")).await
}
