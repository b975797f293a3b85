//! What a database says of itself, for `docket-producer doctor`: facts, no judgements. Nothing is written.

use std::time::Duration;

use jiff::Timestamp as Now;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, FromRow};

use super::grants::{self, Service};
use super::migrate::Schema;
use super::{Database, StoreError, Tx};
use crate::ids::Bucket;
use crate::sharding;

/// Transactions on each of two connections by which a pooler gives itself away: one that lends its connections by the
/// transaction soon lends both the same.
const POOLER_ROUNDS: usize = 4;

/// A server, its settings as they hold for our role, and the role.
#[derive(Debug, Clone, FromRow)]
pub struct Server {
    /// Version, as it calls itself.
    pub version: String,
    /// Version as a number: 160004 is 16.4.
    pub version_number: i32,
    /// What is written to the log: `logical` where rows can be moved.
    pub wal_level: String,
    /// Encoding of the database.
    pub encoding: String,
    /// Connections that roles without privileges may hold, all databases together.
    pub connections_max: i32,
    /// Connections that are open now, all databases together.
    pub connections: i64,
    /// Whether it is a standby.
    pub standby: bool,
    /// Whether transactions are read-only.
    pub read_only: bool,
    /// Isolation of a transaction that does not choose.
    pub isolation: String,
    /// Longest statement in milliseconds; 0 without a limit.
    pub statement_timeout: i64,
    /// Longest transaction in milliseconds; 0 without a limit.
    pub transaction_timeout: i64,
    /// Settings that give up durability, by name.
    pub not_durable: Vec<String>,
    /// Our role.
    pub role: String,
}

/// How far a server's clock is ahead of this machine's, and how long the answer took.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Seconds; negative when it is behind.
    pub ahead: f64,
    /// Time from question to answer.
    pub latency: Duration,
}

/// Who acts for a shard.
#[derive(Debug, Clone, Copy, PartialEq, FromRow)]
pub struct Lease {
    /// Process id by which dispatchers know one another.
    pub holder: uuid::Uuid,
    /// For how many seconds it still holds; negative once it has ended.
    pub remaining: f64,
}

/// Who owns a bucket, as a shard knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The bucket.
    pub bucket: Bucket,
    /// Its owner.
    pub owner: String,
    /// Epoch of the map in which that was decided.
    pub epoch: i64,
}

/// A worker's last report.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Reported {
    /// Name of the worker.
    pub worker: String,
    /// A model it serves.
    pub model: String,
    /// The version of it.
    pub model_version: String,
    /// What it reached lately, in the model's tokens.
    pub tokens_per_second: f64,
    /// How long ago it said so.
    pub seconds_ago: f64,
}

/// Connects once, past every pool, so that the reason of a refusal is told as it is.
pub async fn knock(name: &str, url: &str) -> Result<(), StoreError> {
    let refused = |error| StoreError::of(name, error);
    let options: PgConnectOptions = url.parse().map_err(refused)?;
    let connection: PgConnection = options.connect().await.map_err(refused)?;
    connection.close().await.map_err(refused)
}

/// The server behind a database.
pub async fn server(database: &Database) -> Result<Server, StoreError> {
    let mut tx = database.begin().await?;
    let query = tx.query_as(
        "with s as (select name, setting from pg_settings)
         select current_setting('server_version') as version, current_setting('server_version_num')::int as version_number,
                current_setting('wal_level') as wal_level,
                (select pg_encoding_to_char(encoding)::text from pg_database where datname = current_database()) as encoding,
                current_setting('max_connections')::int - (select sum(setting::int)::int from s
                    where name in ('superuser_reserved_connections', 'reserved_connections')) as connections_max,
                (select sum(numbackends)::bigint from pg_stat_database) as connections,
                pg_is_in_recovery() as standby, current_setting('transaction_read_only')::bool as read_only,
                current_setting('default_transaction_isolation') as isolation,
                (select setting::bigint from s where name = 'statement_timeout') as statement_timeout,
                coalesce((select setting::bigint from s where name = 'transaction_timeout'), 0) as transaction_timeout,
                array(select name || ' = off' from s where setting = 'off'
                      and name in ('fsync', 'synchronous_commit', 'full_page_writes') order by 1) as not_durable,
                current_user::text as role",
    );
    let server = query.fetch_one(tx.connection()).await;
    server.map_err(|error| tx.failed(error))
}

/// The server's clock beside this machine's.
pub async fn clock(database: &Database) -> Result<Clock, StoreError> {
    let mut tx = database.begin().await?;
    let query = tx.query_scalar::<f64>("select extract(epoch from clock_timestamp())::double precision");
    let asked = Now::now();
    let said = query.fetch_one(tx.connection()).await;
    let said = said.map_err(|error| tx.failed(error))?;
    let latency = Now::now().duration_since(asked).unsigned_abs();
    let middle = asked.as_duration().as_secs_f64() + latency.as_secs_f64() / 2.0;
    Ok(Clock {
        ahead: said - middle,
        latency,
    })
}

/// The services whose rights our role has: it is one of their roles, or a member.
pub async fn services(database: &Database) -> Result<Vec<Service>, StoreError> {
    let mut tx = database.begin().await?;
    let query = tx.query_scalar::<String>(
        "select rolname::text from pg_roles where rolname = any ($1) and pg_has_role(oid, 'usage')",
    );
    let roles: Vec<String> = Service::ALL.map(|service| service.role().to_owned()).into();
    let found = query.bind(roles).fetch_all(tx.connection()).await;
    let found = found.map_err(|error| tx.failed(error))?;
    let ours = Service::ALL.into_iter();
    Ok(ours
        .filter(|service| found.iter().any(|role| role == service.role()))
        .collect())
}

/// Tables that our role may not use as these services must, each with the privilege that it lacks.
pub async fn lacking_of(
    database: &Database,
    schema: Schema,
    services: &[Service],
) -> Result<Vec<(String, String)>, StoreError> {
    let needed = services.iter().flat_map(|service| grants::rights(schema, *service));
    let (tables, rights): (Vec<_>, Vec<_>) = needed.map(|(table, may)| (table.to_owned(), may.to_owned())).unzip();
    let mut tx = database.begin().await?;
    let query = tx.query_as::<(String, String)>(
        "select distinct n.name, n.may from unnest($1::text[], $2::text[]) as n(name, may)
         where not has_table_privilege(to_regclass(n.name), n.may) order by 1, 2",
    );
    let lacking = query.bind(tables).bind(rights).fetch_all(tx.connection()).await;
    lacking.map_err(|error| tx.failed(error))
}

/// Tables and functions of ours that our role may not use as it must, each with the privilege that it lacks, where it is the
/// one role of all services. Tables of which services only read are told by name.
pub async fn lacking(database: &Database, only_read: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
    let mut tx = database.begin().await?;
    let query = tx.query_as::<(String, String)>(
        "select c.relname::text, p from pg_class c cross join unnest(array['select', 'insert', 'update', 'delete']) p
         where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> '_sqlx_migrations'
           and (p = 'select' or c.relname <> all ($1)) and not has_table_privilege(c.oid, p)
         union all
         select p.proname::text, 'execute' from pg_proc p
         where p.pronamespace = 'public'::regnamespace and not has_function_privilege(p.oid, 'execute')
         union all
         select 'schema public', 'usage' where not has_schema_privilege('public', 'usage')
         order by 1, 2",
    );
    let only_read: Vec<String> = only_read.iter().map(|name| (*name).to_owned()).collect();
    let lacking = query.bind(only_read).fetch_all(tx.connection()).await;
    lacking.map_err(|error| tx.failed(error))
}

/// Whether somebody between here and the server lends its connections by the transaction: two clients then meet on one
/// server process, or one client is served by two.
pub async fn is_pooled(database: &Database) -> Result<bool, StoreError> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let of = |error| StoreError::of(database.name(), error);
    let (mut a, mut b) = tokio::try_join!(database.pool.acquire(), database.pool.acquire()).map_err(of)?;
    for _ in 0..POOLER_ROUNDS {
        first.push(backend(&mut a).await.map_err(of)?);
        second.push(backend(&mut b).await.map_err(of)?);
    }
    let steady = |seen: &[i32]| seen.iter().all(|pid| *pid == seen[0]);
    Ok(!steady(&first) || !steady(&second) || first[0] == second[0])
}

/// The server process that serves one transaction.
async fn backend(connection: &mut PgConnection) -> sqlx::Result<i32> {
    let mut tx = connection.begin().await?;
    let query = sqlx::query_scalar("select pg_backend_pid()").persistent(false);
    let pid = query.fetch_one(&mut *tx).await?;
    tx.commit().await?;
    Ok(pid)
}

/// Whether a table is there.
pub async fn has_table(database: &Database, table: &str) -> Result<bool, StoreError> {
    let mut tx = database.begin().await?;
    let query = tx.query_scalar("select to_regclass($1) is not null");
    let there = query.bind(table.to_owned()).fetch_one(tx.connection()).await;
    there.map_err(|error| tx.failed(error))
}

/// Names of the shards that the catalog knows.
pub async fn shards(catalog: &Database) -> Result<Vec<String>, StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query_scalar("select name from shards order by name");
    let names = query.fetch_all(tx.connection()).await;
    names.map_err(|error| tx.failed(error))
}

/// Who owns each bucket, as a shard knows it, in order of the buckets.
pub async fn owners(shard: &Database) -> Result<Vec<Ownership>, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_as::<(i16, String, i64)>("select bucket, owner, epoch from bucket_owners order by bucket");
    let rows = query.fetch_all(tx.connection()).await;
    let rows = rows.map_err(|error| tx.failed(error))?.into_iter();
    let owners = rows.filter_map(|(bucket, owner, epoch)| {
        let bucket = sharding::bucket_from_number(bucket)?;
        Some(Ownership { bucket, owner, epoch })
    });
    Ok(owners.collect())
}

/// The name by which a shard was introduced.
pub async fn identity(shard: &Database) -> Result<Option<String>, StoreError> {
    let mut tx: Tx = shard.begin().await?;
    super::shard_map::identity(&mut tx).await
}

/// A lease of a shard, held or not.
pub async fn lease(shard: &Database, name: &str) -> Result<Option<Lease>, StoreError> {
    let mut tx = shard.begin().await?;
    let query = tx.query_as(
        "select holder, extract(epoch from until - now())::double precision as remaining from leases where name = $1",
    );
    let lease = query.bind(name.to_owned()).fetch_optional(tx.connection()).await;
    lease.map_err(|error| tx.failed(error))
}

/// The workers' last reports, the newest first.
pub async fn workers(catalog: &Database) -> Result<Vec<Reported>, StoreError> {
    let mut tx = catalog.begin().await?;
    let query = tx.query_as(
        "select worker, model, model_version, tokens_per_second,
                extract(epoch from now() - reported_at)::double precision as seconds_ago
         from worker_reports order by reported_at desc",
    );
    let workers = query.fetch_all(tx.connection()).await;
    workers.map_err(|error| tx.failed(error))
}
